"""Where the last position looks."""

import numpy as np
from jaxtyping import Array, Float

from grokscope.errors import UsageError
from grokscope.explain.pairs import over_pairs
from grokscope.models import MLP, Model


def attention_patterns(
    model: Model, layer: int = -1, task: int = 0
) -> Float[np.ndarray, "head pos p p"]:
    """Return how much each head, at the last position, attends to x, op and y.

    **Arguments:**

    - `model`: a transformer.
    - `layer`: which block, the last by default.
    - `task`: which operation of a mixture, from 0.

    **Returns:** weights from 0 to 1 at [head, position, x, y]; those of the three positions
    x, op, y sum to 1. What a head looking from y gives to x is `[head, 0]`.

    **Raises:** `UsageError` for a network without attention and for a block that does not exist.
    """
    if isinstance(model, MLP):
        raise UsageError("an MLP has no attention", allowed="transformers")
    n_layers = len(model.blocks)
    if not -n_layers <= layer < n_layers:
        raise UsageError("no such block", got=layer, allowed=f"0 to {n_layers - 1}")
    name = f"blocks.{layer % n_layers}.pattern"

    def read(_: Array, activations: dict[str, Array]) -> Array:
        return activations[name][:, :, -1]

    blocks = list(over_pairs(model, read, task))
    return np.moveaxis(np.concatenate(blocks), (2, 3), (0, 1))


def mean_attention(patterns: Float[np.ndarray, "head pos p p"]) -> Float[np.ndarray, "head pos"]:
    """Return the mean over all pairs of what each head gives to each position."""
    return patterns.mean(axis=(2, 3))
