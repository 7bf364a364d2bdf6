"""How the seeds of one setting ended, as the cell of a table beside the paper's."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from grokscope.paper.agreement import State, Tally, cell_state
from grokscope.paper.results import numbers
from grokscope.paper.tables import PaperCell
from grokscope.report.paper.block import NOT_RUN, Cell
from grokscope.report.paper.grouping import Row

MARKS: Final[dict[State, str]] = {
    State.AGREES: "✓",
    State.CONSISTENT: "≈",
    State.UNDECIDED: "…",
    State.MIXED: "±",
    State.ONE_STEP: "≠",
    State.DIFFERS: "≠",
    State.FAILED: "✗",
    State.NOT_RUN: "",
    State.NO_NUMBER: "",
}
"""A sign for each state, so that it does not depend on colours."""
LEGEND: Final = (
    "✓ agrees; ≈ consistent so far: the paper did not grok and neither did ours; … undecided at"
    " this step, where the paper grokked; ± seeds differ; ≠ differs; not run: no run of ours."
    " An undecided run never counts as a disagreement."
)
_LOCKED: Final = ("running", "interrupted", "interrupted (killed)")


def tally(rows: Sequence[Row]) -> Tally:
    """Count how the runs of some rows ended; those that are not run do not count."""
    return Tally.of([row["status"] for row in rows if row["status"] != NOT_RUN])


def cell(rows: Sequence[Row], paper: PaperCell | None) -> Cell:
    """Return the cell of one setting.

    **Arguments:**

    - `rows`: one per seed.
    - `paper`: what the paper says of it; None for nothing.
    """
    ours = tally(rows)
    state = cell_state(None if paper is None else paper.grokked, ours)
    said = "" if paper is None else f"paper {paper.text}"
    if state is State.NOT_RUN:
        return Cell(NOT_RUN, state, said)
    mark = f"{MARKS[state]} " if MARKS[state] else ""
    notes = [_details(rows, ours), said]
    return Cell(f"{mark}{_outcome(rows, ours)}", state, "; ".join(filter(None, notes)))


def _outcome(rows: Sequence[Row], ours: Tally) -> str:
    at = numbers(rows, "grokked_at")
    if ours.all_grokked:
        return f"grok {np.median(at):,.0f}" if at else "grok"
    if ours.grokked:
        return f"{ours.grokked} of {ours.n} grok"
    if not ours.undecided:
        return "diverged" if any(row["status"] == "diverged" for row in rows) else "failed"
    best = numbers(rows, "best_test_accuracy")
    return percent(float(np.mean(best))) if best else "undecided"


def _details(rows: Sequence[Row], ours: Tally) -> str:
    """Say n and spread of what grokked, and how far the rest is."""
    at, parts = sorted(numbers(rows, "grokked_at")), []
    if len(at) > 1:
        parts.append(f"{at[0]:,.0f}–{at[-1]:,.0f}, n = {len(at)}")
    if ours.undecided:
        late = [row for row in rows if row["status"] not in ("grokked", NOT_RUN)]
        steps = numbers(late, "steps")
        doing = "so far" if any(row["status"] in _LOCKED for row in late) else "undecided"
        n = f", n = {len(steps)}" if len(steps) > 1 else ""
        parts.append(f"{doing} at {max(steps, default=0):,.0f}{n}")
        unleaked = numbers(late, "unleaked_accuracy")
        if unleaked and _leaks(late):
            parts.append(f"unleaked {percent(float(np.mean(unleaked)))}")
    return "; ".join(parts)


def _leaks(rows: Sequence[Row]) -> bool:
    """Whether test accuracy and accuracy on unleaked pairs differ."""
    pairs = [(row.get("test_accuracy"), row.get("unleaked_accuracy")) for row in rows]
    return any(a is not None and b is not None and abs(a - b) > 1e-9 for a, b in pairs)


def percent(share: float) -> str:
    """Return a share as the paper prints it, never rounded up to 100%."""
    return f"{min(100 * share, 99.9 if share < 1 else 100):.3g}%"
