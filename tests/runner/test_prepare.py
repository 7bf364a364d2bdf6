"""Every seed gets its own weights, split and random answers, whatever seeds stand beside it."""

import subprocess
import sys
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from grokscope.config.run import RunConfig
from grokscope.errors import UsageError
from grokscope.runner.check import check
from grokscope.runner.prepare import prepare


def prepared(config: RunConfig) -> SimpleNamespace:
    """The check of a configuration and what is prepared from it."""
    checked = check(config)
    return SimpleNamespace(**checked._asdict(), **prepare(checked)._asdict())


def test_a_seed_means_the_same_alone_and_beside_others(helpers: SimpleNamespace) -> None:
    several = prepared(helpers.tiny("random", seeds=(0, 3)))
    alone = prepared(helpers.tiny("random", seeds=(3,)))
    for tree, other in ((several.states, alone.states), (several.inputs, alone.inputs)):
        pairs = zip(*map(jax.tree_util.tree_leaves, (tree, other)), strict=True)
        for one, own in pairs:
            assert_array_equal(one[1], own[0])
    for part in (several.states.model.W_E, several.inputs.labels, several.inputs.observed.kind):
        assert not np.array_equal(part[0], part[1])


def test_examples_are_the_training_pairs_of_every_task(helpers: SimpleNamespace) -> None:
    found = prepared(helpers.tiny("x*y", "x - y", seeds=(1,)))
    n = int(found.splits[0][0].train.sum())
    tokens, labels = np.asarray(found.inputs.tokens[0]), np.asarray(found.inputs.labels[0])
    assert tokens.shape == (2 * n, 3)
    x, op, y = tokens.T
    assert_array_equal(op, [7] * n + [8] * n)
    assert_array_equal(labels, np.where(op == 7, x * y, x - y) % 7)
    assert_array_equal(x[:n] * 7 + y[:n], found.splits[0][0].train_index)
    assert_array_equal(x[:n], x[n:])
    kinds = [split.kind for split in found.splits[0]]
    assert_array_equal(found.inputs.observed.kind[0], kinds)
    assert found.inputs.weights is None
    assert float(found.inputs.learning_rate[0]) == np.float32(1e-3)
    assert int(found.states.step[0]) == 0


def test_noise_is_trained_and_counted_and_touches_no_test_pair(helpers: SimpleNamespace) -> None:
    clean = prepared(helpers.tiny("x*y", "x - y", seeds=(1, 2)))
    noisy = prepared(helpers.tiny("x*y", "x - y", seeds=(1, 2), label_noise=0.25))
    for i, (split, _) in enumerate(noisy.splits):
        n = split.counts["train"]
        labels = np.asarray(noisy.inputs.labels[i]).reshape(2, n)
        wrong = labels != np.asarray(clean.inputs.labels[i]).reshape(2, n)
        assert_array_equal(wrong.sum(axis=1), round(0.25 * n))
        # train accuracy is measured against what trained, test accuracy against the truth
        observed, truth = (np.asarray(p.inputs.observed.labels[i]) for p in (noisy, clean))
        assert_array_equal(observed[:, split.train], labels)
        assert_array_equal(observed[:, ~split.train], truth[:, ~split.train])
        assert_array_equal(noisy.task.labels(i + 1), truth)
    assert_array_equal(noisy.inputs.tokens, clean.inputs.tokens)
    assert_array_equal(noisy.states.model.W_E, clean.states.model.W_E)


def test_a_batch_larger_than_the_training_set_is_refused(helpers: SimpleNamespace) -> None:
    _, task, splits = check(helpers.tiny(batch_size=29, seeds=(4, 2)))
    assert task.canonical == "x + y"
    assert len(splits) == 2
    with pytest.raises(UsageError, match=r"batch size is larger.*got 30; allowed: 1 to 29"):
        check(helpers.tiny(batch_size=30))
    check(helpers.tiny("x + y", "x - y", batch_size=58))


def test_a_configuration_is_checked_without_loading_jax() -> None:
    program = "import sys, grokscope.runner.check; print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
