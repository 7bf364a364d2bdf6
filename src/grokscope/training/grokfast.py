"""Grokfast: the slow part of the gradient, made stronger."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, PyTree


class GrokfastState(NamedTuple):
    """What Grokfast remembers of the gradients so far."""

    slow: PyTree
    """Their running mean μ, one array per matrix."""
    seen: Int[Array, ""]
    """How many there were."""


def grokfast(strength: float, alpha: float) -> optax.GradientTransformation:
    """Return the filter g + λ·μ, with μ an exponential moving average of the gradients.

    **Arguments:**

    - `strength`: λ, how many times the average is added; 2 in the authors' code.
    - `alpha`: α, the share of the average that is kept from step to step; 0.98 there.

    **Returns:** a transformation of the loss's gradient, before weight decay and optimiser. The
    average begins with the first gradient itself, as in the authors' code, and not with 0.

    **Source:** Lee, Kang, Kim and Lee 2024, arXiv 2405.20233, Grokfast-EMA;
    `gradfilter_ema` of github.com/ironjr/grokfast.
    """

    def init(params: Any) -> GrokfastState:
        return GrokfastState(jax.tree_util.tree_map(jnp.zeros_like, params), jnp.int32(0))

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, GrokfastState]:
        del params
        first = state.seen == 0

        def remember(g: Array, mu: Array) -> Array:
            # μ_1 = g_1; μ_t = α·μ_{t−1} + (1 − α)·g_t
            return jnp.where(first, g, alpha * mu + (1 - alpha) * g)

        slow = jax.tree_util.tree_map(remember, updates, state.slow)
        # ĝ = g + λ·μ
        filtered = jax.tree_util.tree_map(lambda g, mu: g + strength * mu, updates, slow)
        return filtered, GrokfastState(slow, state.seen + 1)

    return optax.GradientTransformation(init, update)
