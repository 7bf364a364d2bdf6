"""What a view of an experiment is made of: figures, and tables whose cells have a state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from grokscope.paper.experiment import Experiment, View
from grokscope.paper.results import Results
from grokscope.report.figures.figure import Figure

UNKNOWN = "–"
NOT_RUN = "not run"


@dataclass(frozen=True)
class Cell:
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
    rows: Sequence[Sequence[Cell]]

    def markdown(self) -> str:
        """Return the table for a documentation page."""
        lines = [_line(self.header), _line(["---"] * len(self.header))]
        lines += [_line([_flat(cell) for cell in row]) for row in self.rows]
        return "\n".join(lines)


Block = Figure | Table


class Shown(NamedTuple):
    """What a view draws from."""

    experiment: Experiment
    results: Results
    view: View


def words(block: Table) -> dict[str, Any]:
    """Return a table as its template shows it."""
    return {"title": block.title, "caption": block.caption, "header": block.header,
            "rows": block.rows}  # fmt: skip


def _flat(cell: Cell) -> str:
    return f"{cell.text} ({cell.note})" if cell.note else cell.text


def _line(cells: Sequence[str]) -> str:
    # operations hold asterisks, which Markdown would take for emphasis
    safe = (cell.replace("|", "/").replace("*", r"\*").replace("<", "&lt;") for cell in cells)
    return f"| {' | '.join(safe)} |"
