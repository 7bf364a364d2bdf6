"""Tables beside the paper's: what grokked, thresholds, measures, losses, what foretells them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import numpy as np

from grokscope.explanation.logits import ROWS
from grokscope.paper.agreement import Claims, State, Tally, smallest_grokked, threshold_state
from grokscope.paper.block import (
    LEGEND,
    MARKS,
    NOT_RUN,
    UNKNOWN,
    Block,
    Row,
    Table,
    TableCell,
    ViewData,
    column_values,
    grouped,
    outcome_cell,
    tally_of,
    value_in_words,
    values_in_words,
    varying_columns,
    whole_runs,
    with_rows,
)
from grokscope.paper.experiment import Experiment, operation_of
from grokscope.paper.labels import Separation, separations
from grokscope.paper.results import column_numbers
from grokscope.paper.tables import operation_key, table_a4
from grokscope.reports.figures.figure import Figure, Layout, assemble, inline, layered, significant
from grokscope.reports.moments import SMALLEST_CHANGE

_ALL: Final = "all together"


def draw_outcomes(data: ViewData) -> list[Block]:
    """Return the table of the settings, one row per value of `rows`, columns of `columns`."""
    options = data.view.options
    names: list[str] = list(options["rows"])
    column: str = options["columns"]
    rows = data.results.rows if "task" in names else whole_runs(data.results.rows)
    names += [n for n in varying_columns(rows, [*names, column, "task"]) if n not in names]
    claims = Claims(data.experiment, options.get("paper", ()))
    across = column_values(rows, column)
    cells = grouped(rows, [*names, column])
    body = []
    for key in grouped(rows, names):
        here = [cells.get((*key, value), []) for value in across]
        line = [_outcomes_cell(found, claims) for found in here]
        body.append([TableCell(_label(names, key)), *line])
    caption = (
        "Ours: the step at which it grokked (median over seeds), or the best test accuracy (mean)"
        f" where it has not; below it what the paper says. {LEGEND}"
    )
    first = ", ".join(_HEADERS.get(name, name) for name in names)
    header = [first, *(value_in_words(column, value) for value in across)]
    return [Table("", caption, header, body)]


_HEADERS: Final = {"train_fraction": "r", "task": "each of them"}


def _label(names: list[str], key: tuple[Any, ...]) -> str:
    parts = [
        value_in_words(n, v) if v is not None else _ALL * (n == "task")
        for n, v in zip(names, key, strict=True)
    ]
    return " · ".join(filter(None, parts))


def _outcomes_cell(found: list, claims: Claims) -> TableCell:
    return outcome_cell(found, claims.cell(found[0])) if found else TableCell("")


_CAPTION = (
    "Ours: the smallest training fraction r at which all seeds grokked; ≤ where smaller ones were"
    " not tried; > where none did up to that fraction. Below it the paper's; never: at none of 0.3"
    " to 0.9. ✓ equal; ≠ ours grokked at a smaller fraction, one step or more; ≈ consistent so far;"
    " … undecided: the paper's fraction was tried and has not grokked within the steps given;"
    " ± seeds differ. An undecided run never counts as a disagreement."
)


def draw_thresholds(data: ViewData) -> list[Block]:
    """Return the table: operations down, starts across."""
    rows = whole_runs(data.results.rows)
    claims = Claims(data.experiment, "table_1")
    starts = column_values(rows, "start") or [None]
    # whatever else differs, as the modulus, is another row
    names = ["operation", *varying_columns(rows, ["operation", "start", "train_fraction", "task"])]
    cells = grouped(rows, [*names, "start"])
    body = []
    for key in grouped(rows, names):
        line = [_thresholds_cell(cells.get((*key, start), []), claims) for start in starts]
        body.append([TableCell(_label(names, key)), *line])
    header = [", ".join(names), *(start or "from scratch" for start in starts)]
    return [Table("", _CAPTION, header, body)]


def _thresholds_cell(rows: Sequence[Row], claims: Claims) -> TableCell:
    if not rows:
        return TableCell("")
    known, paper = claims.threshold(rows[0])
    ours = {r: tally_of(found) for (r,), found in grouped(rows, ["train_fraction"]).items()}
    tried_there = {row["train_fraction"] for row in rows if claims.experiment.covers(row)}
    compared = {r: t for r, t in ours.items() if r in tried_there}
    state = threshold_state(paper, compared or ours)
    if not (known and compared) and state not in (State.NOT_RUN, State.FAILED):
        state = State.NO_NUMBER
    paper_note = "" if not known else f"paper {'never' if paper is None else f'{paper:g}'}"
    text = NOT_RUN if state is State.NOT_RUN else f"{MARKS[state]} {_thresholds_ours(ours)}".strip()
    tried = [f"{r:g}" for r, t in ours.items() if t.grokked + t.undecided]
    n = max((t.grokked + t.undecided for t in ours.values()), default=0)
    note = f"tried {' '.join(tried)}, n = {n}{_length(rows)}" if tried else ""
    return TableCell(text, state, "; ".join(filter(None, [note, paper_note])))


def _length(rows: Sequence[Row]) -> str:
    """Say how long those trained that have not grokked."""
    late = [row for row in rows if row["status"] not in ("grokked", NOT_RUN)]
    steps = column_numbers(late, "steps")
    return f", undecided at {max(steps):,.0f}" if steps else ""


def _thresholds_ours(ours: Mapping[float, Tally]) -> str:
    """Return our smallest fraction, as a bound where smaller ones were not tried."""
    tried = sorted(r for r, t in ours.items() if t.grokked + t.undecided)
    least = smallest_grokked(ours)
    if least is None:
        some = [f"{t.grokked} of {t.n} at {r:g}" for r, t in sorted(ours.items()) if t.grokked]
        if some:
            return ", ".join(some)
        return f"> {tried[-1]:g}" if tried else "failed"
    bound = (
        ""
        if least <= min(_THRESHOLDS_PAPER) or any(abs(r - least + 0.1) < 1e-6 for r in tried)
        else "≤ "
    )
    return f"{bound}{least:g}"


_THRESHOLDS_PAPER = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


_COLUMNS: Final = {
    "ffs_W_E": "FFS of W_E",
    "fcr_W_E": "FCR of W_E",
    "ffs_W_L": "FFS of W_L",
    "fcr_W_L": "FCR of W_L",
}


def draw_ends(data: ViewData) -> list[Block]:
    """Return the table: settings down, measures across."""
    rows = whole_runs(data.results.rows)
    names = ["operation", *varying_columns(rows, ["operation", "task"])]
    statements = {operation_of(f["operation"]): f for f in data.view.options.get("falls", ())}
    body = []
    for found in grouped(rows, names).values():
        known = data.experiment.covers(found[0])
        says = statements.get(found[0]["operation"], {}) if known else {}
        done = [row for row in found if row["status"] != NOT_RUN]
        grokked = [row for row in done if row["status"] == "grokked"]
        cells = [_ends_cell(done, grokked, key, says.get(key)) for key in _COLUMNS]
        body.append([TableCell(values_in_words(found[0], names)), _state(done, grokked), *cells])
    caption = (
        "First → last value, medians over the seeds that grokked (where none did, over all;"
        f" then nothing is compared). A fall is one of at least {SMALLEST_CHANGE:g}. Below it what"
        " the paper says, where it says something of this measure. ✓ every seed agrees; ± seeds"
        " differ; ≠ none agrees."
    )
    return [Table("", caption, ["", "grokked", *_COLUMNS.values()], body)]


def _state(done: Sequence[Row], grokked: Sequence[Row]) -> TableCell:
    return (
        TableCell(f"{len(grokked)} of {len(done)}") if done else TableCell(NOT_RUN, State.NOT_RUN)
    )


def _ends_cell(
    done: Sequence[Row], grokked: Sequence[Row], key: str, says: str | None
) -> TableCell:
    note = f"paper: {says}" if says else ""
    pairs = [
        (*column_numbers([row], f"{key}_first"), *column_numbers([row], key))
        for row in grokked or done
    ]
    known = [pair for pair in pairs if len(pair) > 1]
    first, last = [pair[0] for pair in known], [pair[1] for pair in known]
    if not known:
        return TableCell(UNKNOWN if done else NOT_RUN, "" if done else State.NOT_RUN, note)
    start, end = float(np.median(first)), float(np.median(last))
    spread = f" ({min(last):.2f}–{max(last):.2f})" if len(last) > 1 else ""
    text = f"{start:.2f} → {end:.2f}{spread}"
    falls = [before - after >= SMALLEST_CHANGE for before, after in known]
    state = _compared(falls, says) if grokked and says else ""
    mark = f"{MARKS[State(state)]} " if state else ""
    return TableCell(f"{mark}{text}", state, note)


def _compared(falls: Sequence[bool], says: str) -> State:
    """Compare whether a measure fell, per seed, with what the paper says."""
    if len(set(falls)) > 1:
        return State.MIXED
    return State.AGREES if falls[0] == (says == "falls") else State.DIFFERS


_LOSSES_PAPER: Final = {operation_key("x + y"): "addition", operation_key("x - y"): "subtraction"}
_PARTS: Final = ("key", "non-key", "residual")
_SIDES: Final = ("train", "test")


def draw_losses(data: ViewData) -> list[Block]:
    """Return the table: combinations of parts down, operations across."""
    runs = whole_runs(data.results.rows)
    names = ["operation", *varying_columns(runs, ["operation", "task"])]
    found = grouped(with_rows(data.results, "losses"), [*names, "part", "side"])
    settings = grouped(runs, names)
    header = ["logits made of"]
    for rows in settings.values():
        words = values_in_words(rows[0], names)
        header += [f"{words}, {side}" for side in _SIDES] + [f"{words}, paper"]
    body = []
    for part in ROWS:
        line = [_name(part)]
        for key, rows in settings.items():
            ours = [found.get((*key, part, side), []) for side in _SIDES]
            line += [_losses_ours([row["loss"] for row in some]) for some in ours]
            line.append(_losses_paper(part, rows[0], data.experiment))
        body.append(line)
    states = [f"{values_in_words(rows[0], names)}: {_grokked(rows)}" for rows in settings.values()]
    caption = (
        "Mean loss in nats at the last evaluation: median over seeds, below it the range. The key"
        " part holds the waves of the sum at the key frequencies, the non-key part those at all"
        " others, the residual is the rest. Guessing has a loss of log p = 4.57 for p = 97. Runs: "
        f"{'; '.join(states)}."
    )
    return [Table("", caption, header, body)]


def _name(row: str) -> TableCell:
    used = [part for part, is_used in zip(_PARTS, ROWS[row], strict=True) if is_used]
    return TableCell("all of it" if len(used) == len(_PARTS) else " + ".join(used))


def _losses_paper(part: str, row: Row, experiment: Experiment) -> TableCell:
    """Return the paper's number, which is of its own modulus and training fraction."""
    known = experiment.covers(row)
    paper = table_a4()[part].get(_LOSSES_PAPER.get(row["operation"], "")) if known else None
    return TableCell("" if paper is None else f"{paper:.3g}")


