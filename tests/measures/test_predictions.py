"""The loss in float32 against 60 digits, value and gradient, from hopeless to very confident."""

from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.measures.predictions import cross_entropy

SMALLEST = 1.2e-38
"""The smallest normal number of float32: a probability below it may become 0."""


def exactly(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return losses and their gradients: −log softmax and softmax − one-hot, in 60 digits."""
    losses, gradients = [], []
    with mpmath.workdps(60):
        for row, label in zip(logits.astype(float), labels, strict=True):
            powers = [mpmath.exp(mpmath.mpf(value)) for value in row]
            total = mpmath.fsum(powers)
            losses.append(float(mpmath.log(total / powers[label])))
            gradients.append([float(q / total - (j == label)) for j, q in enumerate(powers)])
    return np.array(losses), np.array(gradients)


@jax.jit
def ours(logits: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array]:
    def total(logits: jax.Array) -> tuple[jax.Array, jax.Array]:
        loss = cross_entropy(logits, labels)
        return jnp.sum(loss), loss

    gradient, loss = jax.grad(total, has_aux=True)(logits)
    return loss, gradient


def agree(logits: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Compare with the exact numbers and return those."""
    logits, labels = np.asarray(logits, np.float32), np.asarray(labels, np.int32)
    exact = exactly(logits, labels)
    for found, expected in zip(ours(logits, labels), exact, strict=True):
        assert_allclose(found, expected, rtol=1e-5, atol=SMALLEST * logits.shape[1])
    return exact


def with_margins(margins: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return logits whose right answer leads the best wrong one by each margin."""
    rng = np.random.default_rng(n_classes)
    logits = 3 * rng.normal(size=(len(margins), n_classes))
    labels = rng.integers(n_classes, size=len(margins))
    rows = np.arange(len(margins))
    logits[rows, labels] = -np.inf
    logits[rows, labels] = logits.max(axis=1) + margins
    return logits.astype(np.float32), labels


@pytest.mark.parametrize("n_classes", [2, 97, 1009])
def test_value_and_gradient_at_every_margin(n_classes: int) -> None:
    step = 2.5 if n_classes < 1000 else 20
    losses, _ = agree(*with_margins(np.arange(-100, 80.1, step), n_classes))
    assert losses.min() < 1e-33
    assert losses.max() > 99


def test_a_loss_of_a_trillionth_keeps_its_digits() -> None:
    # log(1 + e^−d) = 1e-12
    d = -np.log(np.expm1(1e-12))
    losses, gradients = agree([[d, 0], [0, d]], [0, 1])
    assert_allclose(losses, 1e-12, rtol=1e-5)
    assert_allclose(gradients[0], [-1e-12, 1e-12], rtol=1e-5)


def test_beyond_the_range_of_float32_the_loss_is_zero_or_linear() -> None:
    logits, labels = with_margins(np.array([85.0, 95, 110, 500, 1e4, -150, -1e4, -1e30]), 7)
    losses, _ = agree(logits, labels)
    assert 0 < losses[0] < 1e-36
    assert losses[3] < 1e-200
    assert_allclose(losses[6], 1e4, rtol=1e-3)


def test_ties_and_a_common_offset() -> None:
    # all equal: log n; the right answer tied with one other: log 2
    logits = np.zeros((4, 5), np.float32)
    logits[1, :2] = 40
    logits[2] = 1e4
    logits[3] = -3e4
    losses, _ = agree(logits, [0, 1, 2, 3])
    assert_allclose(losses, [np.log(5), np.log(2), np.log(5), np.log(5)], rtol=1e-12)
    spread = (np.random.default_rng(0).integers(-30, 30, size=(20, 9)) / 2).astype(np.float32)
    labels = np.arange(20) % 9
    # offsets that float32 adds without rounding
    for offset in (0, 4096, -65536):
        agree(spread + np.float32(offset), labels)


@pytest.mark.parametrize("margin", [18.0, 25.0, 60.0])
def test_the_usual_formula_fails_where_this_one_does_not(margin: float) -> None:
    logits, labels = np.array([[margin, 0, 0]], np.float32), np.array([0], np.int32)
    exact, exact_gradient = agree(logits, labels)

    def usual(logits: jax.Array) -> jax.Array:
        return jax.nn.logsumexp(logits[0]) - logits[0, 0]

    value, gradient = jax.value_and_grad(usual)(jnp.asarray(logits))
    assert abs(value - exact[0]) > 0.5 * exact[0]
    assert abs(gradient[0, 0] - exact_gradient[0, 0]) > 0.5 * abs(exact_gradient[0, 0])


def test_gradient_is_scaled_by_what_comes_from_above() -> None:
    logits, labels = with_margins(np.array([-3.0, 0, 2, 30]), 5)
    weights = np.array([0.5, -2, 0, 1e3], np.float32)
    found = jax.grad(lambda a: jnp.sum(cross_entropy(a, jnp.asarray(labels)) * weights))(
        jnp.asarray(logits)
    )
    expected = exactly(logits, labels)[1] * weights[:, None]
    assert_allclose(found, expected, rtol=1e-5, atol=5 * SMALLEST)


@pytest.mark.parametrize(
    "row",
    [[np.nan, 0, 0], [0, np.nan, 0], [np.inf, 0, 0], [0, np.inf, 0], [np.nan] * 3, [np.inf] * 3],
)
def test_broken_logits_never_give_a_finite_loss(row: list[float]) -> None:
    loss, _ = ours(np.array([row], np.float32), np.array([0], np.int32))
    assert not np.isfinite(loss).any()
