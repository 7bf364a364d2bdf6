"""Grokking has to be confirmed, and a fall has to be one."""

import math

import pytest

from grokscope.errors import UsageError
from grokscope.measures import first_confirmed, half_fall, high_since

NAN = math.nan


@pytest.mark.parametrize(
    ("accuracy", "index"),
    [
        ([0.2, 1, 1, 1, 1, 1, 1], 1),
        ([0.99] * 6, 0),
        ([0.98999] * 20, None),
        ([1] * 5, None),
        ([0, 1, 1, 1, 1, 1, 0.9, 1, 1, 1, 1, 1], None),
        ([0, 1, 1, 1, 1, 1, 0.9, 1, 1, 1, 1, 1, 1], 7),
        ([1, 1, 1, NAN, 1, 1, 1, 1, 1, 1, 0], 4),
        ([], None),
    ],
)
def test_five_further_evaluations_confirm(accuracy, index):
    steps = [50 * i for i in range(len(accuracy))]
    values = [float(value) for value in accuracy]
    assert first_confirmed(steps, values) == (None if index is None else 50 * index)


def test_threshold_and_confirmations_can_be_chosen():
    assert first_confirmed([0, 1, 2], [0.1, 0.6, 0.7], threshold=0.5, confirmations=1) == 1
    assert first_confirmed([0, 1, 2], [0.1, 0.6, 0.7], threshold=0.5, confirmations=2) is None
    assert first_confirmed([0, 1], [0.1, 0.6], threshold=0.5, confirmations=0) == 1


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([1.0, 0.9, 0.61, 0.6, 0.2], 30),
        ([1.0, 0.0], 10),
        ([NAN, 1.0, 0.5, NAN, 0.0], 20),
        ([0.5, 0.405], None),
        ([0.2, 0.9], None),
        ([0.9], None),
        ([NAN, NAN], None),
        ([], None),
    ],
)
def test_half_of_the_fall(values, step):
    assert half_fall([10 * i for i in range(len(values))], values) == step


def test_steps_and_values_belong_together():
    with pytest.raises(UsageError, match=r"belong together; got .* allowed: one value per step"):
        first_confirmed([0, 50], [1.0])


def test_high_accuracy_counts_from_its_last_beginning() -> None:
    steps = [0, 50, 100, 150, 200]
    assert high_since(steps, [0.1, 0.995, 0.5, 0.99, 1.0]) == 150
    assert high_since(steps, [1.0] * 5) == 0
    assert high_since(steps, [1.0, 1.0, 1.0, 1.0, 0.98]) is None
    assert high_since(steps, [1.0, 1.0, 1.0, 1.0, float("nan")]) is None
    assert high_since([], []) is None
