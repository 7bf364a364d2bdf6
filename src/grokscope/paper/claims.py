"""What the paper says of one cell: from its tables, or from a sentence of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grokscope.paper.experiment import Experiment, operation_of
from grokscope.paper.tables import PaperCell, table_1, table_a5

PAPER_P: Final = 97
_SCRATCH: Final = "from_scratch"


@dataclass(frozen=True)
class Claims:
    """Where the paper's numbers of a view come from.

    **Arguments:**

    - `experiment`: whose starts have names in Table 1.
    - `source`: `table_a5`, `table_1`, or a list of statements, each with `grokked` and the
      columns that it is about.
    """

    experiment: Experiment
    source: str | Sequence[Mapping[str, Any]]

    def cell(self, place: Mapping[str, Any]) -> PaperCell | None:
        """Return what the paper says of a cell, or None.

        **Arguments:**

        - `place`: the cell's columns: operation, p, train_fraction, start and so on.
        """
        if not self.experiment.covers(place):
            return None
        if not isinstance(self.source, str):
            return _stated(self.source, place)
        if place.get("p") != PAPER_P or place.get("task") is not None:
            return None
        if self.source == "table_1" and self._start(place) != _SCRATCH:
            return self._transferred(place)
        if self._start(place) != _SCRATCH:
            return None
        row = table_a5().get(place["operation"])
        return None if row is None else row.cells.get(place["train_fraction"])

    def threshold(self, place: Mapping[str, Any]) -> tuple[bool, float | None]:
        """Return whether Table 1 has a cell, and the smallest fraction that grokked in it."""
        row = table_1().get(place["operation"], {})
        name = self._start(place)
        known = place.get("p") == PAPER_P and name in row
        return known, row[name] if known else None

    def _transferred(self, place: Mapping[str, Any]) -> PaperCell | None:
        """Read Table 1: it gives the smallest fraction; larger ones are taken to grok, too."""
        known, least = self.threshold(place)
        if not known:
            return None
        return PaperCell(least is not None and place["train_fraction"] >= least - 1e-9)

    def _start(self, place: Mapping[str, Any]) -> str:
        """Return the name of a start in Table 1."""
        starts = self.experiment.axes.get("start", ())
        names = {start["label"]: start.get("paper", "") for start in starts}
        return names.get(place.get("start"), _SCRATCH if place.get("start") is None else "")


def _stated(statements: Sequence[Mapping[str, Any]], place: Mapping[str, Any]) -> PaperCell | None:
    """Return the first statement whose columns all fit."""
    for statement in statements:
        about = {"task": None} | {k: v for k, v in statement.items() if k != "grokked"}
        if "operation" in about:
            about["operation"] = operation_of(about["operation"])
        if all(place.get(name) == value for name, value in about.items()):
            return PaperCell(bool(statement["grokked"]))
    return None
