"""Table A.4: the loss of each combination of the logits' parts, beside the paper's."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from grokscope.circuits.logit_parts import ROWS
from grokscope.paper.tables import operation_key, table_a4
from grokscope.report.paper.block import NOT_RUN, Block, Cell, Shown, Table
from grokscope.report.paper.grouping import grouped, values, whole, with_rows

_PAPER: Final = {operation_key("x + y"): "addition", operation_key("x - y"): "subtraction"}
_PARTS: Final = ("key", "non-key", "residual")
_SIDES: Final = ("train", "test")


def losses(shown: Shown) -> list[Block]:
    """Return the table: combinations of parts down, operations across."""
    operations = values(whole(shown.results.rows), "operation")
    found = grouped(with_rows(shown.results, "losses"), ["operation", "part", "side"])
    header = ["logits made of"]
    for operation in operations:
        header += [f"{operation}, {side}" for side in _SIDES] + [f"{operation}, paper"]
    body = [[_name(row), *_cells(row, operations, found)] for row in ROWS]
    states = [_states(shown, operation) for operation in operations]
    caption = (
        "Mean loss in nats at the last evaluation: median over seeds, below it the range. The key"
        " part holds the waves of the sum at the key frequencies, the non-key part those at all"
        " others, the residual is the rest. Guessing has a loss of log p = 4.57 for p = 97. Runs: "
        f"{'; '.join(states)}."
    )
    return [Table("", caption, header, body)]


def _name(row: str) -> Cell:
    used = [part for part, is_used in zip(_PARTS, ROWS[row], strict=True) if is_used]
    return Cell("all of it" if len(used) == len(_PARTS) else " + ".join(used))


def _cells(row: str, operations: Sequence[str], found: dict[tuple[Any, ...], list]) -> list[Cell]:
    cells = []
    for operation in operations:
        for side in _SIDES:
            rows = found.get((operation, row, side), [])
            cells.append(_ours([r["loss"] for r in rows]))
        paper = table_a4()[row].get(_PAPER.get(operation, ""))
        cells.append(Cell("" if paper is None else f"{paper:.3g}"))
    return cells


def _ours(numbers: Sequence[float]) -> Cell:
    if not numbers:
        return Cell(NOT_RUN, "not-run")
    spread = f"{min(numbers):.2g}–{max(numbers):.2g}, n = {len(numbers)}"
    return Cell(f"{np.median(numbers):.3g}", note=spread if len(numbers) > 1 else "n = 1")


def _states(shown: Shown, operation: str) -> str:
    rows = [r for r in whole(shown.results.rows) if r["operation"] == operation]
    done = [row for row in rows if row["status"] != NOT_RUN]
    grokked = sum(row["status"] == "grokked" for row in done)
    return f"{operation}: {grokked} of {len(done)} grokked"
