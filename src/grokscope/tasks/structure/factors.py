"""The polynomial of an operation as a product of irreducible ones over GF(p), by FLINT."""

from typing import TYPE_CHECKING, Final

from grokscope.tasks.grammar import Binary, Integer, Negation, Node, Power, Random, Variable
from grokscope.tasks.structure.field import balanced, is_prime

if TYPE_CHECKING:
    from flint import nmod_mpoly, nmod_mpoly_ctx

    from grokscope.tasks.expression import Expression

HIGHEST_DEGREE: Final = 60


def factors(expression: "Expression", p: int) -> str | None:
    """Return the factorisation over GF(p) as text, `… (irreducible)` where there is only one.

    Exponents of x and y of p and more are lowered first: x^p = x at every residue.

    **Arguments:**

    - `expression`: the operation.
    - `p`: the modulus.

    **Returns:** None where p is composite, the operation divides, is random or constant, or its
    degree is over 60.
    """
    if not is_prime(p) or not 0 < _degree(expression.tree, p) <= HIGHEST_DEGREE:
        return None
    whole = polynomial(expression.tree, polynomials_modulo(p))
    if whole.is_constant():
        return None
    unit, parts = whole.factor()
    if len(parts) == 1 and parts[0][1] == 1:
        return f"{_text(whole, p)} (irreducible)"
    ordered = sorted(parts, key=lambda part: (*_size(part[0]), _text(part[0], p)))
    product = "*".join(_power_text(_text(part, p), times) for part, times in ordered)
    sign = {1: "", -1: "-"}.get(balanced(int(unit), p), f"{balanced(int(unit), p)}*")
    return f"{sign}{product}"


def polynomials_modulo(p: int) -> "nmod_mpoly_ctx":
    """Return the polynomials in x and y over GF(p).

    Their terms are in the order of our texts: the highest total degree first, then that of x.
    FLINT makes the first coefficient of every factor 1.
    """
    from flint import Ordering, nmod_mpoly_ctx

    return nmod_mpoly_ctx.get(["x", "y"], modulus=p, ordering=Ordering.deglex)


def polynomial(node: Node, ring: "nmod_mpoly_ctx") -> "nmod_mpoly":
    """Return the polynomial of a syntax tree without division, its exponents lowered."""
    match node:
        case Integer(value):
            return ring.constant(value % ring.modulus())
        case Variable(name):
            return ring.gens()["xy".index(name)]
        case Negation(operand):
            return -polynomial(operand, ring)
        case Power(base, exponent):
            inner = polynomial(base, ring)
            is_lowered = isinstance(base, Variable) or inner.is_constant()
            return inner ** (_lowered(exponent, ring.modulus()) if is_lowered else exponent)
        case Binary("+", left, right):
            return polynomial(left, ring) + polynomial(right, ring)
        case Binary("-", left, right):
            return polynomial(left, ring) - polynomial(right, ring)
        case Binary("*", left, right):
            return polynomial(left, ring) * polynomial(right, ring)
        case _:
            raise ValueError("only sums, products and powers are polynomials")


def _lowered(exponent: int, p: int) -> int:
    """Return the smallest exponent from 1 that gives the same function on GF(p); 0 stays."""
    return (exponent - 1) % (p - 1) + 1 if exponent else 0


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
            return _lowered(exponent, p)
        case Power(base, exponent):
            return _degree(base, p) * exponent
        case Binary("*", left, right):
            return _degree(left, p) + _degree(right, p)
        case Binary("+" | "-", left, right):
            return max(_degree(left, p), _degree(right, p))
        case Random() | Binary():
            return HIGHEST_DEGREE + 1


def _size(poly: "nmod_mpoly") -> tuple[int, int]:
    return len(poly), int(poly.total_degree())


def _text(poly: "nmod_mpoly", p: int) -> str:
    terms = [_term_text(balanced(int(c), p), *map(int, exponents)) for exponents, c in poly.terms()]
    return " + ".join(terms).replace("+ -", "- ")


def _term_text(c: int, i: int, j: int) -> str:
    powers = [n if e == 1 else f"{n}^{e}" for n, e in (("x", i), ("y", j)) if e]
    if not powers:
        return str(c)
    sign = {1: "", -1: "-"}.get(c, f"{c}*")
    return sign + "*".join(powers)


def _power_text(part: str, times: int) -> str:
    part = part if part in ("x", "y") else f"({part})"
    return part if times == 1 else f"{part}^{times}"
