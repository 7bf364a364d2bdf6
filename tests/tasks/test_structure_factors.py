"""Factorisations over GF(p): multiplied out again by SymPy, and irreducible by naive search."""

import itertools
import subprocess
import sys
from typing import Any

import pytest
import sympy

from grokscope.tasks import parse
from grokscope.tasks.structure.factors import factors, polynomial, polynomials_modulo

X, Y = sympy.symbols("x y")


@pytest.mark.parametrize(
    ("operation", "p", "text"),
    [
        ("x^2 + x*y + y^2", 97, "(x + 36*y)*(x - 35*y)"),
        ("x^2 + x*y + y^2", 59, "x^2 + x*y + y^2 (irreducible)"),
        ("x^3 + x*y", 97, "x*(x^2 + y)"),
        ("x^3 + x*y^2 + y", 97, "x^3 + x*y^2 + y (irreducible)"),
        ("(x + y)^7", 97, "(x + y)^7"),
        ("(x + y)^60", 97, "(x + y)^60"),
        ("(x + y)^2 + x + y", 97, "(x + y)*(x + y + 1)"),
        ("2*x^2*y + 10*y", 97, "2*y*(x^2 + 5)"),
        ("(x + 1)*(x + 2*y)^2*(y^2 + x + 1)", 97, "(x + 1)*(x + 2*y)^2*(y^2 + x + 1)"),
        ("-x*y", 97, "-x*y"),
        ("x^10000", 97, "x^16"),
        ("x^97 - x", 97, None),  # the zero function
        ("x^2 + y^2", 2, "x + y (irreducible)"),
        ("(2^10000)^10000*x", 97, "-36*x (irreducible)"),
        ("x + y", 12, None),
        ("x/2 + y", 97, None),
        ("random", 97, None),
        ("3 + 4", 97, None),
        ("(x + y)^61", 97, None),
        ("(x + y)^10000", 97, None),
    ],
)
def test_factorisations(operation, p, text):
    assert factors(parse(operation), p) == text


@pytest.mark.parametrize("p", [2, 3, 5, 97])
@pytest.mark.parametrize(
    "operation",
    [
        "x^6 - y^6",
        "(x + y)*(x*y + 1)^2*(x - 3)",
        "(x^2 + y)*(y^2 + x)*(x + y + 1)",
        "x^4 + x*y + 1",
        "(2*x*y + 3)*(x^3 + y^2)",
        "x^3*y^2*(x + 4)",
        "(x + 1)^3*(y - 1)",
        "x^5 + y + 2*y^3",
    ],
)
def test_factors_multiply_to_the_operation(operation, p):
    text = factors(parse(operation), p)
    assert text is not None
    product = eval(text.removesuffix(" (irreducible)").replace("^", "**"), {"x": X, "y": Y})
    assert _coefficients(product, p) == _terms(operation, p)


def _terms(operation: str, p: int) -> dict[tuple[int, ...], int]:
    found = polynomial(parse(operation).tree, polynomials_modulo(p))
    return {e: int(c) for e, c in found.to_dict().items()}


def _coefficients(formula: Any, p: int) -> dict[tuple[int, ...], int]:
    """Multiply a formula out over the integers, and reduce it modulo p."""
    return {e: int(c) % p for e, c in sympy.Poly(formula, X, Y).terms() if int(c) % p}


def test_irreducible_means_without_any_factor():
    # all products of polynomials of degree 1 with those of degree 1, over GF(3)
    linear = [a * X + b * Y + c for a, b, c in itertools.product(range(3), repeat=3) if a or b]
    reducible = [_coefficients(f * g, 3) for f in linear for g in linear]
    for coefficients in itertools.product(range(3), repeat=5):
        a, b, c, d, e = coefficients
        text = f"{a}*x^2 + {b}*x*y + {c}*y^2 + {d}*x + {e}"
        poly = _terms(text, 3)
        if max(map(sum, poly), default=0) == 2:
            found = factors(parse(text), 3)
            assert found is not None
            assert found.endswith("(irreducible)") == (poly not in reducible), text


def test_flint_is_loaded_only_for_a_factorisation():
    code = """
import sys
import numpy as np
from grokscope.tasks import find_structures
labels = np.add.outer(np.arange(7), np.arange(7)) % 7
print(find_structures(labels, labels >= 0).best.words, "flint" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "the table is addition mod 7 False\n"
