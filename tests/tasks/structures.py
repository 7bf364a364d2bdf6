"""What the tests of structures share: the paper's operations, and texts evaluated by SymPy."""

import csv
from functools import cache
from importlib import resources
from typing import Final

from sympy import discrete_log, primitive_root

from grokscope.tasks.structure import Search, Structure, structure

TABLE: Final = resources.files("grokscope") / "data" / "paper" / "table_a5.csv"
OPERATIONS: Final = [row["operation"] for row in csv.DictReader(TABLE.read_text().splitlines())]
NONE: Final = ["x^2 + x*y + y^2", "x^2 + x*y + y^2 + x", "x^3 + x*y", "x^3 + x*y^2 + y"]


@cache
def found(operation: str, p: int = 97) -> Search:
    return structure(operation, p)


def best(operation: str, p: int = 97) -> Structure:
    one = found(operation, p).best
    assert one is not None
    return one


@cache
def logarithm(p: int, residue: int) -> int:
    return int(discrete_log(p, residue, primitive_root(p)))


def value(text: str, p: int, **names: int) -> int:
    """Evaluate one of our texts in whole numbers; log by SymPy."""
    functions = {"log": lambda a: logarithm(p, a % p)}
    return eval(text.replace("^", "**"), functions | names)
