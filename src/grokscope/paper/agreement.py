"""Whether our runs say what the paper says, cell by cell; undecided is never a disagreement."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
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

    def cell(self, columns: Mapping[str, Any]) -> PaperCell | None:
        """Return what the paper says of a cell, or None.

        **Arguments:**

        - `columns`: those of the cell: operation, p, train_fraction, start and so on.
        """
        if not self.experiment.covers(columns):
            return None
        if not isinstance(self.source, str):
            return _statement_about(self.source, columns)
        if columns.get("p") != PAPER_P or columns.get("task") is not None:
            return None
        if self.source == "table_1" and self._start(columns) != _SCRATCH:
            return self._transferred(columns)
        if self._start(columns) != _SCRATCH:
            return None
        row = table_a5().get(columns["operation"])
        return None if row is None else row.cells.get(columns["train_fraction"])

    def threshold(self, columns: Mapping[str, Any]) -> tuple[bool, float | None]:
        """Return whether Table 1 has a cell, and the smallest fraction that grokked in it."""
        row = table_1().get(columns["operation"], {})
        name = self._start(columns)
        known = columns.get("p") == PAPER_P and name in row
        return known, row[name] if known else None

    def _transferred(self, columns: Mapping[str, Any]) -> PaperCell | None:
        """Read Table 1: it gives the smallest fraction; larger ones are taken to grok, too."""
        known, least = self.threshold(columns)
        if not known:
            return None
        return PaperCell(least is not None and columns["train_fraction"] >= least - 1e-9)

    def _start(self, columns: Mapping[str, Any]) -> str:
        """Return the name of a start in Table 1."""
        starts = self.experiment.axes.get("start", ())
        names = {start["label"]: start.get("paper", "") for start in starts}
        return names.get(columns.get("start"), _SCRATCH if columns.get("start") is None else "")


def _statement_about(
    statements: Sequence[Mapping[str, Any]], columns: Mapping[str, Any]
) -> PaperCell | None:
    """Return the first statement whose columns all fit."""
    for statement in statements:
        about = {"task": None} | {k: v for k, v in statement.items() if k != "grokked"}
        if "operation" in about:
            about["operation"] = operation_of(about["operation"])
        if all(columns.get(name) == value for name, value in about.items()):
            return PaperCell(bool(statement["grokked"]))
    return None


STEP: Final = 0.1
"""Distance of the training fractions that the paper tried."""
_CLOSE: Final = 1e-6


class State(StrEnum):
    """How one cell of ours stands beside the paper's."""

    AGREES = "agrees"
    """The paper and all of our seeds grokked; or both thresholds are equal."""
    CONSISTENT = "consistent"
    """Nothing of ours contradicts the paper so far, and nothing can confirm it."""
    UNDECIDED = "undecided"
    """The paper grokked; none of ours has, up to the steps it was given."""
    MIXED = "mixed"
    """Some of our seeds grokked, others are undecided."""
    ONE_STEP = "one-step"
    """Ours grokked at a training fraction one step smaller than the paper's smallest."""
    DIFFERS = "differs"
    """All of ours grokked where the paper did not, or two steps or more below its smallest."""
    FAILED = "failed"
    """No run came to an end: training diverged or failed."""
    NOT_RUN = "not-run"
    """There is no run of ours."""
    NO_NUMBER = "no-number"
    """We have runs; the paper gives no number."""


WORDS: Final[dict[State, str]] = {
    State.AGREES: "agrees",
    State.CONSISTENT: "consistent so far",
    State.UNDECIDED: "undecided",
    State.MIXED: "seeds differ",
    State.ONE_STEP: "one step off",
    State.DIFFERS: "differs",
    State.FAILED: "failed",
    State.NOT_RUN: "not run",
    State.NO_NUMBER: "no number in the paper",
}
"""Each state as tables and counts say it."""


