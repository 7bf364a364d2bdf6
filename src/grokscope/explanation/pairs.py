"""Every pair (x, y) through a network, a few rows x at a time, so that memory stays small."""

from collections.abc import Callable, Iterator
from typing import Final

import equinox as eqx
import jax
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


def over_pairs(
    model: Model, read: Read, operation_index: int = 0
) -> Iterator[Float[np.ndarray, "p p ..."]]:
    """Run all p² pairs, block by block.

    **Arguments:**

    - `model`: the network.
    - `read`: picks what is kept of the logits and activations of `model.trace`.
    - `operation_index`: which operation of a mixture, from 0.

    **Returns:** for each block its first axis: the next few x, its second: all y, then what
    `read` gives per pair.

    **Raises:** `UsageError` for an operation that the network has no operator token for.
    """
    p = modulus(model)

    def run(model: Model, tokens: Int[Array, "pair pos"]) -> Array:
        return read(*model.trace(tokens))

    # whole rows x, so that a block has two axes
    rows = max(1, min(p, PAIRS_PER_BLOCK // p))
    for found in in_blocks(model, all_tokens(model, operation_index), run, rows * p):
        yield found.reshape(-1, p, *found.shape[1:])


def all_tokens(model: Model, operation_index: int = 0) -> Int[np.ndarray, "pair 3"]:
    """Return the inputs x, op, y of all pairs, x by x.

    **Raises:** `UsageError` for an operation that the network has no operator token for.
    """
    p, n_tasks = modulus(model), model.W_E.shape[0] - modulus(model)
    if not 0 <= operation_index < n_tasks:
        raise UsageError("no such operation", got=operation_index, allowed=f"0 to {n_tasks - 1}")
    x, y = np.divmod(np.arange(p**2), p)
    return np.stack([x, np.full_like(x, p + operation_index), y], axis=1).astype(np.int32)


def in_blocks(
    model: Model,
    tokens: Int[np.ndarray, "pair pos"],
    run: Callable[[Model, Int[Array, "pair pos"]], Array],
    size: int,
) -> Iterator[Float[np.ndarray, "pair ..."]]:
    """Run a network on some inputs, so many at a time.

    **Arguments:** the network; its inputs; what leads from both to an array with one row per
    input; inputs per block.
    """
    last, compiled = len(tokens) - 1, eqx.filter_jit(run)
    size = min(size, len(tokens))
    for start in range(0, len(tokens), size):
        # the last block repeats the last input, so that all have one shape and one program
        block = tokens[np.minimum(np.arange(start, start + size), last)]
        with jax.default_matmul_precision("float32"):
            found = np.asarray(compiled(model, jnp.asarray(block)))
        yield found[: len(tokens) - start]
