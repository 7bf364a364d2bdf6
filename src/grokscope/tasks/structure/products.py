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
    n = len(values) - 1
    for u in _firsts(values):
        for v in _logarithms(values.T):
            for scale, _ in matches(values, u, v[None], n):
                yield Candidate(n, u, np.where(v >= 0, scale * v % n, -1))


def count_products(values: Int[np.ndarray, "p p"]) -> int:
    """Return how many products are tried."""
    pairs = len(list(_firsts(values))) * len(list(_logarithms(values.T)))
    return pairs * (len(values) - 2)


def _firsts(values: Int[np.ndarray, "p p"]) -> Iterator[Int[np.ndarray, "p"]]:
    """Yield every κ·log(x + s) that is equal only where rows are equal."""
    n = len(values) - 1
    for logs in _logarithms(values):
        rows = values[np.argsort(logs)[1:]]  # without x = −s, in the order of the logarithms
        for kappa in divisors(n)[:-1]:
            # κ·log is equal where the logarithms differ by multiples of n/κ
            if np.array_equal(np.roll(rows, n // kappa, axis=0), rows):
                yield np.where(logs >= 0, kappa * logs % n, -1)


def _logarithms(values: Int[np.ndarray, "p p"]) -> Iterator[Int[np.ndarray, "p"]]:
    for zero in np.flatnonzero(absorbing(values)):
        yield np.roll(logarithms(len(values)), zero)
