"""Operations of rank one, f(x, y) = c + a(x)·b(y) over a prime field: addition of logarithms."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from grokscope.tasks.structure.additive import separate
from grokscope.tasks.structure.canonical import Candidate
from grokscope.tasks.structure.field import logarithms


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
