"""Splits: sizes, leaked pairs, orbits, and that a seed means the same split everywhere."""

import numpy as np
import pytest

from grokscope.config.run import TaskConfig
from grokscope.errors import UsageError
from grokscope.tasks import (
    TEST_LEAKED,
    TEST_UNLEAKED,
    TRAIN,
    UNDEFINED,
    Task,
    make_split,
    make_splits,
)


def task_of(*texts: str, p: int = 13) -> Task:
    return Task.from_config(TaskConfig(expressions=texts, p=p))


def test_counts_at_the_paper_setting():
    split = make_split(task_of("x*y", p=97), 0.3, "pairs", seed=0)
    assert split.counts["train"] == round(0.3 * 9409)
    assert split.counts["train"] + split.counts["test"] == 9409
    # a test pair off the diagonal is leaked with probability 0.3
    leaked = split.counts["test"] - split.counts["unleaked"]
    assert abs(leaked / split.counts["test"] - 0.3) < 0.03


def test_leaked_pairs_by_a_naive_search():
    task = task_of("x^2 + y^2")
    split = make_split(task, 0.4, "pairs", seed=5)
    table = split.kind.reshape(13, 13)
    for x in range(13):
        for y in range(13):
            if table[x, y] != TRAIN:
                leaked = table[y, x] == TRAIN
                assert table[x, y] == (TEST_LEAKED if leaked else TEST_UNLEAKED)
    assert split.counts["unleaked"] < split.counts["test"]


@pytest.mark.parametrize("texts", [["x - y"], ["x - y", "x + y"], ["random"]])
def test_nothing_leaks_unless_the_operation_is_symmetric(texts):
    split = make_split(task_of(*texts), 0.4, "pairs", seed=0)
    assert split.counts["unleaked"] == split.counts["test"]


def test_undefined_pairs_are_on_neither_side():
    task = task_of("x/y")
    split = make_split(task, 0.5, "pairs", seed=0)
    assert split.counts["undefined"] == 13
    assert split.counts["train"] == round(0.5 * 156)
    np.testing.assert_array_equal(split.kind == UNDEFINED, ~task.defined)


@pytest.mark.parametrize("text", ["x + y", "x - y", "x/y", "1/(x - y)"])
def test_orbits_keep_both_orders_on_one_side(text):
    task = task_of(text)
    split = make_split(task, 0.3, "orbits", seed=1)
    both = (task.defined & task.defined.reshape(13, 13).T.ravel()).reshape(13, 13)
    train = split.train.reshape(13, 13)
    np.testing.assert_array_equal(train[both], train.T[both])
    assert split.counts["unleaked"] == split.counts["test"]


def test_orbits_take_the_same_share_of_the_diagonal():
    train = make_split(task_of("x + y", p=97), 0.3, "orbits", seed=0).train.reshape(97, 97)
    assert train.sum() == round(0.3 * 9409)
    assert np.trace(train) in (29, 30)


def test_a_seed_means_the_same_split_everywhere():
    task = task_of("x + y")
    for kind in ("pairs", "orbits"):
        first = make_split(task, 0.3, kind, seed=1)
        np.testing.assert_array_equal(first.kind, make_split(task, 0.3, kind, seed=1).kind)
        assert (first.kind != make_split(task, 0.3, kind, seed=2).kind).any()
    assert make_split(task, 0.05, "pairs", seed=0).train_index.tolist() == [
        7,
        10,
        35,
        41,
        130,
        131,
        140,
        160,
    ]
    assert make_split(task, 0.05, "orbits", seed=0).train_index.tolist() == [
        8,
        11,
        45,
        51,
        81,
        104,
        143,
        159,
    ]


def test_the_split_does_not_look_at_the_operation():
    splits = [make_split(task_of(text), 0.3, "pairs", seed=4) for text in ("x + y", "x - y")]
    np.testing.assert_array_equal(splits[0].train, splits[1].train)


def test_training_pairs_are_drawn_evenly():
    task = task_of("x - y")
    times = sum(make_split(task, 0.5, "pairs", seed).train.astype(int) for seed in range(200))
    # binomial: mean 100, standard deviation 7; 169 pairs stay within 4.5 of them
    assert np.min(times) > 68
    assert np.max(times) < 132


@pytest.mark.parametrize(("fraction", "side"), [(0.001, "training"), (0.999, "test")])
def test_an_empty_side_is_refused(fraction, side):
    with pytest.raises(UsageError) as caught:
        make_split(task_of("x"), fraction, "pairs", seed=0)
    assert str(caught.value) == (
        f"the split leaves no {side} pair; got {fraction}; allowed: a train fraction that leaves "
        "some of the 169 defined pairs on each side; "
        "choose a fraction nearer to 0.5 or a larger modulus"
    )


def test_operations_share_their_pairs_or_draw_their_own():
    task = task_of("x - y", "x + y")
    shared = make_splits(task, TaskConfig(train_fraction=0.4), 3)
    apart = make_splits(task, TaskConfig(train_fraction=0.4, shared_split=False), 3)
    alone = make_split(task_of("x - y"), 0.4, "pairs", 3)
    for first, second in (shared, apart):
        np.testing.assert_array_equal(first.train, alone.train)
        assert second.train.sum() == first.train.sum()
        assert first.counts["unleaked"] == first.counts["test"]
        assert second.counts["unleaked"] < second.counts["test"]
    np.testing.assert_array_equal(shared[1].train, shared[0].train)
    # as many in common as chance would have: r² of all pairs
    common = (apart[0].train & apart[1].train).mean()
    assert 0.08 < common < 0.24
