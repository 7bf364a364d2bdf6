"""Candidates for a structure: which sums could determine the label, and one for each structure.

Structures that differ by a translation or an automorphism of the group are the same.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Int

from grokscope.tasks.structure.field import divisors, units
from grokscope.tasks.structure.forms import Form, read_form


@dataclass(frozen=True, eq=False)
class Candidate:
    """Two coordinates in Z_n whose sum may determine the label."""

    n: int
    u: Int[np.ndarray, "p"]
    v: Int[np.ndarray, "p"]


_DRAWN: Final = 4000
_RARE: Final = 25
_RANDOM: Final = 50
_ROWS: Final = 8
_MOST_SURVIVORS: Final = 400


def matching_sums(
    values: Int[np.ndarray, "p p"],
    u: Int[np.ndarray, "p"],
    seconds: Int[np.ndarray, "... p"],
    n: int,
) -> Iterator[tuple[int, int]]:
    """Yield every λ and number of v whose sums u + λ·v agree with the labels on 75 pairs.

    Some may still be wrong: who uses them recomputes all labels. At most 400 are yielded.

    **Arguments:**

    - `values`: the labels, −1 where undefined.
    - `u`: residues modulo n, −1 where undefined.
    - `seconds`: coordinates v of y, one per row, all undefined at the same points.
    - `n`: order of the group.
    """
    known = (values >= 0) & (u >= 0)[:, None] & (seconds[0] >= 0)
    if not known.any():
        return
    # one column says what g is: g(u + λ·v(y₀)) = f(x, y₀), so v is counted from v(y₀)
    y0 = int(known.sum(0).argmax())
    readout = np.full(n, -1, dtype=np.int32)
    readout[u[known[:, y0]]] = values[known[:, y0], y0]
    v = (seconds - seconds[:, [y0]]).astype(np.int32)
    scales = np.repeat(np.arange(1, n, dtype=np.int32), len(v))
    index = np.tile(np.arange(len(v)), n - 1)
    for x, y in _sample(values, known, y0):
        # a sum that the column does not have says nothing
        label = readout[(int(u[x]) + scales * v[index, y]) % n]
        kept = (label == values[x, y]) | (label < 0)
        scales, index = scales[kept], index[kept]
        if len(scales) == 0:
            return
    rows = np.unique(np.where(known.any(1), u, -1), return_index=True)[1][-_ROWS:]
    for scale, i in zip(scales[:_MOST_SURVIVORS].tolist(), index.tolist(), strict=False):
        if _agree(values[rows], u[rows], scale * v[i].astype(np.int64), n):
            yield scale, i


def _agree(
    values: Int[np.ndarray, "... p"],
    u: Int[np.ndarray, "..."],
    v: Int[np.ndarray, "p"],
    n: int,
) -> bool:
    """Tell whether on a few rows equal sums have equal labels."""
    known = values >= 0
    sums, labels = ((u[:, None] + v) % n)[known], values[known]
    g = np.zeros(n, dtype=np.int64)
    g[sums] = labels
    return np.array_equal(g[sums], labels)


def _sample(
    values: Int[np.ndarray, "p p"], known: Bool[np.ndarray, "p p"], y0: int
) -> Iterator[tuple[int, int]]:
    """Yield some known pairs outside a column: those with the rarest labels, then random ones."""
    x, y = np.random.default_rng(0).integers(0, len(values), (2, _DRAWN))
    kept = known[x, y] & (y != y0)
    x, y = x[kept], y[kept]
    labels = values[x, y]
    rare = np.argsort(np.bincount(labels)[labels], kind="stable") if len(x) else np.arange(0)
    for i in [*rare[:_RARE], *range(min(_RANDOM, len(x)))]:
        yield int(x[i]), int(y[i])


@dataclass(frozen=True, eq=False)
class Representative:
    """The one of equal candidates that is shown, with the forms of its coordinates."""

    n: int
    u: Int[np.ndarray, "p"]
    v: Int[np.ndarray, "p"]
    u_form: Form
    v_form: Form


def readout_of(
    values: Int[np.ndarray, "p p"], u: Int[np.ndarray, "p"], v: Int[np.ndarray, "p"], n: int
) -> Int[np.ndarray, "n"] | None:
    """Return the label of each sum, −1 where no pair has it; None where two pairs disagree."""
    x, y = np.nonzero((u >= 0)[:, None] & (v >= 0) & (values >= 0))
    sums, labels = (u[x] + v[y]) % n, values[x, y]
    g = np.full(n, -1, dtype=np.int64)
    g[sums] = labels
    return g if np.array_equal(g[sums], labels) else None


def representative_of(
    values: Int[np.ndarray, "p p"], candidate: Candidate
) -> Representative | None:
    """Return the representative, or None where the sum does not determine the label.

    **Arguments:**

    - `values`: the labels, −1 where undefined.
    - `candidate`: any of the structures that differ by translations and an automorphism.
    """
    n, u, v = _without_common_factor(candidate)
    g = readout_of(values, u, v, n)
    if g is None:
        return None
    n = _period(g)
    u, v = _reduced(u, n), _reduced(v, n)
    if not (varies(u) and varies(v)):
        return None
    forms = read_form(u, n), read_form(v, n)
    u, v = _translated(u, forms[0].constant, n), _translated(v, forms[1].constant, n)
    a = _automorphism(u, v, n, *forms)
    return Representative(
        n, _scaled(u, a, n), _scaled(v, a, n), *(form.scaled(a) for form in forms)
    )


def varies(u: Int[np.ndarray, "p"]) -> bool:
    """Tell whether a coordinate has two values."""
    return len(np.unique(u[u >= 0])) > 1


def _without_common_factor(
    candidate: Candidate,
) -> tuple[int, Int[np.ndarray, "p"], Int[np.ndarray, "p"]]:
    """Move both coordinates to 0 and divide by what all of their differences share with n."""
    n = candidate.n
    u, v = (_translated(w, int(w[w >= 0][0]), n) for w in (candidate.u, candidate.v))
    common = math.gcd(n, *u[u > 0].tolist(), *v[v > 0].tolist())
    return n // common, np.where(u >= 0, u // common, -1), np.where(v >= 0, v // common, -1)


def _period(g: Int[np.ndarray, "n"]) -> int:
    """Return the smallest order of a quotient group that g can be read from."""
    n = len(g)
    for d in divisors(n):
        rows = g.reshape(n // d, d)
        if ((rows == rows.max(0)) | (rows < 0)).all():
            return d
    return n


def _automorphism(
    u: Int[np.ndarray, "p"], v: Int[np.ndarray, "p"], n: int, u_form: Form, v_form: Form
) -> int:
    """Return the unit a for which a·u and a·v have the smallest numbers in their texts."""
    group = np.array(units(n))
    order = [f(group) for f in (u_form.weights, u_form.leading)]
    weight, minus = order[0] + v_form.weights(group), order[1]
    # of those that remain equal, the one whose tables come first
    best = group[np.lexsort((minus, weight))]
    ties = best[: int(((weight == weight.min()) & (minus == _least(minus, weight))).sum())]
    if len(ties) == 1:
        return int(ties[0])
    both = np.concatenate([u[u >= 0], v[v >= 0]])
    rows = ties[:, None] * both % n
    return int(ties[np.lexsort(rows.T[::-1])[0]])


def _least(minus: Int[np.ndarray, "..."], weight: Int[np.ndarray, "..."]) -> int:
    return int(minus[weight == weight.min()].min())


def _translated(u: Int[np.ndarray, "p"], constant: int, n: int) -> Int[np.ndarray, "p"]:
    return np.where(u >= 0, (u - constant) % n, -1)


def _scaled(u: Int[np.ndarray, "p"], a: int, n: int) -> Int[np.ndarray, "p"]:
    return np.where(u >= 0, u * a % n, -1)


def _reduced(u: Int[np.ndarray, "p"], n: int) -> Int[np.ndarray, "p"]:
    return np.where(u >= 0, u % n, -1)
