"""Text to syntax tree: a small hand-written reader that executes nothing and has hard limits."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from grokscope.errors import UsageError, quote

LONGEST_TEXT: Final = 200
DEEPEST_NESTING: Final = 50
LARGEST_EXPONENT: Final = 10_000
MOST_DIGITS: Final = 12

_ALLOWED: Final = "x, y, whole numbers, + - * / ^ and parentheses, or random alone"
_OPERAND: Final = "x, y, a whole number, - or ("
_EXAMPLE: Final = 'an example: "x^2 + 3*y"'
_MODULO: Final = "leave it out: every operation is taken modulo p"
_HINTS: Final[dict[str, str]] = {
    "×": "write *",
    "·": "write *",
    "÷": "write /",
    "−": "write - (the hyphen)",
    "²": "write ^2",
    "³": "write ^3",
    "%": _MODULO,
    "mod": _MODULO,
    "=": "write only the right side",
    ".": "numbers are whole: write 3/2 for 1.5",
    ",": "give each operation of a mixture as a text of its own",
    "[": "write (",
    "]": "write )",
    "xy": "write x*y",
    "yx": "write y*x",
    "X": "write x",
    "Y": "write y",
    "random": "random stands alone, without operators",
}


@dataclass(frozen=True)
class Integer:
    """A whole number, 0 or more."""

    value: int


@dataclass(frozen=True)
class Variable:
    """One of the two operands, x or y."""

    name: str


@dataclass(frozen=True)
class Random:
    """A fixed random table, drawn from the seed."""


@dataclass(frozen=True)
class Negation:
    """The operand with its sign turned."""

    operand: "Node"


@dataclass(frozen=True)
class Power:
    """The base multiplied with itself, `exponent` times."""

    base: "Node"
    exponent: int


@dataclass(frozen=True)
class Binary:
    """Two operands joined by `+`, `-`, `*` or `/`."""

    operator: str
    left: "Node"
    right: "Node"


Node = Integer | Variable | Random | Negation | Power | Binary


def read(text: str) -> Node:
    """Return the syntax tree of an operation.

    **Arguments:**

    - `text`: for instance `x^2 + 3*y`, at most 200 characters without spaces.

    **Raises:** `UsageError` for every text outside the grammar or beyond its limits.
    """
    if not isinstance(text, str):
        raise UsageError("an operation is a text", got=text, next_step=_EXAMPLE)
    length = sum(map(len, text.split()))
    if length > LONGEST_TEXT:
        raise UsageError(
            "the operation is too long",
            got=f"{length} characters",
            allowed=f"{LONGEST_TEXT} characters, spaces not counted",
            next_step="write it shorter, for example with powers",
        )
    if length == 0:
        raise UsageError("the operation is empty", allowed=_ALLOWED, next_step=_EXAMPLE)
    if text.strip() == "random":
        return Random()
    return _Reader(text).whole()


class _Token(NamedTuple):
    kind: str
    text: str
    place: int

    def __str__(self) -> str:
        return f"{quote(self.text)} at character {self.place}"


_TOKEN: Final = re.compile(
    r"\s+|(?P<integer>\d+)|(?P<name>[^\W\d]+)|(?P<operator>\*\*|[-+*/^()])|(?P<other>.)",
    re.ASCII | re.DOTALL,
)


class _Reader:
    """Recursive descent; each level of nesting passes through `_signed`, which counts it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokens()
        self.position = 0
        self.depth = 0

    def _tokens(self) -> list[_Token]:
        matches = [match for match in _TOKEN.finditer(self.text) if match.lastgroup]
        tokens = [_Token(m.lastgroup or "", m.group(), m.start() + 1) for m in matches]
        for token in tokens:
            foreign = token.kind == "name" and token.text not in ("x", "y")
            if foreign or token.kind == "other":
                raise self._error(
                    f"{token} is not allowed", _ALLOWED, _HINTS.get(token.text, _EXAMPLE)
                )
            if token.kind == "integer" and len(token.text) > MOST_DIGITS:
                allowed = f"at most {MOST_DIGITS} digits"
                raise self._error(f"{token} is too large", allowed, "write it modulo p")
        return [*tokens, _Token("end", "", len(self.text) + 1)]

    def whole(self) -> Node:
        tree = self._sum()
        if self.token.text == ")":
            raise self._error(f"{self.token} closes nothing", _ALLOWED, "remove it")
        self._expect_operator()
        return tree

    def _sum(self) -> Node:
        return self._chain(self._product, ("+", "-"))

    def _product(self) -> Node:
        return self._chain(self._signed, ("*", "/"))

    def _chain(self, operand: Callable[[], Node], operators: tuple[str, str]) -> Node:
        tree = operand()
        while self.token.text in operators:
            tree = Binary(self._take().text, tree, operand())
        return tree

    def _signed(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            allowed = f"{DEEPEST_NESTING} levels of parentheses, signs and powers"
            raise self._error(
                "the operation is nested too deeply", allowed, "write it with fewer of them"
            )
        tree = self._negation() if self.token.text == "-" else self._power()
        self.depth -= 1
        return tree

    def _negation(self) -> Node:
        self._take()
        return Negation(self._signed())

    def _power(self) -> Node:
        base = self._atom()
        if self.token.text not in ("^", "**"):
            return base
        self._take()
        place = self.token.place
        return Power(base, self._exponent(self._signed(), place))

    def _exponent(self, tree: Node, place: int) -> int:
        if isinstance(tree, Integer) and tree.value <= LARGEST_EXPONENT:
            return tree.value
        allowed = f"a whole number, 0 to {LARGEST_EXPONENT}"
        match tree:
            case Integer():
                what, next_step = "is too large", "choose a smaller one"
            case Negation():
                what, next_step = "is negative", "divide instead, for example 1/x^2"
            case Power():
                what, next_step = "has an exponent itself", "write (x^2)^3 or x^8"
            case _:
                what, next_step = "is not a constant", "write a number, for example x^2"
        raise self._error(f"the exponent at character {place} {what}", allowed, next_step)

    def _atom(self) -> Node:
        token = self._take()
        if token.kind == "integer":
            return Integer(int(token.text))
        if token.kind == "name":
            return Variable(token.text)
        if token.text == "(":
            return self._group(token)
        if token.kind == "end":
            raise self._error("the operation ends too early", f"{_OPERAND} at the end", _EXAMPLE)
        raise self._error(f"{token} cannot stand there", _OPERAND, _EXAMPLE)

    def _group(self, opening: _Token) -> Node:
        tree = self._sum()
        self._expect_operator()
        if self._take().kind == "end":
            raise self._error(f"{opening} is never closed", _ALLOWED, "add )")
        return tree

    def _expect_operator(self) -> None:
        """Refuse an operand that follows an operand, as in 2x, x y or x(y)."""
        if self.token.text in ("", ")"):
            return
        right = self.token.text
        left = self.tokens[self.position - 1].text.replace(")", "(…)")
        product = f"{left}*{right.replace('(', '(…)')}"
        power = f", or {left}^{right} for a power" if self.token.kind == "integer" else ""
        what = f"an operator is missing before {self.token}"
        raise self._error(what, _ALLOWED, f"write {product}{power}")

    @property
    def token(self) -> _Token:
        return self.tokens[self.position]

    def _take(self) -> _Token:
        token = self.token
        self.position += token.kind != "end"
        return token

    def _error(self, what: str, allowed: str, next_step: str) -> UsageError:
        return UsageError(what, got=self.text, allowed=allowed, next_step=next_step)
