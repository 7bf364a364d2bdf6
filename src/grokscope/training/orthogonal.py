"""⊥Grad: steps that do not merely scale the weights up."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array


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
