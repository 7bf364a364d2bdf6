"""f(x, y) = g(u(x) + y) with any u and g: every row is the first one, shifted."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int

from grokscope.tasks.structure.canonical import Candidate
from grokscope.tasks.structure.field import logarithms, powers


def additive_shifts(values: Int[np.ndarray, "p p"]) -> Iterator[Candidate]:
    """Yield structures in Z_p in which y, or x, enters as itself and the other in any way.

    **Arguments:**

    - `values`: the labels, −1 where undefined.
    """
    p = len(values)
    residues = np.arange(p)
    undefined = np.all(values < 0, axis=1), np.all(values < 0, axis=0)
    u = _shifts(values, undefined[0])
    if u is not None:
        yield Candidate(p, u, np.where(undefined[1], -1, residues))
    v = _shifts(values.T, undefined[1])
    if v is not None:
        yield Candidate(p, np.where(undefined[0], -1, residues), v)


def logarithmic_shifts(values: Int[np.ndarray, "p p"]) -> Iterator[Candidate]:
    """Yield structures in Z_{p−1} in which y enters as log(y + t), or x so, p being prime."""
    for v, u in _by_logarithm(values):
        yield Candidate(len(values) - 1, u, v)
    for u, v in _by_logarithm(values.T):
        yield Candidate(len(values) - 1, u, v)


def _by_logarithm(
    values: Int[np.ndarray, "p p"],
) -> Iterator[tuple[Int[np.ndarray, "p"], Int[np.ndarray, "p"]]]:
    """Yield log(y + t) and the coordinate of x that goes with it."""
    p = len(values)
    zero = absorbing(values.T)
    if zero is None:
        return
    # the columns h⁰ − t, h¹ − t, …: multiplying y + t by h moves to the next one
    row = _shifts(values[:, (powers(p) + zero) % p], _flat(values))
    if row is not None:
        yield np.roll(logarithms(p), zero), row


def absorbing(values: Int[np.ndarray, "p p"]) -> int | None:
    """Return the only x whose row has one label, or none, as x = 0 has in x·y and in y/x."""
    flat = np.flatnonzero(_flat(values))
    return int(flat[0]) if len(flat) == 1 else None


def _flat(values: Int[np.ndarray, "p p"]) -> Bool[np.ndarray, "p"]:
    return ((values == values.max(1, keepdims=True)) | (values < 0)).all(1)


def _shifts(
    values: Int[np.ndarray, "p n"], outside: Bool[np.ndarray, "p"]
) -> Int[np.ndarray, "p"] | None:
    """Return by how much each row is the first one shifted to the left, −1 outside; or None."""
    rows = values.astype(np.int16)
    u = np.full(len(rows), -1, dtype=np.int64)
    inside = np.flatnonzero(~outside)
    if len(inside) == 0:
        return None
    twice = np.tile(rows[inside[0]], 2).tobytes()
    for x in inside:
        u[x] = _place(twice, rows[x].tobytes())
        if u[x] < 0:
            return None
    return u


def _place(twice: bytes, row: bytes) -> int:
    """Return where a row of two-byte numbers stands in another, −1 where it does not."""
    place = twice.find(row)
    while place % 2 == 1 and place > 0:
        place = twice.find(row, place + 1)
    return place // 2
