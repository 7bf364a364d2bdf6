"""f(x, y) = g(κ·log(x + s) + λ·log(y + t)) over a prime field, with any g: products of powers."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from grokscope.tasks.structure.canonical import Candidate
from grokscope.tasks.structure.field import divisors, logarithms
from grokscope.tasks.structure.matching import matches
from grokscope.tasks.structure.shifts import absorbing


def products(values: Int[np.ndarray, "p p"]) -> Iterator[Candidate]:
    """Yield products (x + s)^κ·(y + t)^λ that could determine the label.

    x = −s and y = −t make the product 0: there the label is one, or none. Up to an automorphism κ
    divides p − 1.

    **Arguments:**

    - `values`: the labels, −1 where undefined; p is prime.
    """
    n, v = len(values) - 1, _logarithm(values.T)
    if v is None:
        return
    for u in _firsts(values):
        for scale, _ in matches(values, u, v[None], n):
            yield Candidate(n, u, np.where(v >= 0, scale * v % n, -1))


def count_products(values: Int[np.ndarray, "p p"]) -> int:
    """Return how many products are tried."""
    return 0 if _logarithm(values.T) is None else len(_firsts(values)) * (len(values) - 2)


def _firsts(values: Int[np.ndarray, "p p"]) -> list[Int[np.ndarray, "p"]]:
    """Return every κ·log(x + s) that is equal only where rows are equal."""
    n, logs = len(values) - 1, _logarithm(values)
    if logs is None:
        return []
    rows = values[np.argsort(logs)[1:]]  # without x = −s, in the order of the logarithms
    # κ·log is equal where the logarithms differ by multiples of n/κ
    fitting = [k for k in divisors(n)[:-1] if np.array_equal(np.roll(rows, n // k, axis=0), rows)]
    return [np.where(logs >= 0, kappa * logs % n, -1) for kappa in fitting]


def _logarithm(values: Int[np.ndarray, "p p"]) -> Int[np.ndarray, "p"] | None:
    """Return log(x + s), where x = −s is the only row with one label."""
    zero = absorbing(values)
    return None if zero is None else np.roll(logarithms(len(values)), zero)
