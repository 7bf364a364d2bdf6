"""What a view of an experiment is made of: figures, panels over time, and tables of cells."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import altair as alt
import numpy as np

from grokscope.paper.agreement import State, Tally, cell_state
from grokscope.paper.experiment import Experiment, View
from grokscope.paper.results import NOT_RUN, Results, column_numbers
from grokscope.paper.tables import PaperCell
from grokscope.reports.figures.figure import Figure, Panel
from grokscope.reports.figures.timeline import BUCKETS, TimeAxis, lines_panel, side_axis
from grokscope.rounding import share_in_percent

UNKNOWN = "–"


@dataclass(frozen=True)
class TableCell:
    """One cell of a table.

    **Arguments:**

    - `text`: what it says.
    - `state`: one of the agreement states, which gives it a colour; empty for none.
    - `note`: a second, smaller line.
    """

    text: str
    state: str = ""
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its words; the first cell of a row names it."""

    title: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[TableCell]]

    def markdown(self) -> str:
        """Return the table for a documentation page."""
        lines = [_line(self.header), _line(["---"] * len(self.header))]
        lines += [_line([_flat(cell) for cell in row]) for row in self.rows]
        return "\n".join(lines)


Block = Figure | Table


class ViewData(NamedTuple):
    """What a view draws from."""

    experiment: Experiment
    results: Results
    view: View


def template_values(block: Table) -> dict[str, Any]:
    """Return a table as its template shows it."""
    return {
        "title": block.title,
        "caption": block.caption,
        "header": block.header,
        "rows": block.rows,
    }


def _flat(cell: TableCell) -> str:
    return f"{cell.text} ({cell.note})" if cell.note else cell.text


def _line(cells: Sequence[str]) -> str:
    # operations hold asterisks, which Markdown would take for emphasis
    safe = (cell.replace("|", "/").replace("*", r"\*").replace("<", "&lt;") for cell in cells)
    return f"| {' | '.join(safe)} |"


Row = Mapping[str, Any]
CELL_COLUMNS: Final = ("operation", "task", "p", "train_fraction", "start")
_SHORT: Final = {"train_fraction": "r", "p": "p"}


def grouped(rows: Iterable[Row], names: Sequence[str]) -> dict[tuple[Any, ...], list[Row]]:
    """Return the rows by the values of some columns, in the order of their first occurrence."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row.get(name) for name in names), []).append(row)
    return found


def whole_runs(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of whole runs, without those of single operations of mixtures."""
    return [row for row in rows if row.get("task") is None]


def column_values(rows: Iterable[Row], name: str) -> list[Any]:
    """Return the different values of a column, numbers in order, texts as they come."""
    found = list(dict.fromkeys(row.get(name) for row in rows if row.get(name) is not None))
    return sorted(found) if all(isinstance(v, int | float) for v in found) else found


def varying_columns(rows: Sequence[Row], without: Sequence[str]) -> list[str]:
    """Return the columns that tell rows apart, besides those named."""
    return [n for n in CELL_COLUMNS if n not in without and len(column_values(rows, n)) > 1]


def values_in_words(row: Row, names: Sequence[str]) -> str:
    """Return the values of some columns as a title: `x + y, r = 0.3`."""
    return ", ".join(
        text for text in (value_in_words(name, row.get(name)) for name in names) if text
    )


def value_in_words(name: str, value: Any) -> str:
    """Return one value with what it needs to be understood."""
    if value is None:
        return ""
    shown = f"{value:g}" if isinstance(value, int | float) else str(value)
    return f"{_SHORT[name]} = {shown}" if name in _SHORT else shown


def with_rows(results: Results, name: str) -> list[dict[str, Any]]:
    """Return a long table, each row with the columns of the run that it is of.

    The task of a long row, where it has one, stands before that of its run.
    """
    found = []
    for row in results.long_table(name):
        run = {key: results.rows[row["row"]].get(key) for key in (*CELL_COLUMNS, "seed", "status")}
        found.append(
            run | {k: v for k, v in row.items() if k != "task"} | {"task": row.get("task")}
        )
    return found


def median_or_none(numbers: Sequence[float]) -> float | None:
    """Return the median, or None of nothing."""
    return statistics.median(numbers) if numbers else None


