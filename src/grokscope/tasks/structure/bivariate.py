"""Polynomials in two variables over GF(p): from a syntax tree, and into irreducible factors.

SymPy is imported here and nowhere else, and only when a factorisation is asked for.
"""

from collections import Counter
from itertools import combinations
from typing import Any, Final, NamedTuple

import sympy

from grokscope.tasks.structure.factors import Monomials, lowered
from grokscope.tasks.syntax import Binary, Integer, Negation, Node, Power, Variable

_HIGHEST_DEGREE: Final = 120
_MOST_PARTS: Final = 14
_IMAGES: Final = 4

X, Y = sympy.symbols("x y")
Univariate = dict[int, int]
"""Exponent → coefficient."""


def monomials(tree: Node, p: int) -> Monomials:
    """Return the polynomial of a syntax tree without division, its exponents lowered."""
    return _monomials(_polynomial(tree, p), p)


def _polynomial(node: Node, p: int) -> Any:
    match node:
        case Integer(value):
            return _poly({(0, 0): value % p}, p)
        case Variable(name):
            return _poly({(1, 0) if name == "x" else (0, 1): 1}, p)
        case Negation(operand):
            return -_polynomial(operand, p)
        case Power(Variable() as base, exponent):
            return _polynomial(base, p) ** lowered(exponent, p)
        case Power(base, exponent):
            inner = _polynomial(base, p)
            return inner ** (lowered(exponent, p) if inner.is_ground else exponent)
        case Binary("+", left, right):
            return _polynomial(left, p) + _polynomial(right, p)
        case Binary("-", left, right):
            return _polynomial(left, p) - _polynomial(right, p)
        case Binary("*", left, right):
            return _polynomial(left, p) * _polynomial(right, p)
        case _:
            raise ValueError("only sums, products and powers are polynomials")


def _poly(whole: Monomials, p: int) -> Any:
    return sympy.Poly.from_dict(whole, X, Y, modulus=p)


def _monomials(poly: Any, p: int) -> Monomials:
    return {e: int(c) % p for e, c in poly.terms() if int(c) % p}


def univariate_factors(whole: Univariate, p: int) -> tuple[int, list[tuple[Univariate, int]]]:
    """Return the leading coefficient and the monic irreducible factors with multiplicities."""
    poly = sympy.Poly.from_dict({(e,): c for e, c in whole.items()}, X, modulus=p)
    unit, parts = poly.factor_list()
    return int(unit) % p, [
        ({e: int(c) % p for (e,), c in part.terms() if int(c) % p}, times) for part, times in parts
    ]


def split(whole: Monomials, p: int) -> tuple[int, list[tuple[Monomials, int]]] | None:
    """Factor by Kronecker's substitution y = x^D, with D above the degree in x, or with x = y^D.

    Every factor becomes a product of some factors of the image; which, division tells. The image
    with the fewest factors is used.

    **Arguments:**

    - `whole`: the polynomial.
    - `p`: a prime.

    **Returns:** a unit and the factors with their multiplicities; None where every image has more
    than 14 factors or a degree over 120.
    """
    swapped = {(j, i): c for (i, j), c in whole.items()}
    images = [_image(turned, extra, p) for turned in (whole, swapped) for extra in range(_IMAGES)]
    fewest = min(range(2 * _IMAGES), key=lambda k: len(images[k].parts))
    image = images[fewest]
    if len(image.parts) > _MOST_PARTS:
        return None
    found = Counter(tuple(sorted(part.items())) for part in _recombined(image, p))
    factors = [(dict(part), times) for part, times in found.items()]
    if fewest >= _IMAGES:
        factors = [({(i, j): c for (j, i), c in part.items()}, n) for part, n in factors]
    return image.unit, factors


class _Image(NamedTuple):
    """A polynomial at y = x^D, as its leading coefficient and its monic factors."""

    whole: Monomials
    D: int
    unit: int
    parts: list[Univariate]


def _image(whole: Monomials, extra: int, p: int) -> _Image:
    D = max(i for i, _ in whole) + 1 + extra
    image = {i + D * j: c for (i, j), c in whole.items()}
    if max(image) > _HIGHEST_DEGREE:
        return _Image(whole, D, 1, [{}] * (_MOST_PARTS + 1))
    unit, counted = univariate_factors(image, p)
    return _Image(whole, D, unit, [part for part, times in counted for _ in range(times)])


def _recombined(image: _Image, p: int) -> list[Monomials]:
    """Return the irreducible factors, scaled so that their images are monic."""
    rest, parts, D = _poly(image.whole, p), image.parts, image.D
    found, size = [], 1
    while 2 * size <= len(parts):
        for chosen in combinations(range(len(parts)), size):
            factor = _poly(_back([parts[k] for k in chosen], D, p), p)
            quotient, remainder = divmod(rest, factor)
            if remainder.is_zero:
                found.append(_monomials(factor, p))
                rest = quotient
                parts = [part for k, part in enumerate(parts) if k not in chosen]
                break
        else:
            size += 1
    return [*found, _back(parts, D, p)] if parts else found


def _back(parts: list[Univariate], D: int, p: int) -> Monomials:
    """Return the polynomial in two variables whose image is the product of these parts."""
    product = sympy.Poly(1, X, modulus=p)
    for part in parts:
        product *= sympy.Poly.from_dict({(e,): c for e, c in part.items()}, X, modulus=p)
    return {(e % D, e // D): int(c) % p for (e,), c in product.terms() if int(c) % p}
