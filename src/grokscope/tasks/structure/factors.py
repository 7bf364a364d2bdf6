"""The polynomial of an operation as a product of irreducible ones over GF(p)."""

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sympy

from grokscope.tasks.grammar import Binary, Integer, Negation, Node, Power, Random, Variable
from grokscope.tasks.structure.field import balanced, is_prime

if TYPE_CHECKING:
    from grokscope.tasks.expression import Expression


HIGHEST_DEGREE: Final = 60

Monomials = dict[tuple[int, int], int]
"""(power of x, power of y) → coefficient modulo p, without zeros."""


def factors(expression: "Expression", p: int) -> str | None:
    """Return the factorisation over GF(p) as text, `… (irreducible)` where there is only one.

    Exponents of x and y of p and more are lowered first: x^p = x at every residue.

    **Arguments:**

    - `expression`: the operation.
    - `p`: the modulus.

    **Returns:** None where p is composite, the operation divides, is random or constant, or its
    degree is too high.
    """
    if not is_prime(p) or not 0 < _degree(expression.tree, p) <= HIGHEST_DEGREE:
        return None

    whole = monomials(expression.tree, p)
    if not any(map(sum, whole)):
        return None
    found = _factor(whole, p)
    if found is None:
        return None
    unit, parts = _leading_one(*found, p)
    if len(parts) == 1 and parts[0][1] == 1:
        return f"{text(whole, p)} (irreducible)"
    product = "*".join(_powered(text(part, p), times) for part, times in parts)
    sign = {1: "", -1: "-"}.get(balanced(unit, p), f"{balanced(unit, p)}*")
    return f"{sign}{product}"


def _leading_one(
    unit: int, parts: list[tuple[Monomials, int]], p: int
) -> tuple[int, list[tuple[Monomials, int]]]:
    """Scale every factor so that its text begins with the coefficient 1; sort them."""
    scaled = []
    for part, times in parts:
        lead = part[_order(part)[0]]
        scaled.append(({e: c * pow(lead, -1, p) % p for e, c in part.items()}, times))
        unit = unit * pow(lead, times, p) % p
    return unit, sorted(
        scaled, key=lambda part: (len(part[0]), sum(_order(part[0])[0]), text(part[0], p))
    )


def _order(whole: Monomials) -> list[tuple[int, int]]:
    return sorted(whole, key=lambda powers: (-sum(powers), -powers[0]))


def text(whole: Monomials, p: int) -> str:
    """Return a polynomial in x and y, highest total degree first."""
    return " + ".join(_term(balanced(whole[e], p), *e) for e in _order(whole)).replace("+ -", "- ")


def _term(c: int, i: int, j: int) -> str:
    names = [n if e == 1 else f"{n}^{e}" for n, e in (("x", i), ("y", j)) if e]
    if not names:
        return str(c)
    sign = {1: "", -1: "-"}.get(c, f"{c}*")
    return sign + "*".join(names)


def _powered(part: str, times: int) -> str:
    part = part if part in ("x", "y") else f"({part})"
    return part if times == 1 else f"{part}^{times}"


def _degree(node: Node, p: int) -> int:
    """Return a bound on the total degree, too high where the operation is no polynomial."""
    match node:
        case Integer():
            return 0
        case Variable():
            return 1
        case Negation(operand):
            return _degree(operand, p)
        case Power(Variable(), exponent):
            return lowered(exponent, p)
        case Power(base, exponent):
            return _degree(base, p) * exponent
        case Binary("*", left, right):
            return _degree(left, p) + _degree(right, p)
        case Binary("+" | "-", left, right):
            return max(_degree(left, p), _degree(right, p))
        case Random() | Binary():
            return HIGHEST_DEGREE + 1


def lowered(exponent: int, p: int) -> int:
    """Return the smallest exponent from 1 that gives the same function on GF(p); 0 stays."""
    return (exponent - 1) % (p - 1) + 1 if exponent else 0


def _factor(whole: Monomials, p: int) -> tuple[int, list[tuple[Monomials, int]]] | None:
    """Return a unit and the monic irreducible factors with their multiplicities."""
    found: list[tuple[Monomials, int]] = []
    i, j = min(e[0] for e in whole), min(e[1] for e in whole)
    found += [({(1, 0): 1}, i)] * (i > 0) + [({(0, 1): 1}, j)] * (j > 0)
    rest = {(a - i, b - j): c for (a, b), c in whole.items()}
    if len({a + b for a, b in rest}) == 1:
        unit, parts = _homogeneous(rest, p)
    else:
        divided = split(rest, p)
        if divided is None:
            return None
        unit, parts = divided
    return unit, found + parts


def _homogeneous(whole: Monomials, p: int) -> tuple[int, list[tuple[Monomials, int]]]:
    """Factor at y = 1 and put the powers of y back."""

    unit, parts = univariate_factors({i: c for (i, _), c in whole.items()}, p)
    return unit, [
        ({(i, max(part) - i): c for i, c in part.items()}, times) for part, times in parts
    ]


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
