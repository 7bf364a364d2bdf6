"""Label noise: how many wrong answers, which ones, and what it never touches."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from grokscope.tasks import Split, Task, make_split, parse, training_labels


def task_of(*expressions: str, p: int = 23) -> tuple[Task, Split]:
    task = Task(tuple(parse(text) for text in expressions), p)
    return task, make_split(task, 0.5, "pairs", seed=3)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.999])
@pytest.mark.parametrize("expressions", [("x + y",), ("x / y", "x*y"), ("random",)])
def test_that_share_of_the_training_pairs_is_wrong(
    share: float, expressions: tuple[str, ...]
) -> None:
    task, split = task_of(*expressions)
    truth, labels = task.labels(3), training_labels(task, [split] * task.n_tasks, share, 3)
    wrong = labels != truth
    n = round(share * split.counts["train"])
    assert_array_equal(wrong.sum(axis=1), [n] * task.n_tasks)
    assert not wrong[:, ~split.train].any()
    assert labels.min() >= 0
    assert labels.max() < task.p
    assert labels.dtype == truth.dtype
    assert_array_equal(task.labels(3), truth)


def test_every_wrong_answer_is_as_likely() -> None:
    task, _ = task_of("x + y", p=11)
    split = make_split(task, 0.9, "pairs", seed=0)
    shifts = []
    for seed in range(120):
        shift = (training_labels(task, [split] * task.n_tasks, 0.9, seed) - task.labels(seed)) % 11
        shifts.append(shift[shift > 0])
    counts = np.bincount(np.concatenate(shifts), minlength=11)
    assert counts[0] == 0
    expected = counts.sum() / 10
    # χ² with 9 degrees of freedom is below 27.9 in 999 of 1,000 cases
    assert np.sum((counts[1:] - expected) ** 2 / expected) < 27.9


def test_a_seed_draws_its_own_and_always_the_same() -> None:
    task, split = task_of("x + y", "x*y")
    found = training_labels(task, [split] * 2, 0.3, 5)
    assert_array_equal(found, training_labels(task, [split] * 2, 0.3, 5))
    other = training_labels(task, [split] * 2, 0.3, 6)
    assert (found != other).any()
    wrong = {5: found != task.labels(5), 6: other != task.labels(6)}
    assert (wrong[5] != wrong[6]).any()
    assert (wrong[5][0] != wrong[5][1]).any()
    # a mixture disturbs its first operation as alone
    alone, _ = task_of("x + y")
    assert_array_equal(training_labels(alone, [split], 0.3, 5)[0], found[0])


def test_more_noise_keeps_the_pairs_of_less() -> None:
    task, split = task_of("x*y")
    few, many = (training_labels(task, [split], s, 1) != task.labels(1) for s in (0.1, 0.4))
    assert (many & few).sum() == few.sum() < many.sum()


def test_without_noise_the_answers_are_the_true_ones() -> None:
    task, split = task_of("x - y")
    assert_array_equal(training_labels(task, [split] * task.n_tasks, 0.0, 3), task.labels(3))


def test_two_residues_leave_one_wrong_answer() -> None:
    task = Task((parse("x + y"),), 2)
    split = make_split(task, 0.5, "pairs", seed=0)
    wrong = training_labels(task, [split] * task.n_tasks, 0.5, 0) != task.labels(0)
    assert wrong.sum() == 1
