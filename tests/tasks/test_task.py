"""Tasks: labels, tokens, defined pairs and symmetry, by naive loops over the pairs."""

import itertools

import numpy as np
import pytest

from grokscope.config.run import TaskConfig
from grokscope.errors import UsageError
from grokscope.tasks import Task, parse


def task_of(*texts: str, p: int = 7) -> Task:
    return Task.from_config(TaskConfig(expressions=texts, p=p))


def test_vocabulary_of_a_mixture():
    task = task_of("x+y", "x*y", "random")
    assert task.canonical == "x + y, x*y, random"
    assert (task.n_tasks, task.n_tokens) == (3, 10)
    assert [task.operator_token(i) for i in range(3)] == [7, 8, 9]


def test_tokens_and_labels_stand_in_the_order_of_the_pairs():
    task = task_of("x - y", "x*y + y")
    pairs = list(itertools.product(range(7), repeat=2))
    expected = [[[x, op, y] for x, y in pairs] for op in (7, 8)]
    answers = [[(x - y) % 7 for x, y in pairs], [(x * y + y) % 7 for x, y in pairs]]
    assert task.tokens().tolist() == expected
    assert task.labels(seed=0).tolist() == answers
    assert (task.tokens().dtype, task.labels(0).dtype) == (np.int32, np.int32)


def test_a_pair_is_defined_where_every_operation_is():
    task = task_of("x/y", "1/(x - 1)")
    expected = [y != 0 and x != 1 for x, y in itertools.product(range(7), repeat=2)]
    assert task.defined.tolist() == expected
    assert not task.labels(0)[:, ~task.defined].any()


def test_random_tables_depend_on_seed_and_place_and_on_nothing_else():
    task = task_of("random", "x + y", "random", p=97)
    first, addition, second = task.labels(seed=3)
    assert np.array_equal(task.labels(seed=3), [first, addition, second])
    assert np.array_equal(task_of("random", p=97).labels(seed=3)[0], first)
    # two independent tables agree at a share 1/97 of the pairs: 97 ± 10 (one sigma) of 9409
    for other in (second, task.labels(seed=4)[0]):
        assert 50 < (first == other).sum() < 150
    assert np.array_equal(task.labels(seed=4)[1], addition)


def test_random_tables_are_uniform():
    labels = task_of("random", p=97).labels(seed=0)
    counts = np.bincount(labels[0], minlength=97)
    # χ² with 96 degrees of freedom: mean 96, standard deviation 14
    assert len(counts) == 97
    assert 50 < ((counts - 97) ** 2 / 97).sum() < 150


def test_random_tables_never_change_between_platforms_and_versions():
    assert task_of("random", p=97).labels(seed=0)[0, :8].tolist() == [54, 13, 4, 62, 10, 76, 26, 28]


@pytest.mark.parametrize(
    ("texts", "symmetric"),
    [
        (["x + y"], True),
        (["x - y"], False),
        (["(x - y)^2"], True),
        (["x^2 + x*y + y^2"], True),
        (["x^2 + x*y + y^2 + x"], False),
        (["1/(x - y)^2"], True),
        (["x/y"], False),
        (["random"], False),
    ],
)
def test_symmetry(texts, symmetric):
    assert task_of(*texts).symmetric(0, 0) is symmetric


def test_symmetry_is_that_of_one_operation():
    mixture = task_of("x + y", "x - y")
    assert [mixture.symmetric(0, number) for number in range(2)] == [True, False]


def test_symmetry_is_judged_where_both_orders_are_defined():
    # modulo 3 the units are their own inverses, so x/y = x·y wherever y/x is defined as well
    assert task_of("x/y + 1", p=3).symmetric(0, 0)


@pytest.mark.parametrize(
    ("texts", "p"),
    [(["x/0"], 97), (["x/97"], 97), (["x/2"], 4), (["y/(x - x)"], 5), (["1/x", "1/(x - 1)"], 2)],
)
def test_a_task_without_defined_pairs_is_refused(texts, p):
    with pytest.raises(UsageError, match="division by zero: no pair"):
        task_of(*texts, p=p)


def test_the_line_about_division_by_zero():
    with pytest.raises(UsageError) as caught:
        Task((parse("x / 0"),), 97)
    assert str(caught.value) == (
        "division by zero: no pair (x, y) has divisors with an inverse modulo 97; got 'x/0'; "
        "allowed: operations that are defined together for at least one pair; "
        "choose another divisor or another modulus"
    )


def test_the_defined_mask_cannot_be_overwritten():
    with pytest.raises(ValueError, match="read-only"):
        task_of("x").defined[0] = False
