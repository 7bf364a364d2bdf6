"""The smallest training fraction that grokked, by operation and by what was transferred."""

from collections.abc import Mapping, Sequence

from grokscope.paper.agreement import State, Tally, smallest_grokked, threshold_state
from grokscope.paper.claims import Claims
from grokscope.paper.results import numbers
from grokscope.report.paper.block import NOT_RUN, Block, Cell, Shown, Table
from grokscope.report.paper.cells import MARKS, tally
from grokscope.report.paper.grouping import Row, grouped, values, whole

_CAPTION = (
    "Ours: the smallest training fraction r at which all seeds grokked; ≤ where smaller ones were"
    " not tried; > where none did up to that fraction. Below it the paper's; never: at none of 0.3"
    " to 0.9. ✓ equal; ≠ ours grokked at a smaller fraction, one step or more; ≈ consistent so far;"
    " … undecided: the paper's fraction was tried and has not grokked within the steps given;"
    " ± seeds differ. An undecided run never counts as a disagreement."
)


def thresholds(shown: Shown) -> list[Block]:
    """Return the table: operations down, starts across."""
    rows = whole(shown.results.rows)
    claims = Claims(shown.experiment, "table_1")
    starts = values(rows, "start") or [None]
    cells = grouped(rows, ["operation", "start"])
    body = []
    for operation in values(rows, "operation"):
        line = [_cell(cells.get((operation, start), []), claims) for start in starts]
        body.append([Cell(operation), *line])
    header = ["operation", *(start or "from scratch" for start in starts)]
    return [Table("", _CAPTION, header, body)]


def _cell(rows: Sequence[Row], claims: Claims) -> Cell:
    if not rows:
        return Cell("")
    known, paper = claims.threshold(rows[0])
    ours = {r: tally(found) for (r,), found in grouped(rows, ["train_fraction"]).items()}
    tried_there = {row["train_fraction"] for row in rows if claims.experiment.covers(row)}
    compared = {r: t for r, t in ours.items() if r in tried_there}
    state = threshold_state(paper, compared or ours)
    if not (known and compared) and state not in (State.NOT_RUN, State.FAILED):
        state = State.NO_NUMBER
    said = "" if not known else f"paper {'never' if paper is None else f'{paper:g}'}"
    text = NOT_RUN if state is State.NOT_RUN else f"{MARKS[state]} {_ours(ours)}".strip()
    tried = [f"{r:g}" for r, t in ours.items() if t.grokked + t.undecided]
    n = max((t.grokked + t.undecided for t in ours.values()), default=0)
    note = f"tried {' '.join(tried)}, n = {n}{_length(rows)}" if tried else ""
    return Cell(text, state, "; ".join(filter(None, [note, said])))


def _length(rows: Sequence[Row]) -> str:
    """Say how long those trained that have not grokked."""
    late = [row for row in rows if row["status"] not in ("grokked", NOT_RUN)]
    steps = numbers(late, "steps")
    return f", undecided at {max(steps):,.0f}" if steps else ""


def _ours(ours: Mapping[float, Tally]) -> str:
    """Return our smallest fraction, as a bound where smaller ones were not tried."""
    tried = sorted(r for r, t in ours.items() if t.grokked + t.undecided)
    least = smallest_grokked(ours)
    if least is None:
        some = [f"{t.grokked} of {t.n} at {r:g}" for r, t in sorted(ours.items()) if t.grokked]
        if some:
            return ", ".join(some)
        return f"> {tried[-1]:g}" if tried else "failed"
    bound = "" if least <= min(_PAPER) or any(abs(r - least + 0.1) < 1e-6 for r in tried) else "≤ "
    return f"{bound}{least:g}"


_PAPER = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
