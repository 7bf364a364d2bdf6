"""The paper's own tables, as they stand in `data/paper`."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from grokscope.tasks import parse

SMALLEST: Final = 0.3
"""The least training fraction that the paper tried."""
_NEVER: Final = "never"


@dataclass(frozen=True)
class PaperCell:
    """What the paper says of one operation at one training fraction."""

    grokked: bool
    accuracy: float | None = None
    """Best test accuracy where it did not grok, 0 to 1."""

    @property
    def text(self) -> str:
        """As the paper prints it: `grok`, or a percentage; `no` where it gives no number."""
        if self.grokked:
            return "grok"
        return "no" if self.accuracy is None else f"{100 * self.accuracy:.3g}%"


@dataclass(frozen=True)
class PaperRow:
    """One operation of Table A.5."""

    group: str
    cells: Mapping[float, PaperCell]
    """By training fraction."""

    @property
    def smallest_fraction(self) -> float | None:
        """The least fraction that grokked; None if none did."""
        return min((r for r, cell in self.cells.items() if cell.grokked), default=None)


def operation_key(operations: str) -> str:
    """Return operations, joined with commas, in the spelling by which all tables are keyed."""
    return ", ".join(parse(text).canonical for text in operations.split(","))


@cache
def table_a5() -> dict[str, PaperRow]:
    """Return Table A.5 by operation, in the paper's order."""
    return {operation_key(row["operation"]): _accuracies(row) for row in _read("table_a5")}


@cache
def table_1() -> dict[str, dict[str, float | None]]:
    """Return Table 1 by operation: what was transferred → the least fraction that grokked.

    The keys are `add_embedding`, …, and `from_scratch`; None stands for never.
    """
    return {
        operation_key(row.pop("downstream")): {k: _fraction(v) for k, v in row.items()}
        for row in _read("table_1")
    }


@cache
def table_a4() -> dict[str, dict[str, float]]:
    """Return Table A.4: row → loss of `addition` and of `subtraction`."""
    return {
        row["row"]: {key: float(row[key]) for key in ("addition", "subtraction")}
        for row in _read("table_a4")
    }


def _accuracies(row: Mapping[str, str]) -> PaperRow:
    cells = {float(k[2:]): _cell(v) for k, v in row.items() if k.startswith("r=")}
    return PaperRow(row["group"], cells)


def _cell(text: str) -> PaperCell:
    return PaperCell(True) if text == "grok" else PaperCell(False, float(text) / 100)


def _fraction(text: str) -> float | None:
    return None if text == _NEVER else float(text)


def _read(name: str) -> list[dict[str, str]]:
    source = files("grokscope") / "data" / "paper" / f"{name}.csv"
    return list(csv.DictReader(source.read_text("utf-8").splitlines()))
