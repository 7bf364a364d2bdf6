"""Tokens as people hand them to a network, checked: JAX answers for tokens that do not exist.

An index that is too large reads the last row of W_E, a negative one counts from the end.
"""

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int, Shaped

from grokscope.errors import UsageError
from grokscope.models.activations import Edit

_POSITIONS: Final = 3
_Read = TypeVar("_Read")


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a network reads for every pair, x by x, and where the residues stand in it.

    **Arguments:**

    - `tokens`: what stands at each position.
    - `at_x`, `at_y`: positions of x and of y.
    - `first_x`, `first_y`: the tokens of the residue 0 there.
    """

    tokens: Int[np.ndarray, "pair pos"]
    at_x: int
    at_y: int
    first_x: int = 0
    first_y: int = 0

    def moved(self, first_x: int, first_y: int) -> Int[np.ndarray, "pair pos"]:
        """Return the inputs with other tokens for the residues, those from `first_x` on for x."""
        tokens = self.tokens.copy()
        tokens[:, self.at_x] += first_x - self.first_x
        tokens[:, self.at_y] += first_y - self.first_y
        return tokens


def operation_inputs(p: int, n_tasks: int, operation_index: int = 0) -> Inputs:
    """Return the inputs x, op, y of all pairs for one operation of a mixture, from 0.

    **Raises:** `UsageError` for an operation that there is no operator token for.
    """
    if not 0 <= operation_index < n_tasks:
        raise UsageError("no such operation", got=operation_index, allowed=f"0 to {n_tasks - 1}")
    x, y = np.divmod(np.arange(p**2), p)
    tokens = np.stack([x, np.full_like(x, p + operation_index), y], axis=1)
    return Inputs(tokens.astype(np.int32), 0, 2)


def on_batch(
    tokens: Any,
    W_E: Float[Array, "token column"],
    W_U: Float[Array, "... class"],
    forward: Callable[[Int[Array, "example pos"]], _Read],
    positions: int = _POSITIONS,
) -> _Read:
    """Run a forward pass on checked tokens; what it reads in one example alone has no example axis.

    Inside `jit`, `vmap` and `grad` tokens have no values yet: there only shape and type are
    checked, and the compiled program is that of `forward` alone.

    **Arguments:**

    - `tokens`: x, operator, y, or several of these; lists, NumPy or JAX.
    - `W_E`, `W_U`: of the network; their sizes are those of the vocabulary and of the answers.
    - `forward`: from a batch of examples to arrays whose first axis is the example.
    - `positions`: tokens of an example.

    **Raises:** `UsageError` for another shape, for what are no whole numbers, and for a token
    that is not in the vocabulary.
    """
    array = tokens if isinstance(tokens, jax.Array) else _from_python(tokens)
    _check(array, len(W_E), W_U.shape[1], positions)
    batch = array if isinstance(array, jax.Array) else jnp.asarray(array.astype(np.int32))
    if batch.ndim == 2:
        return forward(batch)
    return jax.tree_util.tree_map(lambda values: values[0], forward(batch[None]))


def _from_python(tokens: Any) -> Shaped[np.ndarray, "..."]:
    try:
        return np.asarray(tokens)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(
            "tokens are not an array", got=tokens, allowed="[x, operator, y], or a list of these"
        ) from error


def _check(array: Shaped[Any, "..."], n_tokens: int, p: int, positions: int) -> None:
    if array.ndim not in (1, 2) or array.shape[-1] != positions:
        ours = " for x, operator, y" if positions == _POSITIONS else ""
        raise UsageError(
            "tokens have the wrong shape",
            got=array.shape,
            allowed=f"({positions},){ours}, or (examples, {positions})",
        )
    if not jnp.issubdtype(array.dtype, jnp.integer):
        raise UsageError("tokens are not usable", got=str(array.dtype), allowed="whole numbers")
    if isinstance(array, Tracer):
        return
    values = np.asarray(array)
    unknown = values[(values < 0) | (values >= n_tokens)]
    if unknown.size:
        raise UsageError(
            "the network has no such token",
            got=int(unknown[0]),
            allowed=f"0 to {n_tokens - 1}, operators from {p} on",
        )


class TokenModel(eqx.Module):
    """What networks of ours share: they read x, an operator and y, and answer with a residue."""

    W_E: eqx.AbstractVar[Float[Array, "token column"]]
    W_U: eqx.AbstractVar[Float[Array, "column class"]]

    def trace(
        self, tokens: Any, edits: Mapping[str, Edit] | None = None
    ) -> tuple[Float[Array, "... class"], dict[str, Array]]:
        """Run the plain forward pass, with every activation named and editable.

        **Arguments:**

        - `tokens`: x, operator, y of each example, or of one alone; lists, NumPy or JAX.
        - `edits`: functions by activation name, for instance
          `{"blocks.0.mlp_post": lambda a: a.at[..., 7].set(0)}`.

        **Returns:** the logits, and all activations by name.

        **Raises:** `UsageError` for tokens that the network does not have, and for an edit of an
        unknown activation.
        """
        return on_batch(tokens, self.W_E, self.W_U, lambda batch: self._trace(batch, edits))

    @abc.abstractmethod
    def _trace(
        self, tokens: Int[Array, "example pos"], edits: Mapping[str, Edit] | None
    ) -> tuple[Float[Array, "example class"], dict[str, Array]]:
        """Return logits and activations of a batch."""

    @property
    def p(self) -> int:
        """Number of residues."""
        return self.W_U.shape[1]

    @property
    def residues(self) -> Float[Array, "p column"]:
        """The rows of W_E that stand for residues."""
        return self.W_E[: self.p]

    def inputs(self, operation_index: int = 0) -> Inputs:
        """Return the inputs of all pairs; raises `UsageError` for an unknown operation."""
        return operation_inputs(self.p, len(self.W_E) - self.p, operation_index)