def _losses_ours(numbers: Sequence[float]) -> TableCell:
    if not numbers:
        return TableCell(NOT_RUN, "not-run")
    spread = f"{min(numbers):.2g}–{max(numbers):.2g}, n = {len(numbers)}"
    return TableCell(f"{np.median(numbers):.3g}", note=spread if len(numbers) > 1 else "n = 1")


def _grokked(rows: Sequence[Row]) -> str:
    done = [row for row in rows if row["status"] != NOT_RUN]
    return f"{sum(row['status'] == 'grokked' for row in done)} of {len(done)} grokked"


_NAMES: Final = {
    "kl": "KL(train ‖ test)",
    "entropy_train": "entropy, training labels",
    "entropy_test": "entropy, test labels",
}


def draw_separation(data: ViewData) -> list[Block]:
    """Return the figure of all statistics over the training fraction, and its numbers."""
    found = separations(data.results.rows)
    return [_figure(found, data.view.title), _table(found)]


def _figure(found: list[Separation], title: str) -> Figure:
    if not found:
        return Figure("separation", title, "", missing="Nothing of Table A.5 is among the rows.")
    rows = [
        {
            "r": s.train_fraction,
            "value": significant(s.chance_above),
            "statistic": _NAMES[s.statistic],
            "p": significant(s.p_value, 2),
        }
        for s in found
    ]
    x = alt.X(
        "r:Q",
        title="training fraction r",
        scale=alt.Scale(domain=[0.25, 0.95], nice=False),
        axis=alt.Axis(values=sorted({row["r"] for row in rows}), grid=False),
    )
    y = alt.Y("value:Q", title="chance of a higher value", scale=alt.Scale(domain=[0, 1]))
    lines = (
        inline(rows)
        .mark_line(point={"size": 60}, strokeWidth=1.4)
        .encode(
            x,
            y,
            alt.Color("statistic:N", title=None, scale=alt.Scale(domain=list(_NAMES.values()))),
            tooltip=[
                alt.Tooltip("statistic:N"),
                alt.Tooltip("r:Q"),
                alt.Tooltip("value:Q", format=".2f"),
                alt.Tooltip("p:Q", title="p value"),
            ],
        )
    )
    half = inline([{"value": 0.5}]).mark_rule(strokeDash=[4, 4]).encode(y)
    layout = Layout(most=720)
    caption = (
        "Chance that an operation which did not grok in the paper has a higher value than one that"
        " did, at the same training fraction. On the dashed line the number says nothing; 0 or 1"
        " would tell them apart without fail. 35 operations; few did not grok, so that the chance"
        " is coarse."
    )
    chart = assemble([layered([half, lines], "", 220)], layout, title)
    return Figure("separation", title, caption, chart, layout)


def _table(found: list[Separation]) -> Table:
    fractions = sorted({s.train_fraction for s in found})
    by_place = {(s.statistic, s.train_fraction): s for s in found}
    counts = {s.train_fraction: (s.grokked, s.not_grokked) for s in found if s.statistic != "kl"}
    rows = [
        [
            TableCell("grokked, did not"),
            *(TableCell("{}, {}".format(*counts[r])) for r in fractions),
        ]
    ]
    for key, name in _NAMES.items():
        cells = [_separation_cell(by_place.get((key, r))) for r in fractions]
        rows.append([TableCell(name), *cells])
    caption = (
        "The same in numbers; below each the p value of a shuffle of the outcomes among the"
        " operations (10,000 draws, not corrected for the number of cells)."
    )
    return Table("", caption, ["", *(f"r = {r:g}" for r in fractions)], rows)


def _separation_cell(found: Separation | None) -> TableCell:
    if found is None:
        return TableCell(UNKNOWN)
    return TableCell(f"{found.chance_above:.2f}", note=f"p = {found.p_value:.2g}")
