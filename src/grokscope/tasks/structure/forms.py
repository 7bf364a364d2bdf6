"""How a structure is written: its coordinates, its readout, and what it is in one sentence.

A coordinate u(x) is a polynomial, a logarithm, or a table; a readout g a polynomial or a table.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Int

from grokscope.tasks.structure.field import (
    MOST_TERMS,
    Terms,
    balanced,
    coefficients_over_field,
    evaluate,
    interpolate,
    interpolate_shifted,
    interpolate_units,
    is_prime,
    logarithm_shift,
    logarithms,
    powers,
    text_of,
    units,
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


@dataclass(frozen=True)
class Readout:
    """The readout as a text can be made of it.

    **Arguments:**

    - `kind`: `sum`, a polynomial in s; `product`, one in t = base^s; or `table`.
    - `text`: in terms of s.
    - `p`: the modulus of the labels.
    - `terms`: the polynomial.
    - `shift`: c where the polynomial is one in s + c.
    """

    kind: Literal["sum", "product", "table"]
    text: str
    p: int
    terms: tuple[tuple[int, int], ...] = ()
    shift: int = 0

    def in_terms_of(self, variable: str) -> str:
        """Return the polynomial in another letter."""
        return text_of(dict(self.terms), variable, self.p)

    @property
    def scale_and_constant(self) -> tuple[int, int] | None:
        """k and c of k·s + c, or of k·t + c; None for any other readout."""
        terms = dict(self.terms)
        if self.kind == "table" or self.shift or set(terms) - {0, 1} or 1 not in terms:
            return None
        return terms[1], terms.get(0, 0)


def read_readout(g: Int[np.ndarray, "n"], p: int, zero: int | None) -> Readout:
    """Return how a readout can be written.

    **Arguments:**

    - `g`: the label of each sum, −1 where no pair has it.
    - `p`: the modulus of the labels.
    - `zero`: the label outside the group, where a product is 0, if there is any.
    """
    n = len(g)
    shift = 0
    if p % n == 0:
        terms, kind = _in_sum(g, p), "sum"
        if terms is None and n == p and is_prime(p) and g.min() >= 0:
            terms, shift = interpolate_shifted(g, p) or (None, 0)
        text = "" if terms is None else text_of(terms, _argument(shift, p), p)
    else:
        base = int(powers(p)[(p - 1) // n])
        terms, kind = _in_product(g, base, p, zero), "product"
        text = "" if terms is None else _text_in_powers(terms, base, p)
    if terms is None:
        return Readout("table", f"a table of {(g >= 0).sum()} labels", p)
    return Readout(kind, text, p, tuple(sorted(terms.items())), shift)


def _argument(shift: int, p: int) -> str:
    return f"({text_of({1: 1, 0: shift}, 's', p)})" if shift else "s"


def _in_sum(g: Int[np.ndarray, "n"], p: int) -> Terms | None:
    known = np.flatnonzero(g >= 0)
    if len(known) == len(g):
        found = interpolate(g, p)
        if found is not None:
            return found
    if len(known) == p - 1 and len(g) == p and is_prime(p) and known[0] == 1:
        return interpolate_units(g[powers(p)], int(powers(p)[1 % (p - 1)]), p)
    return _line(g, known, p)


def _line(g: Int[np.ndarray, "n"], known: Int[np.ndarray, "..."], p: int) -> Terms | None:
    """Return k·s + c through all known labels, which two sums with a unit difference decide."""
    group = set(units(p))
    pairs = ((a, b) for a in known[:8].tolist() for b in known.tolist() if (b - a) % p in group)
    a, b = next(pairs, (0, 0))
    if a == b:
        return None
    slope = int(g[b] - g[a]) * pow(b - a, -1, p) % p
    terms = {e: c for e, c in ((0, int(g[a] - slope * a) % p), (1, slope)) if c}
    return terms if np.array_equal(evaluate(terms, len(g), p)[known], g[known]) else None


def _in_product(g: Int[np.ndarray, "n"], base: int, p: int, zero: int | None) -> Terms | None:
    known = np.flatnonzero(g >= 0)
    if len(known) == len(g):
        return interpolate_units(g, base, p)
    # c + k·base^s, where c is the label at the product 0
    constant, s = zero or 0, int(known[0])
    scale = int(g[s] - constant) * pow(base, -s, p) % p
    terms = {e: c for e, c in ((0, constant), (1, scale)) if c}
    expected = [(constant + scale * pow(base, int(s), p)) % p for s in known]
    return terms if np.array_equal(expected, g[known]) else None


def _text_in_powers(terms: Terms, base: int, p: int) -> str:
    """Return the polynomial with t^j written as base^(j*s)."""
    parts = []
    for e in sorted(terms, reverse=True):
        coefficient = text_of({0: terms[e]}, "", p)
        power = f"{base}^s" if e == 1 else f"{base}^({'-' if e == -1 else f'{e}*'}s)"
        if e == 0:
            parts.append(coefficient)
        elif coefficient in ("1", "-1"):
            parts.append(coefficient.replace("1", power))
        else:
            parts.append(f"{coefficient}*{power}")
    return " + ".join(parts).replace("+ -", "- ")


_NAMES_OF_POWERS = {"x": "", "x^2": " of squares", "x^3": " of cubes"}


def structure_in_words(name: str, u: Form, v: Form, readout: Readout) -> str:
    """Return what the operation is, without a period.

    **Arguments:**

    - `name`: the operation, for instance `x^2 + y^2`, or `the table`.
    - `u`: the coordinate of x.
    - `v`: the coordinate of y.
    - `readout`: what the label is of their sum.
    """
    group = f"mod {u.p}" if u.n in (u.p, u.p - 1) else f"mod {u.p}, in Z_{u.n}"
    is_product = u.kind == "logarithm" or u.p % u.n
    words = _product_in_words(u, v, readout) if is_product else _sum_in_words(u, v, readout)
    comma = "," if "," in words else ""
    return f"{name} is {words}{comma} {group}"


def _sum_in_words(u: Form, v: Form, readout: Readout) -> str:
    line = readout.scale_and_constant
    if line is not None and line[0] == 1:
        return f"{_addition_in_words(u, v)}{_constant_in_words(line[1], u.p)}"
    total = _joined(u, v)
    if readout.kind == "table":
        return f"a function of {total}"
    return f"the function {readout.text} of s = {total}"


def _addition_in_words(u: Form, v: Form) -> str:
    first, second = u.text("x"), v.text("y")
    for sign, word in (("", "addition"), ("-", "subtraction")):
        if second == sign + first.replace("x", "y") and first in _NAMES_OF_POWERS:
            return word + _NAMES_OF_POWERS[first]
        power = first.removeprefix("x^")
        if power.isdigit() and second == f"{sign}y^{power}":
            return f"{word} of {power}th powers"
    return f"addition of {_or_function(u, 'x')} and {_or_function(v, 'y')}"


def _or_function(form: Form, variable: str) -> str:
    return f"a function of {variable}" if form.kind == "table" else form.text(variable)


def _joined(u: Form, v: Form) -> str:
    if "table" in (u.kind, v.kind):
        return f"{_or_function(u, 'x')} plus {_or_function(v, 'y')}"
    return f"{u.text('x')} + {v.text('y')}".replace("+ -", "- ")


def _product_in_words(u: Form, v: Form, readout: Readout) -> str:
    line = readout.scale_and_constant
    if line is not None:
        times = balanced(line[0], u.p)
        scale = f", times {times}" if times != 1 else ""
        return f"{_multiplication_in_words(u, v)}{scale}{_constant_in_words(line[1], u.p)}"
    total = _multiplied(u, v)
    if readout.kind == "table":
        return f"a function of the product {total}"
    return f"the function {readout.in_terms_of('t')} of the product t = {total}"


def _multiplication_in_words(u: Form, v: Form) -> str:
    if "table" not in (u.kind, v.kind):
        plain = (u.inner("x"), v.inner("y")) == ("x", "y")
        factors = balanced(u.factor, u.n), balanced(v.factor, v.n)
        if factors == (1, 1):
            both = "" if plain else f" of {u.inner('x')} and {v.inner('y')}"
            return f"multiplication{both}"
        if factors == (1, -1) and plain:
            return "division"
        if factors[1] < 0:
            divisor = replace(v, factor=-v.factor % v.n)
            return f"division of {_power_in_words(u, 'x')} by {_power_in_words(divisor, 'y')}"
    return f"multiplication of {_power_in_words(u, 'x')} and {_power_in_words(v, 'y')}"


def _multiplied(u: Form, v: Form) -> str:
    if "table" in (u.kind, v.kind):
        return f"of {_power_in_words(u, 'x')} and {_power_in_words(v, 'y')}"
    return f"{_bracketed(u, 'x')}*{_bracketed(v, 'y')}"


def _power_in_words(form: Form, variable: str) -> str:
    """Return what the coordinate is the logarithm of."""
    if form.kind == "table":
        return f"a function of {variable}"
    return form.inner(variable) if form.factor == 1 else _bracketed(form, variable)


def _bracketed(form: Form, variable: str) -> str:
    inner, factor = form.inner(variable), balanced(form.factor, form.n)
    inner = inner if inner.isalnum() else f"({inner})"
    if factor == 1:
        return inner
    return f"{inner}^{factor}" if factor > 0 else f"{inner}^({factor})"


def _constant_in_words(c: int, p: int) -> str:
    c = balanced(c, p)
    return "" if c == 0 else f", {'plus' if c > 0 else 'minus'} {abs(c)}"
