"""Which of many sums u + λ·v could determine the label: pair after pair, for all λ at once."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from jaxtyping import Bool, Int

_DRAWN: Final = 4000
_RARE: Final = 25
_RANDOM: Final = 50
_ROWS: Final = 8
_MOST_SURVIVORS: Final = 400


def matches(
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
