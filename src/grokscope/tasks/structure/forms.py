"""How a coordinate u(x) is written: a short polynomial, a logarithm, or a table."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Int

from grokscope.tasks.structure.field import balanced, is_prime, logarithms, powers, units
from grokscope.tasks.structure.polynomial import (
    MOST_TERMS,
    Terms,
    coefficients_over_field,
    interpolate,
    interpolate_shifted,
    interpolate_units,
    logarithm_shift,
    text_of,
)


@dataclass(frozen=True)
class Form:
    """A coordinate in Z_n up to a constant, as a text can be made of it.

    **Arguments:**

    - `kind`: which of the three it is.
    - `n`: order of the group.
    - `p`: number of residues.
    - `constant`: what the coordinate has in addition to the form.
    - `factor`: m in m·(polynomial in x + shift) and in m·log(polynomial in x).
    - `terms`: the polynomial.
    - `shift`: s where the polynomial is one in x + s, with negative powers.
    """

    kind: Literal["polynomial", "logarithm", "table"]
    n: int
    p: int
    constant: int
    factor: int = 1
    terms: tuple[tuple[int, int], ...] = ()
    shift: int = 0

    def weights(self, automorphisms: Int[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
        """Return how large the numbers in the text of a·u are, for each a; 0 for a table."""
        if self.kind == "logarithm":
            return _size(automorphisms * self.factor, self.n)
        sizes = [_size(automorphisms * c, self.n) for _, c in self.terms]
        return np.sum([np.zeros_like(automorphisms), *sizes], axis=0)

    def leading(self, automorphisms: Int[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
        """Return, for each a, whether the text of a·u begins with a minus (0 or 1)."""
        first = self.factor if self.kind == "logarithm" else max(self.terms, default=(0, 0))[1]
        return (automorphisms * first % self.n > self.n // 2).astype(np.int64)

    def scaled(self, a: int) -> "Form":
        """Return the form of a·u."""
        if self.kind == "logarithm":
            return replace(self, factor=self.factor * a % self.n, constant=0)
        terms = tuple((e, c * a % self.n) for e, c in self.terms)
        return replace(self, terms=terms, constant=0)

    def text(self, variable: str) -> str:
        """Return the coordinate as text, for instance `x^2`, `2*log(x + 1)` or `a table`."""
        if self.kind == "table":
            return "a table"
        if self.kind == "polynomial":
            return text_of(dict(self.terms), self._argument(variable), self.n)
        factor = balanced(self.factor, self.n)
        sign = {1: "", -1: "-"}.get(factor, f"{factor}*")
        return f"{sign}log({self.inner(variable)})"

    def inner(self, variable: str) -> str:
        """Return the polynomial inside the logarithm."""
        return text_of(dict(self.terms), variable, self.p)

    def _argument(self, variable: str) -> str:
        if not self.shift:
            return variable
        return f"({text_of({1: 1, 0: self.shift}, variable, self.p)})"


def _size(residues: Int[np.ndarray, "..."], n: int) -> Int[np.ndarray, "..."]:
    residues = residues % n
    return np.minimum(residues, n - residues)


def read_form(u: Int[np.ndarray, "p"], n: int) -> Form:
    """Return how a coordinate can be written.

    **Arguments:**

    - `u`: residues modulo n, −1 where undefined.
    - `n`: order of the group, a divisor of p or, for a prime p, of p − 1.
    """
    p = len(u)
    found = _polynomial(u, n, p) if p % n == 0 else _logarithm(u, n, p)
    return found or Form("table", n, p, int(u[u >= 0][0]))


def _polynomial(u: Int[np.ndarray, "p"], n: int, p: int) -> Form | None:
    missing, shift = np.flatnonzero(u < 0), 0
    if len(missing) == 0:
        terms = interpolate(u, n)
        if terms is None and n == p and is_prime(p):
            terms, shift = interpolate_shifted(u, p) or (None, 0)
    elif len(missing) == 1 and n == p and is_prime(p) and p > 2:
        shift = int(-missing[0] % p)
        turned = np.roll(u, shift)[powers(p)]
        terms = interpolate_units(turned, int(powers(p)[1]), p)
    else:
        return None
    if terms is None:
        return None
    rest = tuple(sorted((e, c) for e, c in terms.items() if e))
    return Form("polynomial", n, p, terms.get(0, 0), terms=rest, shift=shift)


def _logarithm(u: Int[np.ndarray, "p"], n: int, p: int) -> Form | None:
    if (u < 0).sum() == 1:
        found = logarithm_shift(u, n)
        if found is not None:
            factor, shift, constant = found
            terms = ((0, shift), (1, 1)) if shift else ((1, 1),)
            return Form("logarithm", n, p, constant, factor=factor, terms=terms)
    return _logarithm_of_polynomial(u, p) if n == p - 1 else None


def _logarithm_of_polynomial(u: Int[np.ndarray, "p"], p: int) -> Form | None:
    """Return u = m·log(q(x)) + c with the shortest polynomial q, over all units m of Z_{p−1}."""
    n, group = p - 1, units(p - 1)
    exponents = u[:, None] * np.array(group) % n
    values = np.where(u[:, None] >= 0, powers(p)[exponents], 0)
    table = coefficients_over_field(values, p)
    counts = (table != 0).sum(0)
    # the fewest terms, then the lowest degree, then the smallest unit
    degrees = p - 1 - (table[::-1] != 0).argmax(0)
    best = int(np.lexsort((degrees, counts))[0])
    if counts[best] > MOST_TERMS:
        return None
    column = table[:, best]
    lead = int(column[degrees[best]])
    terms: Terms = {int(e): int(column[e]) * pow(lead, -1, p) % p for e in np.flatnonzero(column)}
    factor = pow(group[best], -1, n) if n > 1 else 0
    constant = int(logarithms(p)[lead]) * factor % n
    return Form("logarithm", n, p, constant, factor=factor, terms=tuple(sorted(terms.items())))
