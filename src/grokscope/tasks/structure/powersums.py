"""f(x, y) = g((x + s)^m + λ·(y + t)^k) over a prime field, with any g."""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int

from grokscope.tasks.structure.canonical import Candidate
from grokscope.tasks.structure.field import power_of
from grokscope.tasks.structure.matching import matches


def power_sums(values: Int[np.ndarray, "p p"]) -> Iterator[Candidate]:
    """Yield sums of powers that could determine the label.

    The rows say which powers: where u is equal they are equal, and no others are.

    **Arguments:**

    - `values`: the labels, −1 where undefined; p is prime.
    """
    p = len(values)
    firsts, seconds = _coordinates(values), _coordinates(values.T)
    if len(seconds) == 0:
        return
    for u in firsts:
        for scale, i in matches(values, u, seconds, p):
            v = seconds[i]
            yield Candidate(p, u, np.where(v >= 0, scale * v % p, -1))


def count_power_sums(values: Int[np.ndarray, "p p"]) -> int:
    """Return how many sums `power_sums` tries."""
    p = len(values)
    return len(_coordinates(values)) * len(_coordinates(values.T)) * (p - 1)


def _coordinates(values: Int[np.ndarray, "p p"]) -> Int[np.ndarray, "... p"]:
    """Return every (x + s)^m that is equal for two x exactly where their rows are equal."""
    p = len(values)
    _, kinds, sizes = np.unique(values, axis=0, return_inverse=True, return_counts=True)
    kinds = kinds.reshape(p)
    undefined = np.all(values < 0, axis=1)
    centre = _centre(undefined, sizes[kinds])
    d = (p - 1) // (len(sizes) - 1) if len(sizes) > 1 else 0
    shifted = (np.arange(p) - centre) % p
    if d == 0 or not _same_partition(kinds, power_of(shifted, d, p)):
        return np.empty((0, p), dtype=np.int64)
    exponents = [m for m in range(d, p, d) if math.gcd(m, p - 1) == d]
    table = np.array([power_of(shifted, m, p) for m in exponents])
    return np.where(undefined, -1, table)


def _centre(undefined: Bool[np.ndarray, "p"], sizes: Int[np.ndarray, "p"]) -> int:
    """Return −s: the row that is undefined, or else the only one that has no equal, or else 0."""
    if undefined.any():
        return int(undefined.argmax())
    return int((sizes == 1).argmax()) if (sizes == 1).sum() == 1 else 0


def _same_partition(a: Int[np.ndarray, "p"], b: Int[np.ndarray, "p"]) -> bool:
    both = np.unique(np.stack([a, b]), axis=1).shape[1]
    return both == len(np.unique(a)) == len(np.unique(b))
