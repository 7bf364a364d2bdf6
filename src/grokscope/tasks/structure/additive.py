"""Separable operations, f(x, y) = u(x) + v(y), and linear forms, f(x, y) = g(x + λ·y)."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from grokscope.tasks.structure.canonical import Candidate
from grokscope.tasks.structure.field import divisors
from grokscope.tasks.structure.matching import matches


def separable(values: Int[np.ndarray, "p p"]) -> Iterator[Candidate]:
    """Yield the structure with a readout g(s) = s + c in Z_p, if the operation has it.

    **Arguments:**

    - `values`: the labels, −1 where undefined.
    """
    p = len(values)
    found = separate(values, p)
    if found is not None:
        yield Candidate(p, *found)


def linear_form(values: Int[np.ndarray, "p p"]) -> Iterator[Candidate]:
    """Yield every κ·x + λ·y in Z_p on which alone the label depends; κ = 1 for a prime p."""
    p = len(values)
    x = np.arange(p)
    for kappa in divisors(p)[:-1]:
        u = kappa * x % p
        for scale, _ in matches(values, u, x[None], p):
            yield Candidate(p, u, scale * x % p)


def separate(
    values: Int[np.ndarray, "p p"], n: int
) -> tuple[Int[np.ndarray, "p"], Int[np.ndarray, "p"]] | None:
    """Return u and v with values = u(x) + v(y) in Z_n, −1 in rows without values; or None.

    **Arguments:**

    - `values`: residues modulo n, −1 where unknown.
    - `n`: the modulus.
    """
    known = values >= 0
    u = np.full(len(values), -1, dtype=np.int64)
    u[known.sum(1).argmax()] = 0
    # v(y) = f(x, y) − u(x) at any known x, then u(x) = f(x, y) − v(y), until nothing is added
    v = _complete(values, u, n)
    for _ in range(len(values)):
        before = (u >= 0).sum()
        u = _complete(values.T, v, n)
        v = _complete(values, u, n)
        if (u >= 0).sum() == before:
            break
    sums = (u[:, None] + v) % n
    complete = ((u >= 0)[:, None] & (v >= 0))[known].all()
    return (u, v) if complete and np.array_equal(sums[known], values[known]) else None


def _complete(
    values: Int[np.ndarray, "p p"], u: Int[np.ndarray, "p"], n: int
) -> Int[np.ndarray, "p"]:
    usable = (u >= 0)[:, None] & (values >= 0)
    first = usable.argmax(0)
    v = (values[first, np.arange(len(u))] - u[first]) % n
    return np.where(usable.any(0), v, -1)
