"""Arithmetic modulo p: primes, the smallest primitive root, its powers and its logarithms."""

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Int


def is_prime(p: int) -> bool:
    """Tell whether `p` is prime, by trial division."""
    return p > 1 and all(p % d for d in range(2, math.isqrt(p) + 1))


def divisors(n: int) -> list[int]:
    """Return the divisors of `n`, ascending."""
    return [d for d in range(1, n + 1) if n % d == 0]


def units(n: int) -> list[int]:
    """Return the residues that have an inverse modulo `n`: the automorphisms s → a·s of Z_n."""
    return [a for a in range(1, n + 1) if math.gcd(a, n) == 1]


@lru_cache(maxsize=8)
def powers(p: int) -> Int[np.ndarray, "n"]:
    """Return h⁰ … h^(p−2) mod p for the smallest primitive root h of a prime p (read-only)."""
    for root in range(1, p):
        row = np.array([pow(root, k, p) for k in range(p - 1)], dtype=np.int64)
        if len(np.unique(row)) == p - 1:
            row.setflags(write=False)
            return row
    raise ValueError(f"{p} is not prime")


@lru_cache(maxsize=8)
def logarithms(p: int) -> Int[np.ndarray, "p"]:
    """Return the discrete logarithm of every residue to the smallest primitive root, −1 at 0."""
    logs = np.full(p, -1, dtype=np.int64)
    logs[powers(p)] = np.arange(p - 1)
    logs.setflags(write=False)
    return logs


def power_of(values: Int[np.ndarray, "p"], exponent: int, p: int) -> Int[np.ndarray, "p"]:
    """Return values^exponent mod p, element by element."""
    return np.array([pow(int(value), exponent, p) for value in values], dtype=np.int64)


def balanced(residue: int, n: int) -> int:
    """Return the representative r of a residue with −n/2 < r ≤ n/2: −1 instead of n − 1."""
    residue %= n
    return residue if residue <= n // 2 else residue - n
