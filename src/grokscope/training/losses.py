"""What training can minimise: cross-entropy that keeps its gradient in float32, and StableMax."""

from collections.abc import Callable
from typing import Final

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from grokscope.config.optimizer import Loss
from grokscope.measures.predictions import cross_entropy


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
