"""Weights by name: out of a network and back into one."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from grokscope.axes import AXES
from grokscope.config.validate import Part
from grokscope.errors import UsageError
from grokscope.models import Model, Transformer, named_weights, parts, weight_axes, with_weights

SIZES = {"token": 8, "class": 7, "d_model": 12, "head": 3, "d_head": 4, "d_mlp": 20}
MLP_SIZES = {"token": 8, "class": 7, "d_embedding": 9, "d_mlp": 12}
NETWORKS = [{}, {"layers": 2}, {"architecture": "mlp"}, {"architecture": "mlp", "layers": 3}]
PARTS: dict[str, Part] = {
    "W_E": "embedding",
    "W_Q": "attention",
    "W_K": "attention",
    "W_V": "attention",
    "W_O": "attention",
    "W_in": "mlp",
    "W_hidden": "mlp",
    "W_out": "mlp",
    "W_U": "unembedding",
}


def test_names_carry_the_layer_only_where_there_are_several(network: Callable[..., Model]) -> None:
    block = ["W_Q", "W_K", "W_V", "W_O", "W_in", "W_out"]
    assert sorted(named_weights(network())) == sorted(["W_E", *block, "W_U"])
    several = [f"{name}.{i}" for i in range(2) for name in block]
    assert sorted(named_weights(network(layers=2))) == sorted(["W_E", *several, "W_U"])
    mlp = named_weights(network(architecture="mlp", layers=3))
    hidden = [f"W_hidden.{i}" for i in range(3)]
    assert sorted(mlp) == sorted(["W_E", "W_in", *hidden, "W_out", "W_U"])


def test_a_name_means_the_matrix_of_that_name(network: Callable[..., Model]) -> None:
    model = network(layers=2)
    assert isinstance(model, Transformer)
    found = named_weights(model)
    assert found["W_E"] is model.W_E
    assert found["W_K.1"] is model.blocks[1].W_K
    assert found["W_out.0"] is model.blocks[0].W_out


@pytest.mark.parametrize("sizes", NETWORKS, ids=str)
def test_weights_go_out_and_come_back(network: Callable[..., Model], sizes: dict) -> None:
    model, other = network(**sizes), network(seed=5, **sizes)
    weights = {name: np.asarray(W) for name, W in named_weights(model).items()}
    again = with_weights(other, weights)
    assert jax.tree_util.tree_structure(again) == jax.tree_util.tree_structure(model)
    for name, W in named_weights(again).items():
        assert_array_equal(W, weights[name])
        assert W.dtype == jnp.float32
    tokens = jnp.array([[3, 7, 1], [0, 7, 6]])
    assert_array_equal(again(tokens), model(tokens))


@pytest.mark.parametrize("change", ["missing", "transposed"])
def test_weights_that_do_not_fit_are_refused(network: Callable[..., Model], change: str) -> None:
    model = network()
    weights = {name: np.asarray(W) for name, W in named_weights(model).items()}
    W_in = weights.pop("W_in")
    got = "nothing"
    if change == "transposed":
        weights["W_in"] = W_in.T
        got = r"shape \(20, 12\)"
    with pytest.raises(UsageError, match=rf"W_in does not fit.*{got}.*shape \(12, 20\)"):
        with_weights(model, weights)


@pytest.mark.parametrize("sizes", NETWORKS, ids=str)
def test_axes_name_every_dimension(network: Callable[..., Model], sizes: dict) -> None:
    model = network(**sizes)
    lengths = MLP_SIZES if "architecture" in sizes else SIZES
    axes = weight_axes(model)
    for name, W in named_weights(model).items():
        assert tuple(lengths[axis] for axis in axes[name]) == W.shape, name
        assert set(axes[name]) <= set(AXES)


@pytest.mark.parametrize("sizes", NETWORKS, ids=str)
def test_every_matrix_belongs_to_its_part(network: Callable[..., Model], sizes: dict) -> None:
    model = network(**sizes)
    found = jax.tree_util.tree_leaves(parts(model))
    assert found == [PARTS[name.split(".")[0]] for name in named_weights(model)]