def outcome_in_words(rows: Iterable[Row]) -> str:
    """Say how the seeds of some rows ended: `grokked`, `undecided`, or `2 of 3 grokked`."""
    states = [row["status"] for row in {row["seed"]: row for row in rows}.values()]
    if len(set(states)) == 1:
        return states[0]
    return f"{states.count('grokked')} of {len(states)} grokked"


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
_UNFINISHED: Final = ("running", "interrupted", "interrupted (killed)")


def tally_of(rows: Sequence[Row]) -> Tally:
    """Count how the runs of some rows ended; those that are not run do not count."""
    return Tally.of([row["status"] for row in rows if row["status"] != NOT_RUN])


def outcome_cell(rows: Sequence[Row], paper: PaperCell | None) -> TableCell:
    """Return the cell of one setting.

    **Arguments:**

    - `rows`: one per seed.
    - `paper`: what the paper says of it; None for nothing.
    """
    ours = tally_of(rows)
    state = cell_state(None if paper is None else paper.grokked, ours)
    paper_note = "" if paper is None else f"paper {paper.text}"
    if state is State.NOT_RUN:
        return TableCell(NOT_RUN, state, paper_note)
    mark = f"{MARKS[state]} " if MARKS[state] else ""
    notes = [_details_in_words(rows, ours), paper_note]
    return TableCell(
        f"{mark}{_outcome_in_words(rows, ours)}", state, "; ".join(filter(None, notes))
    )


def _outcome_in_words(rows: Sequence[Row], ours: Tally) -> str:
    at = column_numbers(rows, "grokked_at")
    if ours.all_grokked:
        return f"grok {np.median(at):,.0f}" if at else "grok"
    if ours.grokked:
        return f"{ours.grokked} of {ours.n} grok"
    if not ours.undecided:
        return "diverged" if any(row["status"] == "diverged" for row in rows) else "failed"
    best = column_numbers(rows, "best_test_accuracy")
    return paper_percent(float(np.mean(best))) if best else "undecided"


def _details_in_words(rows: Sequence[Row], ours: Tally) -> str:
    """Say n and spread of what grokked, and how far the rest is."""
    at, parts = sorted(column_numbers(rows, "grokked_at")), []
    if len(at) > 1:
        parts.append(f"{at[0]:,.0f}–{at[-1]:,.0f}, n = {len(at)}")
    if ours.undecided:
        late = [row for row in rows if row["status"] not in ("grokked", NOT_RUN)]
        steps = column_numbers(late, "steps")
        doing = "so far" if any(row["status"] in _UNFINISHED for row in late) else "undecided"
        n = f", n = {len(steps)}" if len(steps) > 1 else ""
        parts.append(f"{doing} at {max(steps, default=0):,.0f}{n}")
        unleaked = column_numbers(late, "unleaked_accuracy")
        if unleaked and _leaks(late):
            parts.append(f"unleaked {paper_percent(float(np.mean(unleaked)))}")
    return "; ".join(parts)


def _leaks(rows: Sequence[Row]) -> bool:
    """Whether test accuracy and accuracy on unleaked pairs differ."""
    pairs = [(row.get("test_accuracy"), row.get("unleaked_accuracy")) for row in rows]
    return any(a is not None and b is not None and abs(a - b) > 1e-9 for a, b in pairs)


def paper_percent(share: float) -> str:
    """Return a share as the paper prints it, with more digits where it would look like 100%."""
    text = f"{100 * share:.3g}"
    return share_in_percent(share) if float(text) >= 100 > 100 * share else f"{text}%"


EVALUATIONS: Final = 50
"""Steps between evaluations, where a logarithmic axis begins."""


def time_panel(
    rows: Sequence[dict[str, Any]], title: str, colour: alt.Color, y_title: str, last: int
) -> Panel:
    """Draw curves of several runs, one thin line each.

    **Arguments:**

    - `rows`: `step`, `value`, `line` (one per curve) and the column of the colour.
    - `title`: of the panel.
    - `colour`: from `grokscope.reports.figures.figure.colours`.
    - `y_title`: of the vertical axis, which goes from 0 to 1.
    - `last`: last step of the axis.
    """
    axis = TimeAxis(last, EVALUATIONS, "step (full-batch updates)", BUCKETS)
    y = alt.Y("value:Q", title=y_title, scale=alt.Scale(domain=[0, 1]), axis=side_axis())
    return lines_panel(rows, axis, y, colour, title, 170)
