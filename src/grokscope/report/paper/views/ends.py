"""FFS and FCR before and after training, beside what the paper says of them."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from grokscope.paper.agreement import State
from grokscope.paper.experiment import operation_of
from grokscope.paper.results import numbers
from grokscope.report.finding import SMALLEST_FALL
from grokscope.report.paper.block import NOT_RUN, UNKNOWN, Block, Cell, Shown, Table
from grokscope.report.paper.cells import MARKS
from grokscope.report.paper.grouping import Row, grouped, said, varying, whole

_COLUMNS: Final = {"ffs_W_E": "FFS of W_E", "fcr_W_E": "FCR of W_E", "ffs_W_L": "FFS of W_L",
                   "fcr_W_L": "FCR of W_L"}  # fmt: skip


def ends(shown: Shown) -> list[Block]:
    """Return the table: settings down, measures across."""
    rows = whole(shown.results.rows)
    names = ["operation", *varying(rows, ["operation", "task"])]
    statements = {operation_of(f["operation"]): f for f in shown.view.options.get("falls", ())}
    body = []
    for found in grouped(rows, names).values():
        known = shown.experiment.covers(found[0])
        says = statements.get(found[0]["operation"], {}) if known else {}
        done = [row for row in found if row["status"] != NOT_RUN]
        grokked = [row for row in done if row["status"] == "grokked"]
        cells = [_cell(done, grokked, key, says.get(key)) for key in _COLUMNS]
        body.append([Cell(said(found[0], names)), _state(done, grokked), *cells])
    caption = (
        "First → last value, medians over the seeds that grokked (where none did, over all;"
        f" then nothing is compared). A fall is one of at least {SMALLEST_FALL:g}. Below it what"
        " the paper says, where it says something of this measure. ✓ agrees; ≠ differs."
    )
    return [Table("", caption, ["", "grokked", *_COLUMNS.values()], body)]


def _state(done: Sequence[Row], grokked: Sequence[Row]) -> Cell:
    return Cell(f"{len(grokked)} of {len(done)}") if done else Cell(NOT_RUN, State.NOT_RUN)


def _cell(done: Sequence[Row], grokked: Sequence[Row], key: str, says: str | None) -> Cell:
    note = f"paper: {says}" if says else ""
    rows = grokked or done
    first, last = numbers(rows, f"{key}_first"), numbers(rows, key)
    if not first or not last:
        return Cell(UNKNOWN if done else NOT_RUN, "" if done else State.NOT_RUN, note)
    start, end = float(np.median(first)), float(np.median(last))
    spread = f" ({min(last):.2f}–{max(last):.2f})" if len(last) > 1 else ""
    text = f"{start:.2f} → {end:.2f}{spread}"
    state = _compared(start - end, says) if grokked and says else ""
    mark = f"{MARKS[State(state)]} " if state else ""
    return Cell(f"{mark}{text}", state, note)


def _compared(fall: float, says: str) -> State:
    fell = fall >= SMALLEST_FALL
    return State.AGREES if fell == (says == "falls") else State.DIFFERS
