"""An operation on two residues: its canonical text and its exact values modulo p."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from grokscope.errors import UsageError
from grokscope.tasks.grammar import Binary, Integer, Negation, Node, Power, Random, Variable, read

_SUM, _PRODUCT, _SIGNED, _POWER, _ATOM = range(1, 6)


@dataclass(frozen=True)
class Expression:
    """An operation f(x, y), made by `parse`.

    **Arguments:**

    - `tree`: its syntax tree (see `syntax.py`).
    """

    tree: Node

    @property
    def canonical(self) -> str:
        """The operation as text: one spacing, `^` for powers, no needless parentheses."""
        return _text(self.tree)

    @property
    def is_random(self) -> bool:
        """Whether this is the random table, which only a seed turns into labels."""
        return isinstance(self.tree, Random)

    def evaluate(self, p: int) -> tuple[Int[np.ndarray, "p p"], Bool[np.ndarray, "p p"]]:
        """Return the residues f(x, y) mod p at `[x, y]`, and where they are defined.

        **Arguments:**

        - `p`: the modulus, 2 or more; it may be composite.

        **Returns:** the residues (0 where undefined) and the mask of defined pairs. A pair is
        undefined where any divisor has no inverse modulo p. The power 0^0 is 1.

        **Raises:** `UsageError` for `random`, whose values need a seed.
        """
        values, defined = _residues(self.tree, p)
        return np.where(defined, values, 0), defined


def parse(text: str) -> Expression:
    """Read an operation; nothing in the text is ever executed.

    **Arguments:**

    - `text`: whole numbers, `x`, `y`, `+ - * / ^` (or `**`), unary minus and parentheses, or the
      word `random` alone. Limits: 200 characters without spaces, 50 levels, 12 digits, exponents
      that are whole numbers up to 10,000.

    **Raises:** `UsageError`, one line that says what is wrong and what to write instead.
    """
    return Expression(read(text))


def _text(node: Node) -> str:
    match node:
        case Integer(value):
            return str(value)
        case Variable(name):
            return name
        case Random():
            return "random"
        case Negation(operand):
            return f"-{_enclosed(operand, _SIGNED)}"
        case Power(base, exponent):
            return f"{_enclosed(base, _ATOM)}^{exponent}"
        case Binary(operator, left, right):
            level = _level(node)
            sign = f" {operator} " if level == _SUM else operator
            # a − (b + c) and a/(b·c) need their parentheses, a + (b − c) and a·(b/c) do not
            lowest = level + 1 if operator in "-/" else level
            return f"{_enclosed(left, level)}{sign}{_enclosed(right, lowest)}"


def _enclosed(node: Node, lowest: int) -> str:
    return _text(node) if _level(node) >= lowest else f"({_text(node)})"


def _level(node: Node) -> int:
    match node:
        case Binary(operator):
            return _SUM if operator in "+-" else _PRODUCT
        case Negation():
            return _SIGNED
        case Power():
            return _POWER
        case _:
            return _ATOM


def _residues(node: Node, p: int) -> tuple[Int[np.ndarray, "p p"], Bool[np.ndarray, "p p"]]:
    defined = np.ones((p, p), dtype=bool)
    match node:
        case Integer(value):
            return np.full((p, p), value % p, dtype=np.int64), defined
        case Variable(name):
            return np.indices((p, p), dtype=np.int64)["xy".index(name)], defined
        case Random():
            raise UsageError(
                "random has no values without a seed",
                got="random",
                next_step="use Task.labels(seed)",
            )
        case Negation(operand):
            values, defined = _residues(operand, p)
            return -values % p, defined
        case Power(base, exponent):
            values, defined = _residues(base, p)
            powers = np.array([pow(residue, exponent, p) for residue in range(p)])
            return powers[values], defined
        case Binary(operator, left, right):
            a, a_defined = _residues(left, p)
            b, b_defined = _residues(right, p)
            values, divisible = _combine(operator, a, b, p)
            return values, a_defined & b_defined & divisible


def _combine(
    operator: str, a: Int[np.ndarray, "p p"], b: Int[np.ndarray, "p p"], p: int
) -> tuple[Int[np.ndarray, "p p"], Bool[np.ndarray, "p p"]]:
    everywhere = np.ones((p, p), dtype=bool)
    match operator:
        case "+":
            return (a + b) % p, everywhere
        case "-":
            return (a - b) % p, everywhere
        case "*":
            return a * b % p, everywhere
        case _:
            # a / b = a · b⁻¹, where b⁻¹ exists when gcd(b, p) = 1
            units = [math.gcd(residue, p) == 1 for residue in range(p)]
            inverses = [pow(r, -1, p) if unit else 0 for r, unit in enumerate(units)]
            return a * np.array(inverses)[b] % p, np.array(units)[b]
