"""Label statistics against closed forms, and against what random splits give by chance."""

import math

import numpy as np
import pytest

from grokscope.measures.label_statistics import (
    chance_above,
    chance_divergence,
    label_counts,
    label_divergence,
    label_entropy,
)


def test_counts_are_those_of_the_side() -> None:
    labels = np.array([0, 2, 2, 1, 2])
    side = np.array([True, True, False, False, True])
    assert label_counts(labels, side, 4).tolist() == [1, 0, 2, 0]


def test_entropy_of_equal_counts_is_the_logarithm_of_their_number() -> None:
    for n in (1, 2, 97):
        assert label_entropy(np.full(n, 5)) == pytest.approx(math.log(n), abs=1e-12)
    assert label_entropy(np.array([7, 0, 0])) == 0
    assert label_entropy(np.array([1, 0, 1])) == pytest.approx(math.log(2))
    assert math.isnan(label_entropy(np.zeros(3, int)))


def test_entropy_by_hand() -> None:
    by_hand = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert label_entropy(np.array([2, 6])) == pytest.approx(by_hand)


def test_equal_distributions_do_not_diverge() -> None:
    assert label_divergence(np.array([1, 2, 3]), np.array([10, 20, 30])) == pytest.approx(0)


def test_divergence_by_hand_has_a_direction() -> None:
    train, test = np.array([3, 1]), np.array([1, 1])
    assert label_divergence(train, test) == pytest.approx(
        0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    )
    assert label_divergence(test, train) == pytest.approx(0.5 * math.log(2 / 3) + 0.5 * math.log(2))


def test_an_answer_that_only_trains_makes_it_infinite() -> None:
    assert label_divergence(np.array([1, 1]), np.array([2, 0])) == math.inf
    # the other way round nothing is lost: 0 log 0 = 0
    assert label_divergence(np.array([2, 0]), np.array([1, 1])) == pytest.approx(math.log(2))
    assert math.isnan(label_divergence(np.array([0, 0]), np.array([1, 1])))


@pytest.mark.parametrize("kinds", [np.arange(97), np.arange(97) ** 2 // 200, np.zeros(97, int)])
def test_chance_is_the_mean_over_random_splits(kinds: np.ndarray) -> None:
    rng, labels, p = np.random.default_rng(0), np.tile(kinds, 97), 97
    found = []
    for _ in range(200):
        side = rng.permutation(p * p) < 2823
        counts = [label_counts(labels, s, p) for s in (side, ~side)]
        found.append(label_divergence(*counts))
    expected = chance_divergence(len(np.unique(labels)), 2823, p * p - 2823)
    assert np.mean(found) == pytest.approx(expected, rel=0.06, abs=1e-12)


def test_chance_above() -> None:
    assert chance_above([3, 4], [1, 2]) == 1
    assert chance_above([1, 2], [3, 4]) == 0
    assert chance_above([1, 2], [1, 2]) == 0.5
    assert math.isnan(chance_above([], [1]))
