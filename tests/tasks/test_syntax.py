"""The reader: which texts it accepts, and the one line it answers to every other text."""

from typing import Any

import pytest

from grokscope.errors import UsageError
from grokscope.tasks.grammar import Binary, Integer, Negation, Power, Random, Variable, read

X, Y = Variable("x"), Variable("y")
TERMS = "x, y, whole numbers, + - * / ^ and parentheses, or random alone"
OPERANDS = "x, y, a whole number, - or ("
EXAMPLE = 'an example: "x^2 + 3*y"'


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("7", Integer(7)),
        ("random", Random()),
        (" random\n", Random()),
        ("x - y - 1", Binary("-", Binary("-", X, Y), Integer(1))),
        ("x/y*2", Binary("*", Binary("/", X, Y), Integer(2))),
        ("x + y*2", Binary("+", X, Binary("*", Y, Integer(2)))),
        ("(x + y)*2", Binary("*", Binary("+", X, Y), Integer(2))),
        ("-x^2", Negation(Power(X, 2))),
        ("(-x)**2", Power(Negation(X), 2)),
        ("x*-y", Binary("*", X, Negation(Y))),
        ("-x*y", Binary("*", Negation(X), Y)),
        ("x--y", Binary("-", X, Negation(Y))),
        ("x^(2)", Power(X, 2)),
        ("x^0", Power(X, 0)),
        ("\tx\r\n", X),
    ],
)
def test_precedence_and_grouping(text, tree):
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", f"the operation is empty; allowed: {TERMS}; {EXAMPLE}"),
        (
            "2x",
            "an operator is missing before 'x' at character 2; got '2x'; "
            f"allowed: {TERMS}; write 2*x",
        ),
        (
            "2(x)",
            "an operator is missing before '(' at character 2; got '2(x)'; "
            f"allowed: {TERMS}; write 2*(…)",
        ),
        (
            "x(y)",
            "an operator is missing before '(' at character 2; got 'x(y)'; "
            f"allowed: {TERMS}; write x*(…)",
        ),
        (
            "(x)2",
            "an operator is missing before '2' at character 4; got '(x)2'; "
            f"allowed: {TERMS}; write (…)*2, or (…)^2 for a power",
        ),
        (
            "(x y)",
            "an operator is missing before 'y' at character 4; got '(x y)'; "
            f"allowed: {TERMS}; write x*y",
        ),
        ("xy", f"'xy' at character 1 is not allowed; got 'xy'; allowed: {TERMS}; write x*y"),
        ("x + z", f"'z' at character 5 is not allowed; got 'x + z'; allowed: {TERMS}; {EXAMPLE}"),
        (
            "x*random",
            "'random' at character 3 is not allowed; got 'x*random'; "
            f"allowed: {TERMS}; random stands alone, without operators",
        ),
        (
            "x % 3",
            f"'%' at character 3 is not allowed; got 'x % 3'; allowed: {TERMS}; "
            "leave it out: every operation is taken modulo p",
        ),
        (
            "x.__class__",
            "'.' at character 2 is not allowed; got 'x.__class__'; "
            f"allowed: {TERMS}; numbers are whole: write 3/2 for 1.5",
        ),
        (
            "__import__('os')",
            "'__import__' at character 1 is not allowed; "
            f"got '__import__('os')'; allowed: {TERMS}; {EXAMPLE}",
        ),
        ("x\0", rf"'\x00' at character 2 is not allowed; got 'x\x00'; allowed: {TERMS}; {EXAMPLE}"),
        (
            "x\ud800",
            f"'\\ud800' at character 2 is not allowed; got 'x\\ud800'; allowed: {TERMS}; {EXAMPLE}",
        ),
        (
            "x^^2",
            f"'^' at character 3 cannot stand there; got 'x^^2'; allowed: {OPERANDS}; {EXAMPLE}",
        ),
        ("()", f"')' at character 2 cannot stand there; got '()'; allowed: {OPERANDS}; {EXAMPLE}"),
        (
            "x +",
            f"the operation ends too early; got 'x +'; allowed: {OPERANDS} at the end; {EXAMPLE}",
        ),
        ("(x", f"'(' at character 1 is never closed; got '(x'; allowed: {TERMS}; add )"),
        ("x)", f"')' at character 2 closes nothing; got 'x)'; allowed: {TERMS}; remove it"),
        (
            "x^-1",
            "the exponent at character 3 is negative; got 'x^-1'; "
            "allowed: a whole number, 0 to 10000; divide instead, for example 1/x^2",
        ),
        (
            "x^y",
            "the exponent at character 3 is not a constant; got 'x^y'; "
            "allowed: a whole number, 0 to 10000; write a number, for example x^2",
        ),
        (
            "x^2^3",
            "the exponent at character 3 has an exponent itself; got 'x^2^3'; "
            "allowed: a whole number, 0 to 10000; write (x^2)^3 or x^8",
        ),
        (
            "x^10001",
            "the exponent at character 3 is too large; got 'x^10001'; "
            "allowed: a whole number, 0 to 10000; choose a smaller one",
        ),
        (
            "x + 1234567890123",
            "'1234567890123' at character 5 is too large; "
            "got 'x + 1234567890123'; allowed: at most 12 digits; "
            "write it modulo p",
        ),
        (
            "(" * 10_000,
            "the operation is too long; got '10000 characters'; allowed: "
            "200 characters, spaces not counted; "
            "write it shorter, for example with powers",
        ),
    ],
)
def test_each_wrong_text_gets_one_line(text, line):
    with pytest.raises(UsageError) as caught:
        read(text)
    assert str(caught.value) == line


@pytest.mark.parametrize("character", ["५", "\u00a0", "ｘ", "\ufeff", "'"])
def test_only_plain_characters_are_read(character):
    with pytest.raises(UsageError, match="at character 3 is not allowed"):
        read(f"x*{character} ")


@pytest.mark.parametrize("word", ["×", "÷", "−", "²", "mod", "=", ",", "[", "X", "1.5"])
def test_common_slips_get_their_own_hint(word):
    with pytest.raises(UsageError) as caught:
        read(f"x {word} y")
    assert caught.value.next_step != EXAMPLE


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ("x" + " + x" * 99, "x" + "+x" * 99 + "+x"),
        ("(" * 49 + "x" + ")" * 49, "(" * 50 + "x" + ")" * 50),
        ("-" * 49 + "x", "-" * 50 + "x"),
        ("x^10000", "x^10001"),
        ("9" * 12, "9" * 13),
    ],
)
def test_limits_are_where_they_are_said_to_be(inside, outside):
    read(inside)
    with pytest.raises(UsageError):
        read(outside)


def test_something_that_is_not_a_text():
    number: Any = 3
    with pytest.raises(UsageError, match="an operation is a text; got 3"):
        read(number)
