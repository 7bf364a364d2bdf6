"""Expressions: canonical text, and values that agree with SymPy and with a search for inverses."""

import csv
from importlib.resources import files

import numpy as np
import pytest
import sympy
from sympy.abc import x, y

from grokscope.errors import UsageError
from grokscope.tasks import parse

ORACLE = {
    "x + y": x + y,
    "x - y": x - y,
    "x * y": x * y,
    "2*x + y": 2 * x + y,
    "2*x - y": 2 * x - y,
    "2*x + 3*y": 2 * x + 3 * y,
    "2*x - 3*y": 2 * x - 3 * y,
    "x*y + x + y": x * y + x + y,
    "x*y + y": x * y + y,
    "x*y - y": x * y - y,
    "x^2 + y": x**2 + y,
    "x^2 - y": x**2 - y,
    "x^3 + 2*y": x**3 + 2 * y,
    "x^3 - 2*y": x**3 - 2 * y,
    "x^2 + x*y + y^2": x**2 + x * y + y**2,
    "x^2 + x*y + y^2 + x": x**2 + x * y + y**2 + x,
    "x^3 + x*y": x**3 + x * y,
    "x^3 + x*y^2 + y": x**3 + x * y**2 + y,
    "x^2 - y^2": x**2 - y**2,
    "(x + y)^2 + x + y": (x + y) ** 2 + x + y,
    "(x - y)^2": (x - y) ** 2,
    "(x - y)^3": (x - y) ** 3,
    "(x - y)^4": (x - y) ** 4,
    **{f"x^{n} + y^{n}": x**n + y**n for n in range(2, 8)},
    **{f"(x + y)^{n}": (x + y) ** n for n in range(2, 8)},
}


def paper_operations(table: str, column: str) -> list[str]:
    path = files("grokscope").joinpath("data", "paper", table)
    return [row[column] for row in csv.DictReader(path.read_text().splitlines())]


def sympy_values(expression, p: int) -> np.ndarray:
    """Sum the monomials of SymPy's expanded polynomial, over GF(p) where p is a prime."""
    domain = sympy.GF(p, symmetric=False) if sympy.isprime(p) else sympy.ZZ
    values = np.zeros((p, p), dtype=np.int64)
    for (i, j), coefficient in sympy.Poly(expression, x, y, domain=domain).terms():
        x_power = np.array([pow(a, i, p) for a in range(p)])
        y_power = np.array([pow(b, j, p) for b in range(p)])
        values += int(coefficient) % p * np.outer(x_power, y_power)
    return values % p


def test_the_oracle_holds_every_operation_of_the_paper():
    table_a5 = paper_operations("table_a5.csv", "operation")
    table_1 = paper_operations("table_1.csv", "downstream")
    assert (len(table_a5), len(table_1)) == (35, 16)
    assert set(table_a5) | set(table_1) == set(ORACLE)


@pytest.mark.parametrize("p", [59, 97, 12])
@pytest.mark.parametrize("text", ORACLE)
def test_every_operation_of_the_paper_agrees_with_sympy(text, p):
    values, defined = parse(text).evaluate(p)
    assert defined.all()
    np.testing.assert_array_equal(values, sympy_values(ORACLE[text], p))


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("-x^2*-y - -3", x**2 * y + 3),
        ("((x - 2)^3*(y + 5)^2 - x)^4", ((x - 2) ** 3 * (y + 5) ** 2 - x) ** 4),
        ("999999999999*x - 123456789012", 999999999999 * x - 123456789012),
        ("x - (y - (x - 1))*2", x - (y - (x - 1)) * 2),
    ],
)
@pytest.mark.parametrize("p", [97, 91])
def test_signs_nesting_and_large_numbers_agree_with_sympy(text, expression, p):
    np.testing.assert_array_equal(parse(text).evaluate(p)[0], sympy_values(expression, p))


@pytest.mark.parametrize("p", [2, 12, 97])
def test_division_finds_the_only_quotient(p):
    values, defined = parse("x/y").evaluate(p)
    for b in range(p):
        multiples = [b * c % p for c in range(p)]
        unit = sorted(multiples) == list(range(p))
        for a in range(p):
            assert defined[a, b] == unit
            assert values[a, b] == (multiples.index(a) if unit else 0)


@pytest.mark.parametrize("text", ["0*(1/x)", "(1/x)^0", "1/x - 1/x", "-(y/x)", "1/(1/x)"])
def test_an_undefined_part_makes_the_whole_undefined(text):
    defined = parse(text).evaluate(7)[1]
    assert not defined[0].any()
    assert defined[1:].all()


def test_zero_to_the_power_zero_is_one():
    assert (parse("x^0").evaluate(5)[0] == 1).all()


def test_large_powers_follow_fermat():
    # x^(p−1) = 1 where x ≠ 0, so x^9601 = x^(96·100 + 1) = x modulo 97
    np.testing.assert_array_equal(parse("x^9601").evaluate(97)[0], parse("x").evaluate(97)[0])


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("x+y", "x + y"),
        ("x * y", "x*y"),
        ("x**2", "x^2"),
        ("((x))^(2)", "x^2"),
        ("007*x", "7*x"),
        ("(x*y)*y", "x*y*y"),
        ("x*(y/2)", "x*y/2"),
        ("x + (y - 1)", "x + y - 1"),
        ("x - (y - 1)", "x - (y - 1)"),
        ("x/(y*2)", "x/(y*2)"),
        ("(x + y)*2", "(x + y)*2"),
        ("(-x)^2", "(-x)^2"),
        ("-(x^2)", "-x^2"),
        ("-(x*y)", "-(x*y)"),
        ("(x^2)^3", "(x^2)^3"),
        ("x-(-y)", "x - -y"),
        (" random ", "random"),
    ],
)
def test_canonical_text(text, canonical):
    assert parse(text).canonical == canonical


def test_random_is_known_as_such_and_has_no_values_without_a_seed():
    assert parse("random").is_random
    assert not parse("x").is_random
    with pytest.raises(UsageError, match="without a seed"):
        parse("random").evaluate(5)
