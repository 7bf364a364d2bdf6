"""Arithmetic modulo p: primes, powers and logarithms, and functions on residues as polynomials."""

import math
from functools import lru_cache
from typing import Final

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


MOST_TERMS: Final = 4
_HIGHEST_DEGREE: Final = 12

Terms = dict[int, int]
"""Exponent → coefficient, without zeros."""


def interpolate(values: Int[np.ndarray, "p"], n: int) -> Terms | None:
    """Return the polynomial with these values at 0 … p−1 modulo n, or None where none is short.

    **Arguments:**

    - `values`: residues modulo n, every one known.
    - `n`: p itself when it is prime; or any modulus, and then the degree is at most 12.
    """
    fit = _over_field if n == len(values) and is_prime(n) else _by_differences
    terms = fit(values, n)
    return terms if terms is not None and is_short(terms) else None


def interpolate_shifted(values: Int[np.ndarray, "p"], p: int) -> tuple[Terms, int] | None:
    """Return a short polynomial in x + s with these values, and s, for a prime p; or None."""
    terms = _over_field(values, p)
    degree = max(terms, default=0)
    if degree % p < 2:
        return None
    # (x + s)^d = x^d + d·s·x^(d−1) + …, so only this s removes the second power
    s = terms.get(degree - 1, 0) * pow(degree * terms[degree], -1, p) % p
    turned = _over_field(np.roll(values, s), p)
    return (turned, s) if is_short(turned) else None


def is_short(terms: Terms) -> bool:
    """Tell whether a polynomial has at most four terms beside its constant."""
    return len([e for e in terms if e]) <= MOST_TERMS


def interpolate_units(values: Int[np.ndarray, "n"], base: int, p: int) -> Terms | None:
    """Return Σ_j c_j·t^j with these values at t = base⁰ … base^(n−1), exponents near 0.

    **Arguments:**

    - `values`: residues modulo a prime p.
    - `base`: an element of order n modulo p.
    """
    n = len(values)
    column = np.array([pow(base, k, p) for k in range(n)], dtype=np.int64)
    # c_j = 1/n · Σ_s values(s) · base^(−j·s)
    matrix = column[-np.outer(np.arange(n), np.arange(n)) % n]
    coefficients = matrix @ values % p * pow(n, -1, p) % p
    found = {balanced(int(j), n): int(coefficients[j]) for j in np.flatnonzero(coefficients)}
    return found if is_short(found) else None


def coefficients_over_field(
    values: Int[np.ndarray, "p column"], p: int
) -> Int[np.ndarray, "p column"]:
    """Return the coefficients 0 … p−1 of each column's polynomial over GF(p)."""
    # c_k = −Σ_{x≠0} f(x)·x^(−k) for 0 < k < p−1; c_0 = f(0); c_{p−1} = −Σ_x f(x)
    inner = -_inverse_powers(p) @ values[powers(p)] % p
    return np.vstack([values[:1], inner[1:], -values.sum(0, keepdims=True) % p])


def _over_field(values: Int[np.ndarray, "p"], p: int) -> Terms:
    column = coefficients_over_field(values[:, None], p)[:, 0]
    return {int(k): int(column[k]) for k in np.flatnonzero(column)}


@lru_cache(maxsize=4)
def _inverse_powers(p: int) -> Int[np.ndarray, "n n"]:
    index = np.arange(p - 1)
    return powers(p)[-np.outer(index, index) % (p - 1)]


def _by_differences(values: Int[np.ndarray, "p"], n: int) -> Terms | None:
    """Newton's interpolation with integer coefficients, which a composite modulus needs."""
    monomial = _monomial(values, n)
    if monomial is not None:
        return monomial
    rest, terms, basis = values.copy(), {}, np.array([1], dtype=object)
    for degree in range(min(_HIGHEST_DEGREE, len(values) - 1) + 1):
        # j!·c = Δ^j f(0), solvable where gcd(j!, n) divides the right side
        factorial, target = math.factorial(degree), int(rest[0]) % n
        common = math.gcd(factorial, n)
        if target % common:
            return None
        c = target // common * pow(factorial // common, -1, n // common) % (n // common)
        for exponent, coefficient in enumerate(basis):
            terms[exponent] = int(terms.get(exponent, 0) + c * coefficient) % n
        rest = np.diff(rest)
        if not (rest % n).any():
            break
        basis = _times_falling(basis, degree)
    terms = {e: c for e, c in sorted(terms.items()) if c}
    return terms if np.array_equal(evaluate(terms, len(values), n), values % n) else None


def _times_falling(basis: np.ndarray, degree: int) -> np.ndarray:
    """Multiply x·(x−1)…(x−degree+1), as coefficients, by x − degree."""
    return np.append(0, basis) - degree * np.append(basis, 0)


def _monomial(values: Int[np.ndarray, "p"], n: int) -> Terms | None:
    constant, slope = int(values[0]) % n, int(values[1] - values[0]) % n
    for exponent in range(1, _HIGHEST_DEGREE + 1):
        terms = {e: c for e, c in ((0, constant), (exponent, slope)) if c}
        if np.array_equal(evaluate(terms, len(values), n), values % n):
            return terms
    return None


def evaluate(terms: Terms, length: int, n: int) -> Int[np.ndarray, "p"]:
    """Return the values at 0 … length−1 modulo n."""
    values = [sum(c * pow(x, e, n) for e, c in terms.items()) % n for x in range(length)]
    return np.array(values, dtype=np.int64)


def text_of(terms: Terms, variable: str, n: int) -> str:
    """Return a polynomial as one would type it, highest power first: `x^2 - 3*x + 1`."""
    parts = [_term(balanced(terms[e], n), e, variable) for e in sorted(terms, reverse=True)]
    text = " + ".join(parts).replace("+ -", "- ")
    return text or "0"


def _term(coefficient: int, exponent: int, variable: str) -> str:
    if exponent == 0:
        return str(coefficient)
    power = variable if abs(exponent) == 1 else f"{variable}^{abs(exponent)}"
    if exponent < 0:
        return f"{coefficient}/{power}"
    sign = "-" if coefficient < 0 else ""
    return f"{sign}{power}" if abs(coefficient) == 1 else f"{coefficient}*{power}"


def logarithm_shift(values: Int[np.ndarray, "p"], n: int) -> tuple[int, int, int] | None:
    """Return m, s, c with values = m·log(x + s) + c in Z_n, or None.

    **Arguments:**

    - `values`: residues modulo n, −1 at exactly one point, which is −s.
    - `n`: a divisor of p − 1, for a prime p.
    """
    p = len(values)
    (missing,) = np.flatnonzero(values < 0)
    logs = np.roll(logarithms(p), int(missing))  # log(x − missing)
    constant = int(values[logs == 0][0])
    slope = int(values[logs == 1 % (p - 1)][0]) - constant
    known = values >= 0
    if np.array_equal((slope * logs[known] + constant) % n, values[known]):
        return slope % n, int(-missing % p), constant
    return None
