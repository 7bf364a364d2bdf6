"""Table A.4 inside the training program: losses of the logits' parts, by frequency of the sum.

The definition is that of `grokscope.explanation.logits`; here it is in JAX, and the key
frequencies may change from one call to the next.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.sparse.linalg import cg
from jaxtyping import Array, Bool, Float, Int, Int8

from grokscope.explanation.in_basis import SumLogits
from grokscope.explanation.logits import ROWS
from grokscope.fourier.arrays import to_jax
from grokscope.fourier.basis import Basis
from grokscope.fourier.waves import all_frequencies
from grokscope.measures.predictions import cross_entropy
from grokscope.models import Model
from grokscope.tasks import TEST_LEAKED, TRAIN, UNDEFINED, Task

SIDES: Final = ("train", "test")
_NAMES: Final = {row: f"table_a4_{row}" for row in ROWS} | {
    name: name for name in ("trigonometric_loss", "excluded_loss")
}
LOSSES: Final = tuple(f"{name}_{side}" for name in _NAMES.values() for side in SIDES)
"""The names of the mean losses that `TableA4` gives, in nats."""
_PAIRS_PER_BLOCK: Final = 16384
_TOLERANCE: Final = 1e-6
"""Share of the right side that may be left of it when the waves are fitted, in float32."""
_MOST_TURNS: Final = 200


class Seen(NamedTuple):
    """What Table A.4 is computed from."""

    model: Model
    keys: Bool[Array, "freq"]
    """The key frequencies."""
    kind: Int8[Array, "pair"]
    """The side of each pair, as in `Split.kind`."""
    logits: Float[Array, "pair class"] | None = None
    """Of all p² pairs, where they are known; otherwise they are computed, block by block."""


class _Pairs(NamedTuple):
    """The defined pairs, or a block of them; pairs that fill up the last block have sum n."""

    tokens: Int[Array, "example pos"]
    labels: Int[Array, "example"]
    sums: Int[Array, "example"]
    kind: Int8[Array, "example"]


class _Tables(NamedTuple):
    """Parts of the logits as functions of the sum, 0 for answers that no sum leads to."""

    key: Float[Array, "n class"]
    other: Float[Array, "n class"]
    trigonometric: Float[Array, "n class"]


class TableA4(eqx.Module):
    """The losses of one operation, as a tree of arrays: operations of equal shapes share programs.

    **Arguments:**

    - `task`: what is learned.
    - `number`: which of its operations.
    - `matched`: the structure of that operation.

    **Source:** Furuta et al., arXiv 2402.16726, Table A.4; Nanda et al., arXiv 2301.05217.
    """

    _index: Int[Array, "pair"]
    _pairs: _Pairs
    _fit: "_Fit"

    def __init__(self, task: Task, number: int, matched: Basis) -> None:
        pair = np.flatnonzero(matched.defined.ravel() & task.defined)
        tokens, labels = task.tokens()[number][pair], matched.labels.ravel()[pair]
        sums = matched.sums.ravel()[pair]
        self._index = to_jax(pair, np.int32)
        answers, total = to_jax(labels, np.int32), to_jax(sums, np.int32)
        nowhere = to_jax(np.zeros(len(pair)), np.int8)
        self._pairs = _Pairs(to_jax(tokens, np.int32), answers, total, nowhere)
        self._fit = _Fit(matched, sums)

    def __call__(self, seen: Seen) -> dict[str, Float[Array, ""]]:
        """Return the `LOSSES` by name; nan where a side has no pair."""
        fit, pairs = self._fit, self._pairs._replace(kind=seen.kind[self._index])

        def over_pairs(sums_of: Callable[[Float[Array, "example class"], _Pairs], Any]) -> Any:
            if seen.logits is not None:
                every = len(self._index) == len(seen.logits)
                return sums_of(seen.logits if every else seen.logits[self._index], pairs)
            blocks = jax.lax.map(lambda b: sums_of(seen.model(b.tokens), b), _blocks(pairs, fit.n))
            return jax.tree_util.tree_map(lambda a: jnp.sum(a, axis=0), blocks)

        total, counts = over_pairs(fit.totals)
        tables = fit.tables(total, seen.keys)
        of_pairs = over_pairs(lambda logits, pairs: fit.losses_of_pairs(logits, tables, pairs))
        whole = fit.losses_of_sums(tables, counts) | of_pairs
        n_pairs = jnp.sum(counts, axis=0)
        return {
            f"{name}_{side}": loss
            for row, name in _NAMES.items()
            for side, loss in zip(SIDES, whole[row] / n_pairs, strict=True)
        }


class _Fit(eqx.Module):
    """What the structure alone determines: waves of the sum, and how to fit them.

    **Arguments:**

    - `matched`: the structure.
    - `sums`: u(x) + v(y) of each defined pair.
    """

    n: int = eqx.field(static=True)
    _n_answers: Float[Array, ""]
    _inside: Bool[Array, "class"]
    _counts: Float[Array, "n"]
    _share: Float[Array, "n"]
    _waves: Float[Array, "n mode"]
    _weighted: Float[Array, "mode n"]
    _gram: Float[Array, "mode mode"]
    _planes: Float[Array, "freq class 2"]
    _answers: Int[Array, "n"]

    def __init__(self, matched: Basis, sums: Int[np.ndarray, "pair"]) -> None:
        known = SumLogits(sums, np.zeros((len(sums), 1)), matched.n)
        waves, share = known.waves(all_frequencies(matched.n)), known.counts / len(sums)
        self.n = matched.n
        self._n_answers = to_jax(matched.answers.inside.sum(), np.float32)
        self._inside = to_jax(matched.answers.inside, bool)
        self._counts = to_jax(np.maximum(known.counts, 1), np.float32)
        self._share = to_jax(share, np.float32)
        self._waves = to_jax(waves, np.float32)
        # XᵀN, and the Gram matrix XᵀNX
        self._weighted = to_jax(waves.T * share, np.float32)
        self._gram = to_jax(waves.T * share @ waves, np.float32)
        self._planes = to_jax(matched.answers.parts[0], np.float32)
        self._answers = to_jax(matched.structure.g, np.int32)

    def totals(
        self, logits: Float[Array, "example class"], pairs: _Pairs
    ) -> tuple[Float[Array, "n class"], Float[Array, "n 2"]]:
        """Return, per sum, the sum of the centred logits and the number of pairs of each side."""
        logits = jnp.where(self._inside[None], logits, 0.0)
        # without their mean over the answers that some sum leads to
        mean = jnp.sum(logits, axis=1, keepdims=True) / self._n_answers
        centred = jnp.where(self._inside[None], logits - mean, 0.0)
        sides = _sides(pairs.kind).astype(logits.dtype).T
        return self._over_sums(centred, pairs), self._over_sums(sides, pairs)

    def _over_sums(
        self, rows: Float[Array, "example column"], pairs: _Pairs
    ) -> Float[Array, "n column"]:
        """Return, per sum, the sum of the rows of its pairs; pairs of sum n are left out."""
        if len(rows) == _PAIRS_PER_BLOCK:  # a product with n × pairs zeros and ones takes too long
            return jax.ops.segment_sum(rows, pairs.sums, num_segments=self.n)
        return (pairs.sums[None] == jnp.arange(self.n)[:, None]).astype(rows.dtype) @ rows

    def tables(self, total: Float[Array, "n class"], keys: Bool[Array, "freq"]) -> _Tables:
        """Return the parts of the logits for these key frequencies."""
        mean = total / self._counts[:, None]
        bias = self._share @ mean
        chosen = jnp.repeat(keys, 2).astype(mean.dtype)[:, None]
        # least squares over pairs: XᵀNX C = XᵀN M, with N the number of pairs per sum. Where pairs
        # are spread evenly over the sums XᵀNX is diagonal: conjugate gradients need few turns, and
        # give the smallest solution where waves are dependent.
        coefficients, _ = cg(
            lambda c: chosen * (self._gram @ (chosen * c)),
            chosen * (self._weighted @ mean),
            tol=_TOLERANCE,
            maxiter=_MOST_TURNS,
        )
        key = self._waves @ coefficients
        return _Tables(key, mean - bias[None] - key, self._waves @ self._projected(coefficients))

    def _projected(self, coefficients: Float[Array, "mode class"]) -> Float[Array, "mode class"]:
        """Return the coefficients' parts along cos and sin of k times the answer's coordinate."""
        pairs = coefficients.reshape(len(self._planes), 2, -1)
        # C_k P_k P_kᵀ at every frequency k
        along = jnp.einsum("kwc,kcj->kwj", pairs, self._planes)
        return jnp.einsum("kwj,kcj->kwc", along, self._planes).reshape(coefficients.shape)

    def losses_of_sums(
        self, tables: _Tables, counts: Float[Array, "n 2"]
    ) -> dict[str, Float[Array, "2"]]:
        """Return the summed losses of those rows whose logits depend on the sum alone."""
        rows = {row: self._part(tables, use) for row, use in ROWS.items() if not use[2]}
        rows["trigonometric_loss"] = tables.trigonometric
        found = jax.lax.map(
            lambda logits: self._losses(logits, self._answers) @ counts,
            jnp.stack(list(rows.values())),
        )
        return dict(zip(rows, found, strict=True))

    def losses_of_pairs(
        self, logits: Float[Array, "example class"], tables: _Tables, pairs: _Pairs
    ) -> dict[str, Float[Array, "2"]]:
        """Return the summed losses of those rows that hold the residual, over a block of pairs."""
        # the residual is what the other parts leave: the logits without those that are not used
        unused = {row: tuple(not u for u in use) for row, use in ROWS.items() if use[2]}
        without = {row: self._part(tables, use) for row, use in unused.items()}
        without["excluded_loss"] = tables.trigonometric
        sides = _sides(pairs.kind)

        def summed(table: Float[Array, "n class"]) -> Float[Array, "2"]:
            loss = self._losses(logits - table[pairs.sums], pairs.labels)
            return jnp.sum(jnp.where(sides, loss[None], 0.0), axis=1)

        found = jax.lax.map(summed, jnp.stack(list(without.values())))
        return dict(zip(without, found, strict=True))

    def _part(self, tables: _Tables, use: tuple[bool, ...]) -> Float[Array, "n class"]:
        parts = [part for part, used in zip(tables, use, strict=False) if used]
        return sum(parts, jnp.zeros_like(tables.key))

    def _losses(
        self, logits: Float[Array, "example class"], labels: Int[Array, "example"]
    ) -> Float[Array, "example"]:
        """Return the loss of each row; answers that no sum leads to never win."""
        possible = jnp.where(self._inside[None], logits, -jnp.inf)
        return cross_entropy(possible, labels)


def _sides(kind: Int8[Array, "example"]) -> Bool[Array, "2 example"]:
    """Return which pairs are on each of `SIDES`."""
    return jnp.stack([kind == TRAIN, kind >= TEST_LEAKED])


def _blocks(pairs: _Pairs, n: int) -> _Pairs:
    """Return the pairs as blocks of equal size; what fills up the last is on no side."""
    count = len(pairs.sums)
    size = min(count, _PAIRS_PER_BLOCK)
    fill = _Pairs(jnp.int32(0), jnp.int32(0), jnp.int32(n), jnp.int8(UNDEFINED))
    padding = -count % size

    def blocks(a: Array, value: Array) -> Array:
        rest = jnp.broadcast_to(value.astype(a.dtype), (padding, *a.shape[1:]))
        return jnp.concatenate([a, rest]).reshape(-1, size, *a.shape[1:])

    return jax.tree_util.tree_map(blocks, pairs, fill)