@dataclass(frozen=True)
class Tally:
    """How the seeds of one setting ended.

    **Arguments:**

    - `grokked`: number of runs that grokked.
    - `undecided`: number that did not within their steps, or still train.
    - `failed`: number that diverged or failed.
    """

    grokked: int = 0
    undecided: int = 0
    failed: int = 0

    @classmethod
    def of(cls, statuses: Iterable[str]) -> "Tally":
        """Count the states of runs, as their manifests say them."""
        found = list(statuses)
        grokked = found.count("grokked")
        failed = sum(status in ("diverged", "failed") for status in found)
        return cls(grokked, len(found) - grokked - failed, failed)

    @property
    def n(self) -> int:
        """How many runs there are."""
        return self.grokked + self.undecided + self.failed

    @property
    def all_grokked(self) -> bool:
        """Whether there are runs, and all grokked."""
        return self.grokked > 0 and self.undecided + self.failed == 0


def cell_state(paper_grokked: bool | None, ours: Tally) -> State:
    """Return how one setting stands.

    **Arguments:**

    - `paper_grokked`: whether it grokked in the paper; None where the paper does not say.
    - `ours`: how our seeds ended.
    """
    if ours == Tally():
        return State.NOT_RUN
    if ours.grokked + ours.undecided == 0:
        return State.FAILED
    if paper_grokked is None:
        return State.NO_NUMBER
    if ours.grokked and not ours.all_grokked:
        return State.MIXED
    if paper_grokked:
        return State.AGREES if ours.grokked else State.UNDECIDED
    return State.DIFFERS if ours.grokked else State.CONSISTENT


def smallest_grokked(ours: Mapping[float, Tally]) -> float | None:
    """Return the smallest training fraction at which all of our seeds grokked, or None."""
    return min((r for r, tally in ours.items() if tally.all_grokked), default=None)


def threshold_state(paper: float | None, ours: Mapping[float, Tally]) -> State:
    """Return how the smallest training fraction that groks stands.

    Equal thresholds agree only if the next smaller fraction was tried, too, unless the paper's is
    the smallest that it tried itself. A larger fraction of ours is undecided where the paper's
    was tried, since the run there may only need more steps, and says nothing where it was not.
    Where only some seeds grokked, up to the paper's fraction, the seeds differ.

    **Arguments:**

    - `paper`: the paper's smallest fraction; None for never.
    - `ours`: how our seeds ended at each fraction that was tried.
    """
    tried = {r: tally for r, tally in ours.items() if tally.grokked + tally.undecided}
    if not tried:
        return State.FAILED if any(t.failed for t in ours.values()) else State.NOT_RUN
    least = smallest_grokked(tried)
    if least is not None and (paper is None or least < paper - _CLOSE):
        close = paper is not None and paper - least < STEP + _CLOSE
        return State.ONE_STEP if close else State.DIFFERS
    here = _tally_at(tried, paper)
    if here is not None and here.all_grokked and _below_tried(paper, tried):
        return State.AGREES
    up_to_it = [t for r, t in tried.items() if paper is None or r < paper + _CLOSE]
    if any(t.grokked and not t.all_grokked for t in up_to_it):
        return State.MIXED
    return State.CONSISTENT if here is None or here.all_grokked else State.UNDECIDED


def _tally_at(tried: Mapping[float, Tally], r: float | None) -> Tally | None:
    """Return the tally at a fraction, if it was tried."""
    return None if r is None else next((t for x, t in tried.items() if abs(x - r) < _CLOSE), None)


def _below_tried(paper: float | None, tried: Mapping[float, Tally], smallest: float = 0.3) -> bool:
    """Whether the fraction below the paper's was tried, or there is none in the paper."""
    if paper is None or paper <= smallest + _CLOSE:
        return True
    return _tally_at(tried, paper - STEP) is not None


def states_in_words(states: Sequence[State]) -> str:
    """Return how often each state occurs, in words: `agrees 12, undecided 3 (of 15 cells)`."""
    parts = [f"{WORDS[state]} {states.count(state)}" for state in State if state in states]
    return f"{', '.join(parts)} (of {len(states)} cells)" if states else "no cells"
