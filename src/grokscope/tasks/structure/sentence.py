"""A structure as one sentence."""

from dataclasses import replace

from grokscope.tasks.structure.field import balanced
from grokscope.tasks.structure.forms import Form, Readout

_POWERS = {"x": "", "x^2": " of squares", "x^3": " of cubes"}


def sentence(name: str, u: Form, v: Form, readout: Readout) -> str:
    """Return what the operation is, without a period.

    **Arguments:**

    - `name`: the operation, for instance `x^2 + y^2`, or `the table`.
    - `u`: the coordinate of x.
    - `v`: the coordinate of y.
    - `readout`: what the label is of their sum.
    """
    where = f"mod {u.p}" if u.n in (u.p, u.p - 1) else f"mod {u.p}, in Z_{u.n}"
    said = _product(u, v, readout) if u.kind == "logarithm" or u.p % u.n else _sum(u, v, readout)
    comma = "," if "," in said else ""
    return f"{name} is {said}{comma} {where}"


def _sum(u: Form, v: Form, readout: Readout) -> str:
    line = readout.scale_and_constant
    if line is not None and line[0] == 1:
        return f"{_addition(u, v)}{_constant(line[1], u.p)}"
    total = _joined(u, v)
    if readout.kind == "table":
        return f"a function of {total}"
    return f"the function {readout.text} of s = {total}"


def _addition(u: Form, v: Form) -> str:
    first, second = u.text("x"), v.text("y")
    for sign, word in (("", "addition"), ("-", "subtraction")):
        if second == sign + first.replace("x", "y") and first in _POWERS:
            return word + _POWERS[first]
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


def _product(u: Form, v: Form, readout: Readout) -> str:
    line = readout.scale_and_constant
    if line is not None:
        times = balanced(line[0], u.p)
        scale = f", times {times}" if times != 1 else ""
        return f"{_multiplication(u, v)}{scale}{_constant(line[1], u.p)}"
    total = _multiplied(u, v)
    if readout.kind == "table":
        return f"a function of the product {total}"
    return f"the function {readout.in_terms_of('t')} of the product t = {total}"


def _multiplication(u: Form, v: Form) -> str:
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
            return f"division of {_power(u, 'x')} by {_power(divisor, 'y')}"
    return f"multiplication of {_power(u, 'x')} and {_power(v, 'y')}"


def _multiplied(u: Form, v: Form) -> str:
    if "table" in (u.kind, v.kind):
        return f"of {_power(u, 'x')} and {_power(v, 'y')}"
    return f"{_bracketed(u, 'x')}*{_bracketed(v, 'y')}"


def _power(form: Form, variable: str) -> str:
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


def _constant(c: int, p: int) -> str:
    c = balanced(c, p)
    return "" if c == 0 else f", {'plus' if c > 0 else 'minus'} {abs(c)}"
