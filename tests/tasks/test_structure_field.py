"""Arithmetic modulo p and short texts, with SymPy as the oracle."""

import numpy as np
import pytest
import sympy

from grokscope.tasks.structure.field import (
    balanced,
    divisors,
    interpolate,
    interpolate_units,
    is_prime,
    logarithms,
    powers,
    text_of,
    units,
)
from grokscope.tasks.structure.forms import read_form

PRIMES = list(sympy.primerange(2, 200))


def test_primes_divisors_and_units():
    assert [p for p in range(-1, 1010) if is_prime(p)] == list(sympy.primerange(2, 1010))
    for n in (1, 2, 12, 96, 97):
        assert divisors(n) == sympy.divisors(n)
        assert len(units(n)) == sympy.totient(n)


@pytest.mark.parametrize("p", [*PRIMES, 1009])
def test_logarithms_are_to_the_smallest_primitive_root(p):
    root = sympy.primitive_root(p) if p > 2 else 1
    assert root is not None
    assert powers(p).tolist() == [pow(root, k, p) for k in range(p - 1)]
    for residue in range(1, p, max(1, p // 20)):
        if p > 2:
            assert logarithms(p)[residue] == sympy.discrete_log(p, residue, root)
    assert logarithms(p)[0] == -1


def test_a_composite_number_has_no_primitive_root_here():
    with pytest.raises(ValueError, match="not prime"):
        powers(9)


@pytest.mark.parametrize(("residue", "n", "shown"), [(96, 97, -1), (48, 96, 48), (49, 96, -47)])
def test_balanced_residues(residue, n, shown):
    assert balanced(residue, n) == shown


@pytest.mark.parametrize("p", [2, 3, 5, 31, 97])
def test_interpolation_gives_back_a_polynomial(p):
    random = np.random.default_rng(p)
    for _ in range(20):
        exponents = random.choice(p, size=min(p, 4), replace=False)
        terms = {int(e): int(random.integers(1, p)) for e in exponents}
        values = [sum(c * pow(x, e, p) for e, c in terms.items()) % p for x in range(p)]
        assert interpolate(np.array(values), p) == terms


@pytest.mark.parametrize("n", [4, 6, 9, 12, 60])
@pytest.mark.parametrize("terms", [{1: 3}, {2: 1, 1: 2}, {3: 1, 0: 2}, {4: 2, 1: 1, 0: 3}])
def test_interpolation_modulo_a_composite_number(n, terms):
    values = np.array([sum(c * x**e for e, c in terms.items()) % n for x in range(n)])
    got = interpolate(values, n)
    assert got is not None  # perhaps another polynomial, which is the same function
    assert [sum(c * x**e for e, c in got.items()) % n for x in range(n)] == values.tolist()


def test_a_table_that_is_no_short_polynomial():
    assert interpolate(np.random.default_rng(0).permutation(97), 97) is None
    assert interpolate(np.array([0, 0, 1, 0, 0, 0]), 6) is None


def test_negative_powers():
    values = np.array([(3 * pow(5, -2 * k, 97) + 1) % 97 for k in range(96)])
    assert interpolate_units(values, 5, 97) == {-2: 3, 0: 1}
    assert text_of({-2: 3, 0: 1}, "t", 97) == "1 + 3/t^2"


def coordinate(function, p, n):
    values = [function(x) for x in range(p)]
    return np.array([-1 if value is None else value % n for value in values])


@pytest.mark.parametrize(
    ("function", "n", "text", "constant"),
    [
        (lambda x: x, 97, "x", 0),
        (lambda x: 3 * x + 5, 97, "3*x", 5),
        (lambda x: x**4, 97, "x^4", 0),
        (lambda x: -2 * x**9 + 1, 97, "-2*x^9", 1),
        (lambda x: x**3 - x, 97, "x^3 - x", 0),
        (lambda x: (x + 3) ** 20, 97, "(x + 3)^20", 0),
        (lambda x: pow(x, -1, 97) if x else None, 97, "1/x", 0),
        (lambda x: 2 * pow(x + 5, -3, 97) if x != 92 else None, 97, "2/(x + 5)^3", 0),
        (lambda x: None if x == 0 else logarithms(97)[x], 96, "log(x)", 0),
        (
            lambda x: None if x == 95 else 3 * logarithms(97)[(x + 2) % 97] + 7,
            96,
            "3*log(x + 2)",
            7,
        ),
        (lambda x: None if x == 1 else -logarithms(97)[x - 1], 32, "-log(x - 1)", 0),
        (
            lambda x: None if x in (1, 96) else logarithms(97)[(x * x - 1) % 97] + 9,
            96,
            "log(x^2 - 1)",
            9,
        ),
        (lambda x: x % 7 * (x % 11), 97, "a table", None),
    ],
)
def test_texts_of_coordinates(function, n, text, constant):
    form = read_form(coordinate(function, 97, n), n)
    assert form.text("x") == text
    assert constant in (form.constant, None)
