"""Composed structures: any readout g of a sum of shifts, of powers or of logarithms."""

import math
from collections.abc import Iterator
from itertools import chain
from typing import Final

import numpy as np
from jaxtyping import Bool, Int

from grokscope.tasks.structure.candidates import (
    Candidate,
    Representative,
    matching_sums,
    representative_of,
)
from grokscope.tasks.structure.field import divisors, is_prime, logarithms, power_of, powers


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
        u[x] = _offset(twice, rows[x].tobytes())
        if u[x] < 0:
            return None
    return u


def _offset(twice: bytes, row: bytes) -> int:
    """Return where a row of two-byte numbers stands in another, −1 where it does not."""
    offset = twice.find(row)
    while offset % 2 == 1 and offset > 0:
        offset = twice.find(row, offset + 1)
    return offset // 2


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
        for scale, i in matching_sums(values, u, seconds, p):
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
        for scale, _ in matching_sums(values, u, v[None], n):
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


_SPARE_BITS: Final = 7


def composed(values: Int[np.ndarray, "p p"]) -> Iterator[Candidate]:
    """Yield sums that determine the label through any readout, beyond what chance would give.

    A table of few distinct rows and columns is a function of nearly any sum. Each kind of pair
    whose sum another kind has already is a test that chance passes with probability 2^−H, where H
    is the entropy of the labels; all tests together must outweigh the number of sums tried by 2^7.

    **Arguments:**

    - `values`: the labels, −1 where undefined.
    """
    searches, tried = [additive_shifts(values)], len(values)
    if is_prime(len(values)) and len(values) > 2:
        searches += [logarithmic_shifts(values), power_sums(values), products(values)]
        tried += count_power_sums(values) + count_products(values)
    needed = (math.log2(tried) + _SPARE_BITS) / max(_entropy(values), 1e-9)
    for candidate in chain.from_iterable(searches):
        if _tests(candidate) >= needed:
            one = representative_of(values, candidate)
            if one is not None and _tests(one) >= needed:
                yield candidate


def _tests(found: Candidate | Representative) -> int:
    """Return how many of the sums of different values of u and v another sum has already."""
    u, v = (np.unique(w[w >= 0]) for w in (found.u, found.v))
    return len(u) * len(v) - len(np.unique((u[:, None] + v) % found.n))


def _entropy(values: Int[np.ndarray, "p p"]) -> float:
    """Return H = −Σ q·log₂ q over the shares q of the labels."""
    counts = np.bincount(values[values >= 0])
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())
