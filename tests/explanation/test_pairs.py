"""All pairs through a network, and what is read of its neurons, against plain loops."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.errors import UsageError
from grokscope.explanation import pairs
from grokscope.explanation.pairs import (
    attention_patterns,
    neuron_activations,
    neuron_strengths,
    over_pairs,
)
from grokscope.models import MLP, Model, named_weights, with_weights

Make = Callable[..., Model]


@pytest.mark.parametrize("size", [1, 7, 20, 21, 4096])
def test_every_pair_comes_once_whatever_the_block(
    network: Make, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(pairs, "PAIRS_PER_BLOCK", size)
    model = network()
    found = np.concatenate(list(over_pairs(model, lambda _, seen: seen["embedding"])))
    table = np.asarray(model.W_E)
    assert found.shape == (7, 7, 3, 12)
    for x in range(7):
        for y in range(7):
            assert_allclose(found[x, y], table[[x, 7, y]])


def test_a_block_holds_few_pairs(network: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "PAIRS_PER_BLOCK", 20)
    sizes = [block.shape[:2] for block in over_pairs(network(), lambda logits, _: logits)]
    assert sizes == [(2, 7), (2, 7), (2, 7), (1, 7)]


def test_each_operation_of_a_mixture_has_its_token(network: Make) -> None:
    model = network(n_tasks=3)
    for task in range(3):
        (block,) = over_pairs(model, lambda _, seen: seen["embedding"], task)
        assert_allclose(block[3, 4, 1], np.asarray(model.W_E)[7 + task])


@pytest.mark.parametrize("task", [-1, 2])
def test_an_operation_that_is_not_there_is_refused(network: Make, task: int) -> None:
    with pytest.raises(UsageError, match=r"no such operation; got .*; allowed: 0 to 1"):
        next(over_pairs(network(n_tasks=2), lambda logits, _: logits, task))


def mlp_neurons(model: MLP, x: int, y: int, op: int = 7) -> np.ndarray:
    """The last hidden layer for one pair, in float64."""
    table = np.asarray(model.W_E, np.float64)
    found = np.maximum((table[x] + table[op] + table[y]) @ np.asarray(model.W_in, np.float64), 0)
    for W in model.W_hidden:
        found = np.maximum(found @ np.asarray(W, np.float64), 0)
    return found


def all_neurons(model: Model, one_pass: Callable) -> np.ndarray:
    def of(x: int, y: int) -> np.ndarray:
        if isinstance(model, MLP):
            return mlp_neurons(model, x, y)
        return one_pass(model, [x, 7, y]).neurons

    return np.array([[of(x, y) for y in range(7)] for x in range(7)])


SIZES = [{}, {"layers": 2}, {"architecture": "mlp"}, {"architecture": "mlp", "layers": 2}]


@pytest.mark.parametrize("sizes", SIZES)
def test_activations_agree_with_a_loop_over_pairs(
    network: Make, one_pass: Callable, sizes: dict
) -> None:
    model = network(**sizes)
    expected = all_neurons(model, one_pass)
    for chosen in ([4], [8, 0, 3]):
        found = neuron_activations(model, chosen)
        assert_allclose(found, np.moveaxis(expected[..., chosen], 2, 0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("sizes", SIZES)
def test_strength_is_deviation_times_the_norm_of_what_is_written(
    network: Make, one_pass: Callable, sizes: dict
) -> None:
    model = network(**sizes)
    activations = all_neurons(model, one_pass).reshape(49, -1)
    written = np.asarray(model.neuron_logit_map, np.float64)
    expected = [
        activations[:, j].std() * np.sqrt((written[:, j] ** 2).sum())
        for j in range(activations.shape[1])
    ]
    strengths = neuron_strengths(model)
    assert_allclose(strengths, expected, rtol=1e-3, atol=1e-3)


def test_a_neuron_that_writes_nothing_is_the_weakest(network: Make) -> None:
    model = network()
    weights = {name: np.array(W) for name, W in named_weights(model).items()}
    weights["W_out"][6] = 0
    strengths = neuron_strengths(with_weights(model, weights))
    assert strengths[6] == 0
    assert strengths.argmin() == 6


def test_a_neuron_that_overflows_has_no_strength(
    network: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = np.random.default_rng(0).normal(size=(4, 10)).astype(np.float32)
    block[:, 2] = np.inf
    monkeypatch.setattr(pairs, "over_pairs", lambda *_: iter([block]))
    with np.errstate(invalid="raise"):
        strengths = neuron_strengths(network())
    assert np.isnan(strengths[2])
    assert np.isfinite(np.delete(strengths, 2)).all()


def test_a_neuron_that_is_not_there_is_refused(network: Make) -> None:
    for wrong in ([10], [-1]):
        with pytest.raises(UsageError, match=r"no such neuron; got .*; allowed: 0 to 9"):
            neuron_activations(network(), wrong)


def test_it_knows_which_operation_it_is_asked_about(network: Make) -> None:
    model = network(n_tasks=2)
    first, second = (neuron_activations(model, [0, 1, 2], task) for task in (0, 1))
    assert not np.allclose(first, second)
    assert jnp.isfinite(first).all()


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("task", [0, 1])
def test_agrees_with_a_loop_over_heads_and_positions(
    network: Make, one_pass: Callable, layers: int, task: int
) -> None:
    model = network(layers=layers, n_tasks=2)
    patterns = attention_patterns(model, operation_index=task)
    assert patterns.shape == (3, 3, 7, 7)
    for x, y in [(0, 0), (2, 5), (5, 2), (6, 6)]:
        expected = one_pass(model, [x, 7 + task, y]).pattern
        assert_allclose(patterns[:, :, x, y], expected, rtol=2e-4)


def test_an_earlier_block_can_be_read(network: Make) -> None:
    model = network(layers=2)
    first, last = attention_patterns(model, layer=0), attention_patterns(model, layer=1)
    assert_allclose(last, attention_patterns(model))
    assert_allclose(first, attention_patterns(model, layer=-2))
    assert np.abs(first - last).max() > 0.1


def test_weights_sum_to_one(network: Make) -> None:
    patterns = attention_patterns(network())
    assert_allclose(patterns.sum(axis=1), np.ones((3, 7, 7)), rtol=1e-5)


def test_what_has_no_attention_is_refused(network: Make) -> None:
    with pytest.raises(UsageError, match="an MLP has no attention"):
        attention_patterns(network(architecture="mlp"))
    with pytest.raises(UsageError, match="no such block; got 1; allowed: 0 to 0"):
        attention_patterns(network(), layer=1)
