"""Separable operations: f(x, y) = u(x) + v(y), and products, which are sums of logarithms."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from grokscope.tasks.structure.candidates import Candidate, matching_sums
from grokscope.tasks.structure.field import divisors, logarithms


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
        for scale, _ in matching_sums(values, u, x[None], p):
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


def multiplicative(values: Int[np.ndarray, "p p"]) -> Iterator[Candidate]:
    """Yield u = log a and v = log b in Z_{p−1}, if the operation is c + a(x)·b(y).

    **Arguments:**

    - `values`: the labels, −1 where undefined; p is prime.
    """
    p = len(values)
    c = _constant(values)
    if c is None or p == 2:
        return
    # where f = c, a or b is 0 and has no logarithm
    logs = np.where(values >= 0, logarithms(p)[(values - c) % p], -1)
    found = separate(logs, p - 1) if (logs >= 0).any() else None
    if found is not None:
        yield Candidate(p - 1, *found)


def _constant(values: Int[np.ndarray, "p p"]) -> int | None:
    """Return the only c for which f − c can have rank one, or None where f is separable."""
    p = len(values)
    known = values >= 0
    rows = np.argsort(-known.sum(1), kind="stable")[:3]
    for x0 in rows:
        y0 = int((known & known[x0]).sum(0).argmax())
        all_known = known & known[:, [y0]] & known[x0]
        f, top, left, corner = values, values[x0], values[:, [y0]], values[x0, y0]
        # f·f₀₀ − f₀·f₀ = c·(f + f₀₀ − f₀ − f₀) wherever f − c has rank one
        mixed = np.where(all_known, (f + corner - top - left) % p, 0)
        if mixed.any():
            x, y = np.argwhere(mixed)[0]
            determinant = int(f[x, y] * corner - top[y] * left[x, 0])
            return determinant * pow(int(mixed[x, y]), -1, p) % p
    return None
