"""Composed structures: any readout g of a sum, and how much a table must say to show one."""

import math
from collections.abc import Iterator
from itertools import chain
from typing import Final

import numpy as np
from jaxtyping import Int

from grokscope.tasks.structure.canonical import Candidate, Canonical, canonical
from grokscope.tasks.structure.field import is_prime
from grokscope.tasks.structure.powersums import count_power_sums, power_sums
from grokscope.tasks.structure.products import count_products, products
from grokscope.tasks.structure.shifts import additive_shifts, logarithmic_shifts

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
            one = canonical(values, candidate)
            if one is not None and _tests(one) >= needed:
                yield candidate


def _tests(found: Candidate | Canonical) -> int:
    """Return how many of the sums of different values of u and v another sum has already."""
    u, v = (np.unique(w[w >= 0]) for w in (found.u, found.v))
    return len(u) * len(v) - len(np.unique((u[:, None] + v) % found.n))


def _entropy(values: Int[np.ndarray, "p p"]) -> float:
    """Return H = −Σ q·log₂ q over the shares q of the labels."""
    counts = np.bincount(values[values >= 0])
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())
