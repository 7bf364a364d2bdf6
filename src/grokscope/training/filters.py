"""Filters of the gradient: Grokfast and ⊥Grad."""

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


def orthogonal_gradients() -> optax.GradientTransformation:
    """Return the projection of every matrix's gradient on what is orthogonal to the matrix.

    After memorisation a gradient mostly asks for larger logits, that is for the same weights
    times a number; without that component the loss must fall in another way.

    **Returns:** a transformation of the gradient, before weight decay and optimiser, that needs
    the weights. Each tensor is projected by itself (the heads of an attention matrix together),
    as in the authors' code; the paper's formula has all weights as one vector. The code also
    stretches the result to the length that the gradient had; the formula does not, nor do we.

    **Source:** Prieto, Barsbey, Mediano and Birdal 2025, arXiv 2501.04697, Section 5.
    """

    def init(params: Any) -> optax.OptState:
        del params
        return optax.EmptyState()

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        return jax.tree_util.tree_map(_project, updates, params), state

    return optax.GradientTransformation(init, update)


def _project(g: Array, w: Array) -> Array:
    # g⊥ = g − (w·g / w·w) w; weights that are all zero have no direction
    squared = jnp.sum(w * w)
    along = jnp.sum(w * g) / jnp.where(squared > 0, squared, 1.0)
    return g - along * w
