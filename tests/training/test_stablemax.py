"""StableMax's loss and gradient in float32 against the formula in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.training.losses import stablemax_cross_entropy


def exactly(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return −log(s_y / Σ s) and its gradient, s'_j · (1 / Σ s − [j = y] / s_y), in float64."""
    x = logits.astype(np.float64)
    with np.errstate(divide="ignore"):
        s = np.where(x >= 0, x + 1, 1 / (1 - x))
        slope = np.where(x >= 0, 1.0, 1 / (1 - x) ** 2)
    rows = np.arange(len(x))
    others = s.copy()
    others[rows, labels] = 0
    own, rest = s[rows, labels], others.sum(axis=1)
    gradient = slope / (own + rest)[:, None]
    # 1 / Σ s − 1 / s_y = −rest / (s_y · Σ s), without cancellation
    gradient[rows, labels] = -slope[rows, labels] * rest / (own * (own + rest))
    return np.log1p(rest / own), gradient


@jax.jit
def ours(logits: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array]:
    def total(logits: jax.Array) -> tuple[jax.Array, jax.Array]:
        loss = stablemax_cross_entropy(logits, labels)
        return jnp.sum(loss), loss

    gradient, loss = jax.grad(total, has_aux=True)(logits)
    return loss, gradient


def agree(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compare with the exact numbers and return the exact losses."""
    logits, labels = np.asarray(logits, np.float32), np.asarray(labels, np.int32)
    exact = exactly(logits, labels)
    for found, expected in zip(ours(logits, labels), exact, strict=True):
        assert_allclose(found, expected, rtol=2e-5, atol=1e-30)
    return exact[0]


@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0, 1e4, 1e8])
@pytest.mark.parametrize("n_classes", [2, 97])
def test_value_and_gradient_at_every_size(size: float, n_classes: int) -> None:
    rng = np.random.default_rng(n_classes)
    logits = size * rng.normal(size=(40, n_classes))
    agree(logits, rng.integers(n_classes, size=40))


def test_a_confident_answer_keeps_its_gradient() -> None:
    """Where softmax has none left: that is what it is for."""
    logits = np.full((1, 97), -2000.0)
    logits[0, 3] = 5000
    (loss,) = agree(logits, np.array([3]))
    assert_allclose(loss, 96 / 2001 / 5001, rtol=1e-4)
    _, gradient = ours(logits.astype(np.float32), np.array([3], np.int32))
    assert (np.asarray(gradient) != 0).all()
    assert not np.exp(np.float32(-7000))


def test_where_the_two_branches_meet_and_at_one() -> None:
    # s(0) = 1 and s'(0) = 1 from either side; 1 / (1 − x) has its pole where x + 1 is used
    agree(np.array([[0.0, 1.0, -1.0], [1.0, 0.0, 1e-7]]), np.array([0, 1]))
    equal = agree(np.zeros((2, 5)), np.array([0, 4]))
    assert_allclose(equal, np.log(5), rtol=1e-12)


def test_an_answer_that_is_ruled_out_has_no_share() -> None:
    loss, gradient = ours(np.array([[1.0, -np.inf, 0.0]], np.float32), np.array([0], np.int32))
    assert_allclose(loss, np.log(3 / 2), rtol=1e-6)
    assert gradient[0, 1] == 0


@pytest.mark.parametrize(
    "row", [[np.nan, 0, 0], [0, np.nan, 0], [np.inf, 0, 0], [0, np.inf, 0], [-np.inf, 0, 0]]
)
def test_broken_logits_never_give_a_finite_loss(row: list[float]) -> None:
    loss, _ = ours(np.array([row], np.float32), np.array([0], np.int32))
    assert not np.isfinite(loss).any()
