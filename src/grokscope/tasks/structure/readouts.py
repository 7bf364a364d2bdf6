"""How the readout g is written: a polynomial in s, one in t = h^s, or a table."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int

from grokscope.tasks.structure.field import is_prime, powers, units
from grokscope.tasks.structure.polynomial import (
    Terms,
    evaluate,
    interpolate,
    interpolate_shifted,
    interpolate_units,
    text_of,
)


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
    said = [(constant + scale * pow(base, int(s), p)) % p for s in known]
    return terms if np.array_equal(said, g[known]) else None


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
