"""Every pair (x, y) through a network, a few rows x at a time, so that memory stays small."""

from collections.abc import Callable, Iterator
from typing import Final

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from grokscope.errors import UsageError
from grokscope.models import Model, named_weights

PAIRS_PER_BLOCK: Final = 4096

Read = Callable[[Array, dict[str, Array]], Array]
"""What to keep of a pass: (logits, activations by name) → an array with one row per pair."""


def modulus(model: Model) -> int:
    """Return p, the number of answers."""
    return model.W_U.shape[1]


def not_finite(model: Model) -> str:
    """Return which matrix of a network is not finite, "" where all are.

    W_L = W_U·W_out can overflow where neither factor has.
    """
    for name, W in named_weights(model).items():
        if not np.isfinite(W).all():
            return name
    return "" if np.isfinite(model.neuron_logit_map).all() else "W_L"


def over_pairs(model: Model, read: Read, task: int = 0) -> Iterator[Float[np.ndarray, "p p ..."]]:
    """Run all p² pairs, block by block.

    **Arguments:**

    - `model`: the network.
    - `read`: picks what is kept of the logits and activations of `model.trace`.
    - `task`: which operation of a mixture, from 0.

    **Returns:** for each block its first axis: the next few x, its second: all y, then what
    `read` gives per pair.

    **Raises:** `UsageError` for a task that the network has no operator token for.
    """
    p, n_tasks = modulus(model), model.W_E.shape[0] - modulus(model)
    if not 0 <= task < n_tasks:
        raise UsageError("no such operation", got=task, allowed=f"0 to {n_tasks - 1}")
    rows = max(1, min(p, PAIRS_PER_BLOCK // p))

    @eqx.filter_jit
    def run(model: Model, tokens: Int[Array, "pair pos"]) -> Array:
        return read(*model.trace(tokens))

    for start in range(0, p, rows):
        # the last block repeats x = p − 1, so that all have one shape and one compiled program
        x = np.minimum(np.arange(start, start + rows), p - 1)
        found = np.asarray(run(model, jnp.asarray(_tokens(x, p, task))))
        yield found.reshape(rows, p, *found.shape[1:])[: p - start]


def _tokens(x: Int[np.ndarray, "p"], p: int, task: int) -> Int[np.ndarray, "pair 3"]:
    """Return the inputs x, op, y of some x with all y."""
    x, y = np.repeat(x, p), np.tile(np.arange(p), len(x))
    return np.stack([x, np.full_like(x, p + task), y], axis=1).astype(np.int32)
