"""What training can minimise: cross-entropy that keeps its gradient in float32, and StableMax."""

from collections.abc import Callable
from typing import Final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from grokscope.config.optimizer import Loss

_Residuals = tuple[Float[Array, "example class"], Bool[Array, "example class"]]


@jax.custom_vjp
def cross_entropy(
    logits: Float[Array, "example class"], labels: Int[Array, "example"]
) -> Float[Array, "example"]:
    """Return −log softmax(logits)[label] with a small relative error, however small it is.

    The usual log Σ exp(l) − l_label cancels in float32: at a margin of 20 nothing is left of
    the loss (2e-9) and of its gradient, and training shows spikes. Here only the differences
    to the right answer enter, so that float32 gives what the paper needs float64 for.

    **Arguments:**

    - `logits`: one row per example.
    - `labels`: the right class of each example.

    **Returns:** the loss of each example, in nats; −log p(label).

    **Source:** arXiv 2402.16726, Appendix A, asks for float64; the formula is ours.
    """
    return _forward(logits, labels)[0]


def _forward(
    logits: Float[Array, "example class"], labels: Int[Array, "example"]
) -> tuple[Float[Array, "example"], _Residuals]:
    right = labels[:, None] == jnp.arange(logits.shape[1], dtype=labels.dtype)[None]
    own = jnp.sum(jnp.where(right, logits, 0.0), axis=1, keepdims=True)
    # m = max_j l_j keeps every exponential at most 1
    top = jnp.max(logits, axis=1, keepdims=True)
    wrong = jnp.where(right, 0.0, jnp.exp(logits - top))
    rest = jnp.sum(wrong, axis=1, keepdims=True)
    total = jnp.exp(own - top) + rest
    # loss = m − l_label + log Σ_j e^{l_j − m}; where the answer is right, the sum is 1 + rest
    loss = top - own + jnp.where(top > own, jnp.log(total), jnp.log1p(rest))
    return loss[:, 0], (wrong / total, right)


def _backward(
    residuals: _Residuals, gradient: Float[Array, "example"]
) -> tuple[Float[Array, "example class"], None]:
    probability, right = residuals
    # ∂loss/∂l_j = p_j for the wrong answers, −Σ_j p_j for the right one (not p_label − 1)
    wrong = probability * gradient[:, None]
    return jnp.where(right, -jnp.sum(wrong, axis=1, keepdims=True), wrong), None


cross_entropy.defvjp(_forward, _backward)


def stablemax_cross_entropy(
    logits: Float[Array, "example class"], labels: Int[Array, "example"]
) -> Float[Array, "example"]:
    """Return −log( s(l_label) / Σ_j s(l_j) ), where s takes the place of exp.

    s grows as slowly as x + 1, so that a loss near 0 takes logits in the thousands, and the
    gradient of a pair that is right already does not vanish.

    **Arguments:**

    - `logits`: one row per example.
    - `labels`: the right class of each example.

    **Returns:** the loss of each example, in nats; not finite where the right logit is not.

    **Source:** Prieto, Barsbey, Mediano and Birdal 2025, arXiv 2501.04697, Section 4.
    """
    right = labels[:, None] == jnp.arange(logits.shape[1], dtype=labels.dtype)[None]
    s = _s(logits)
    own = jnp.sum(jnp.where(right, s, 0.0), axis=1)
    rest = jnp.sum(jnp.where(right, 0.0, s), axis=1)
    # −log(own / (own + rest)) = log(1 + rest / own), which keeps the digits of a small loss
    loss = jnp.log1p(rest / own)
    return jnp.where(jnp.isfinite(own), loss, jnp.nan)


def _s(x: Float[Array, "example class"]) -> Float[Array, "example class"]:
    # s(x) = x + 1 for x ≥ 0, 1 / (1 − x) for x < 0; each side sees only its own numbers, so that
    # no gradient is formed where the other one divides by 0
    below = jnp.where(x < 0, x, 0.0)
    return jnp.where(x < 0, 1 / (1 - below), x + 1)


LOSSES: Final[dict[Loss, Callable[..., Float[Array, "example"]]]] = {
    "cross_entropy": cross_entropy,
    "stablemax": stablemax_cross_entropy,
}
"""Each is a function (logits, labels) → the loss of every example, in nats."""
