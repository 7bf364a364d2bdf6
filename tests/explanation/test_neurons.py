from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.errors import UsageError
from grokscope.explanation.neurons import neuron_activations, neuron_strengths, strongest_neurons
from grokscope.models import MLP, Model, named_weights, with_weights

Make = Callable[..., Model]


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
    assert strongest_neurons(strengths, 3) == np.argsort(-np.array(expected))[:3].tolist()


def test_a_neuron_that_writes_nothing_is_the_weakest(network: Make) -> None:
    model = network()
    weights = {name: np.array(W) for name, W in named_weights(model).items()}
    weights["W_out"][6] = 0
    strengths = neuron_strengths(with_weights(model, weights))
    assert strengths[6] == 0
    assert strongest_neurons(strengths, 99)[-1] == 6


def test_a_neuron_that_is_not_there_is_refused(network: Make) -> None:
    for wrong in ([10], [-1]):
        with pytest.raises(UsageError, match=r"no such neuron; got .*; allowed: 0 to 9"):
            neuron_activations(network(), wrong)


def test_it_knows_which_operation_it_is_asked_about(network: Make) -> None:
    model = network(n_tasks=2)
    first, second = (neuron_activations(model, [0, 1, 2], task) for task in (0, 1))
    assert not np.allclose(first, second)
    assert jnp.isfinite(first).all()
