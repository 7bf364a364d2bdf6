"""The forward passes agree with each other, and with loops that do what the paper describes."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.models import Model, named_weights

Row = list[float]

SIZES: list[dict[str, Any]] = [
    {"p": 7, "heads": 1},
    {"p": 8, "heads": 4, "n_tasks": 2},
    {"p": 2, "heads": 12},
    {"p": 7, "layers": 2},
    {"p": 5, "architecture": "mlp"},
    {"p": 8, "architecture": "mlp", "layers": 3, "n_tasks": 2},
]


class Computed(NamedTuple):
    """Both passes of one network on the same inputs, and their gradients."""

    sizes: dict[str, Any]
    model: Model
    tokens: np.ndarray
    fast: np.ndarray
    traced: np.ndarray
    read: dict[str, jax.Array]
    fast_gradient: Model
    traced_gradient: Model


@pytest.fixture(scope="module", params=SIZES, ids=str)
def computed(request: pytest.FixtureRequest, network: Callable[..., Model]) -> Computed:
    sizes = request.param
    model, p, n_tasks = network(**sizes), sizes["p"], sizes.get("n_tasks", 1)
    rows = [(x, p + t, y) for t in range(n_tasks) for x in range(p) for y in range(p)]
    tokens = np.array(rows, np.int32)
    weighting = np.random.default_rng(9).normal(size=(len(tokens), p)).astype(np.float32)

    @jax.jit
    def both(model: Model, tokens: jax.Array, weighting: jax.Array) -> tuple[Any, ...]:
        fast = jax.grad(lambda m: jnp.mean(m(tokens) * weighting))(model)
        plain = jax.grad(lambda m: jnp.mean(m.trace(tokens)[0] * weighting))(model)
        return model(tokens), *model.trace(tokens), fast, plain

    return Computed(sizes, model, tokens, *both(model, tokens, weighting))


def times(row: Row, matrix: np.ndarray) -> Row:
    return [sum(r * float(m) for r, m in zip(row, column, strict=True)) for column in matrix.T]


def plus(a: Row, b: Row) -> Row:
    return [x + y for x, y in zip(a, b, strict=True)]


def relu(row: Row) -> Row:
    return [max(0.0, x) for x in row]


def head(rows: list[Row], at: int, weights: dict[str, np.ndarray], h: int) -> Row:
    """Return what head number h writes at position `at`; it sees positions 0 … at."""
    query = times(rows[at], weights["W_Q"][h])
    keys = [times(row, weights["W_K"][h]) for row in rows[: at + 1]]
    dots = [sum(q * k for q, k in zip(query, key, strict=True)) for key in keys]
    attention = [math.exp(dot / math.sqrt(len(query))) for dot in dots]
    mixed = [0.0] * len(query)
    for row, a in zip(rows, attention, strict=False):
        value = times(row, weights["W_V"][h])
        mixed = plus(mixed, [a / sum(attention) * v for v in value])
    return times(mixed, weights["W_O"][h])


def transformer_logits(weights: dict[str, np.ndarray], tokens: Row, layers: int) -> Row:
    rows = [weights["W_E"][int(t)].tolist() for t in tokens]
    for i in range(layers):
        suffix = f".{i}" if layers > 1 else ""
        own = {name: weights[name + suffix] for name in ("W_Q", "W_K", "W_V", "W_O")}
        moved = rows
        for h in range(len(own["W_Q"])):
            moved = [plus(row, head(rows, at, own, h)) for at, row in enumerate(moved)]
        after = [relu(times(row, weights[f"W_in{suffix}"])) for row in moved]
        written = [times(row, weights[f"W_out{suffix}"]) for row in after]
        rows = [plus(a, b) for a, b in zip(moved, written, strict=True)]
    return times(rows[-1], weights["W_U"])


def mlp_logits(weights: dict[str, np.ndarray], tokens: Row, layers: int) -> Row:
    summed = [0.0] * weights["W_in"].shape[1]
    for token in tokens:
        summed = plus(summed, times(weights["W_E"][int(token)].tolist(), weights["W_in"]))
    row = relu(summed)
    for i in range(layers):
        row = relu(times(row, weights[f"W_hidden.{i}" if layers > 1 else "W_hidden"]))
    return times(times(row, weights["W_out"]), weights["W_U"])


def test_both_passes_equal_loops_over_positions_heads_and_neurons(computed: Computed) -> None:
    weights = {n: np.asarray(W, np.float64) for n, W in named_weights(computed.model).items()}
    naive = mlp_logits if "architecture" in computed.sizes else transformer_logits
    layers = computed.sizes.get("layers", 1)
    expected = [naive(weights, row.tolist(), layers) for row in computed.tokens]
    assert float(np.std(expected)) > 0.5
    assert computed.fast.shape == (len(computed.tokens), computed.sizes["p"])
    for logits in (computed.fast, computed.traced, computed.read["logits"]):
        assert_allclose(logits, expected, atol=1e-5 * float(np.max(np.abs(expected))))


def test_fast_pass_and_trace_have_the_same_gradients(computed: Computed) -> None:
    fast = named_weights(computed.fast_gradient)
    for name, expected in named_weights(computed.traced_gradient).items():
        largest = float(np.max(np.abs(np.asarray(expected))))
        assert largest > 1e-4, name
        assert_allclose(fast[name], expected, atol=1e-5 * largest, rtol=1e-5)
