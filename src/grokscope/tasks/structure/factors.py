"""The polynomial of an operation as a product of irreducible ones over GF(p).

SymPy factors polynomials in one variable over GF(p); those in two are brought to one variable and
back. Its text parser, which evaluates, is never used: the syntax tree is walked instead.
"""

from typing import TYPE_CHECKING, Final

from grokscope.tasks.structure.field import balanced, is_prime
from grokscope.tasks.syntax import Binary, Integer, Negation, Node, Power, Random, Variable

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
    from grokscope.tasks.structure.bivariate import monomials

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
        from grokscope.tasks.structure.bivariate import split

        divided = split(rest, p)
        if divided is None:
            return None
        unit, parts = divided
    return unit, found + parts


def _homogeneous(whole: Monomials, p: int) -> tuple[int, list[tuple[Monomials, int]]]:
    """Factor at y = 1 and put the powers of y back."""
    from grokscope.tasks.structure.bivariate import univariate_factors

    unit, parts = univariate_factors({i: c for (i, _), c in whole.items()}, p)
    return unit, [
        ({(i, max(part) - i): c for i, c in part.items()}, times) for part, times in parts
    ]
