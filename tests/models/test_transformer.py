"""What the transformer is made of, and what it can and cannot see."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from grokscope.config.run import ModelConfig
from grokscope.models import Model, Transformer, make_model, named_weights

PAPER = ModelConfig()
P, N_TOKENS = 97, 98
fresh_model = jax.jit(make_model, static_argnums=(0, 1, 2))


@pytest.fixture(scope="module")
def fresh() -> dict[str, np.ndarray]:
    """The initial weights of the paper's network, with two blocks."""
    model = fresh_model(ModelConfig(layers=2), P, N_TOKENS, jax.random.key(3))
    return {name: np.asarray(W) for name, W in named_weights(model).items()}


def test_shapes_are_the_papers(fresh: dict[str, np.ndarray]) -> None:
    block = {
        "W_Q": (4, 128, 32),
        "W_K": (4, 128, 32),
        "W_V": (4, 128, 32),
        "W_O": (4, 32, 128),
        "W_in": (128, 512),
        "W_out": (512, 128),
    }
    expected = {"W_E": (N_TOKENS, 128), "W_U": (128, P)}
    expected |= {f"{name}.{i}": shape for i in range(2) for name, shape in block.items()}
    assert {name: W.shape for name, W in fresh.items()} == expected
    assert {W.dtype for W in fresh.values()} == {np.dtype(np.float32)}


def test_initial_weights_are_normal_with_the_papers_spread(fresh: dict[str, np.ndarray]) -> None:
    for name, W in fresh.items():
        expected = N_TOKENS**-0.5 if name == "W_E" else PAPER.d_model**-0.5
        # the standard error of a standard deviation is σ / √(2n); of a mean σ / √n
        assert abs(W.std() / expected - 1) < 5 / np.sqrt(2 * W.size), name
        assert abs(W.mean() / expected) < 5 / np.sqrt(W.size), name
        # a normal distribution has kurtosis 3, with standard error √(24 / n)
        assert abs(np.mean((W / expected) ** 4) - 3) < 0.3, name


def test_no_two_matrices_are_drawn_alike(fresh: dict[str, np.ndarray]) -> None:
    flat = {name: W.ravel()[:12_000] for name, W in fresh.items()}
    correlation = np.corrcoef(np.stack(list(flat.values())))
    assert np.abs(correlation - np.eye(len(flat))).max() < 0.06


def test_a_key_decides_the_weights() -> None:
    first, again, other = (
        named_weights(fresh_model(ModelConfig(d_model=8), 5, 6, jax.random.key(seed)))
        for seed in (1, 1, 2)
    )
    for name, W in first.items():
        assert_array_equal(W, again[name])
        assert not np.array_equal(W, other[name])


@pytest.fixture(scope="module")
def two_blocks(network: Callable[..., Model]) -> Transformer:
    model = network(layers=2, n_tasks=2)
    assert isinstance(model, Transformer)
    return model


def test_earlier_positions_do_not_see_later_ones(two_blocks: Transformer) -> None:
    _, before = two_blocks.trace(jnp.array([[3, 7, 1]]))
    _, other_y = two_blocks.trace(jnp.array([[3, 7, 5]]))
    _, other_op = two_blocks.trace(jnp.array([[3, 8, 1]]))
    for name in (
        "embedding",
        "blocks.0.residual_after",
        "blocks.1.mlp_post",
        "blocks.1.residual_after",
    ):
        assert_array_equal(before[name][:, :2], other_y[name][:, :2])
        assert_array_equal(before[name][:, :1], other_op[name][:, :1])
        assert not np.allclose(before[name][:, 2], other_y[name][:, 2])
    assert not np.allclose(before["logits"], other_op["logits"])


def test_attention_is_causal_and_sums_to_one(two_blocks: Transformer) -> None:
    _, read = two_blocks.trace(jnp.array([[3, 7, 1], [0, 8, 6]]))
    for block in range(2):
        pattern = np.asarray(read[f"blocks.{block}.pattern"])
        assert pattern.shape == (2, 3, 3, 3)
        assert_array_equal(pattern * np.triu(np.ones((3, 3)), 1), np.zeros_like(pattern))
        assert_allclose(pattern.sum(axis=-1), 1, rtol=1e-6)


def test_scores_are_divided_by_the_root_of_the_head_width(two_blocks: Transformer) -> None:
    _, read = two_blocks.trace(jnp.array([[3, 7, 1]]))
    query, key = (np.asarray(read[f"blocks.1.{name}"], np.float64) for name in ("query", "key"))
    d_head = query.shape[-1]
    assert d_head == 4
    for h in range(3):
        dots = query[0, :, h] @ key[0, :, h].T
        assert_allclose(read["blocks.1.scores"][0, h], dots / np.sqrt(d_head), rtol=1e-4, atol=1e-5)


def test_there_are_no_positions(network: Callable[..., Model]) -> None:
    """One block reads x and op as a set: exchanging them changes nothing but round-off."""
    model = network()
    tokens = jnp.array([[3, 7, 1], [2, 7, 2], [0, 7, 5]])
    swapped = tokens[:, jnp.array([1, 0, 2])]
    assert_allclose(model(tokens), model(swapped), atol=1e-5)
    assert_allclose(model.trace(tokens)[0], model.trace(swapped)[0], atol=1e-5)
    _, read = model.trace(jnp.array([[4, 4, 4]]))
    for name in ("query", "key", "value"):
        assert_array_equal(read[f"blocks.0.{name}"][:, 0], read[f"blocks.0.{name}"][:, 2])


@pytest.mark.parametrize("sizes", [{}, {"layers": 2}, {"architecture": "mlp", "layers": 2}])
def test_neuron_logit_map_is_what_one_neuron_adds_to_the_logits(
    network: Callable[..., Model], sizes: dict
) -> None:
    model = network(**sizes)
    last = (
        "hidden.1.post"
        if sizes.get("architecture") == "mlp"
        else (f"blocks.{sizes.get('layers', 1) - 1}.mlp_post")
    )
    tokens = jnp.array([[3, 7, 1]])
    before, _ = model.trace(tokens)
    W_L = np.asarray(model.neuron_logit_map)
    assert W_L.shape[0] == 7
    for neuron in (0, 5):
        after, _ = model.trace(tokens, {last: lambda a, i=neuron: a.at[..., i].add(10.0)})
        assert_allclose((after - before)[0] / 10, W_L[:, neuron], atol=1e-5)
