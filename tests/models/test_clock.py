"""A network built by formula, the clock: logits Σ_k cos w_k(x + y − c), with w_k = 2πk/p.

Its embedding holds (cos w_k x, sin w_k x); uniform attention adds up x and y; a neuron of phases
φ and ψ computes ReLU(cos(w_k x − φ) + cos(w_k y − ψ)) and writes cos(φ + ψ − w_k c). Summed over
a grid of n × n phases, all harmonics but cos w_k(x + y − c) cancel, up to about 1/n² of it.
"""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.measures import fourier_frequency_sparsity
from grokscope.models import Model, named_weights, with_weights

P, KEYS, GRID = 23, (2, 5, 9), 32
OPERAND, SUM, ANSWER = np.split(np.arange(6 * len(KEYS)), 3)
"""Dimensions of the residual stream: the token at hand, the sum of x and y, the answer."""


def circles(phases: np.ndarray) -> np.ndarray:
    """Return cos and sin of each phase at each key: rows (value), columns (key, cos | sin)."""
    angles = np.multiply.outer(phases, np.array(KEYS)) * 2 * np.pi / P
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1).reshape(len(phases), -1)


def neurons() -> tuple[np.ndarray, np.ndarray]:
    """Return W_in and W_out: one neuron per key and pair of phases on the grid."""
    columns, rows = [], []
    phases = np.arange(GRID) * 2 * np.pi / GRID
    for k in range(len(KEYS)):
        for a in phases:
            for b in phases:
                read, write = np.zeros(6 * len(KEYS)), np.zeros(6 * len(KEYS))
                # cos(w x − a) + cos(w y − b), with x's circle = sum − operand y
                of_x, of_y = [np.cos(a), np.sin(a)], [np.cos(b), np.sin(b)]
                read[SUM[2 * k : 2 * k + 2]] = of_x
                read[OPERAND[2 * k : 2 * k + 2]] = np.subtract(of_y, of_x)
                write[ANSWER[2 * k : 2 * k + 2]] = [np.cos(a + b), np.sin(a + b)]
                columns.append(read)
                rows.append(write)
    return np.stack(columns, axis=1), np.stack(rows)


@pytest.fixture(scope="module")
def clock(network: Callable[..., Model]) -> Model:
    W_in, W_out = neurons()
    model = network(p=P, d_model=W_in.shape[0], heads=1, d_mlp=W_in.shape[1])
    weights = {name: np.zeros(W.shape, np.float32) for name, W in named_weights(model).items()}
    weights["W_E"][:P, OPERAND] = circles(np.arange(P))
    # no query: each of the three positions gets 1/3, which W_V undoes
    weights["W_V"][0, OPERAND, OPERAND] = 3
    weights["W_O"][0, OPERAND, SUM] = 1
    weights["W_in"][:], weights["W_out"][:] = W_in, W_out
    weights["W_U"][ANSWER] = circles(np.arange(P)).T
    return with_weights(model, weights)


def test_clock_is_a_sum_of_cosines_and_always_right(clock: Model) -> None:
    x, y = np.divmod(np.arange(P * P), P)
    tokens = np.stack([x, np.full_like(x, P), y], axis=1)
    logits = np.asarray(clock(jnp.asarray(tokens, jnp.int32)))
    turned = (x + y)[:, None] - np.arange(P)
    expected = sum(np.cos(2 * np.pi * k * turned / P) for k in KEYS)
    scale = np.sum(logits * expected) / np.sum(expected**2)
    assert_allclose(logits / scale, expected, atol=0.01)
    assert (logits.argmax(axis=1) == (x + y) % P).all()


def test_only_the_keys_are_in_its_embedding_and_its_readout(clock: Model) -> None:
    # a cosine and a sine for each key, of p − 1 components
    share = 2 * len(KEYS) / (P - 1)
    for table in (clock.W_E[:P], clock.neuron_logit_map):
        assert_allclose(fourier_frequency_sparsity(table), share, rtol=1e-6)
        assert_allclose(fourier_frequency_sparsity(np.asarray(table)), share, rtol=1e-12)
