"""Measures over training, with other thresholds η, and against the training fraction."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import numpy as np

from grokscope.measures import MEASURES
from grokscope.paper.block import (
    EVALUATIONS,
    NOT_RUN,
    Block,
    Row,
    ViewData,
    column_values,
    grouped,
    outcome_in_words,
    time_panel,
    value_in_words,
    values_in_words,
    varying_columns,
    whole_runs,
    with_rows,
)
from grokscope.reports.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    colours,
    inline,
    layered,
    shorten,
    significant,
)
from grokscope.reports.figures.timeline import side_axis

_DEFAULT: Final = ["test_accuracy"]
_NUMBERS: Final = ("train_fraction", "p")
_MISSING: Final = "No run of this experiment has been trained yet."


def draw_curves(data: ViewData) -> list[Block]:
    """Return the figure: panels by `by`, colours by `colour`, one thin line per seed."""
    options, title = data.view.options, data.view.title
    field, measures = options["colour"], options.get("measures", _DEFAULT)
    of_tasks = field == "task"
    rows = [
        _drawn(row, field)
        for row in with_rows(data.results, "curves")
        if row["measure"] in measures and (row["task"] is not None) == of_tasks
    ]
    if not rows:
        return [Figure("curves", title, "", missing=_MISSING)]
    facets = [options["by"], *varying_columns(rows, [options["by"], field, "task"])]
    last = max(row["step"] for row in rows)
    domain = _domain(data, rows, field, measures)
    colour = colours("colour", domain, _TITLES.get(field), ordered=field in _NUMBERS)
    layout = Layout(columns=3, least=300, axis=72)
    panels = [
        time_panel(_slim(found), _heading(found, facets, measures), colour, _y(measures), last)
        for found in grouped(rows, facets).values()
    ]
    chart = assemble(panels, layout, title)
    caption = _caption(rows, measures)
    return [Figure("curves", title, caption, chart, layout, first_step=EVALUATIONS)]


_TITLES: Final = {"train_fraction": "r", "p": "p"}


def _drawn(row: dict[str, Any], field: str) -> dict[str, Any]:
    value: Any = row.get(field)
    if field == "measure":
        value = _symbol(value)
    colour = f"{value:g}" if field in _NUMBERS else str("" if value is None else value)
    return row | {"colour": colour, "line": f"{colour}, seed {row['seed']}"}


def _heading(rows: list, facets: list[str], measures: list[str]) -> str:
    """Return a panel's title; where accuracy is not shown, with how the runs ended."""
    title = values_in_words(rows[0], facets)
    return shorten(title if measures == _DEFAULT else f"{title} ({outcome_in_words(rows)})", 46)


def _slim(rows: list) -> list[dict[str, Any]]:
    return [{k: row[k] for k in ("step", "value", "colour", "line")} for row in rows]


def _domain(
    data: ViewData, rows: list[dict[str, Any]], field: str, measures: list[str]
) -> list[str]:
    if field == "measure":
        return [_symbol(name) for name in measures]
    if field in _NUMBERS:
        return [f"{v:g}" for v in column_values(rows, field)]
    known = column_values(rows, "colour")
    order = [value_in_words(field, v) for v in column_values(data.results.rows, field)]
    return [v for v in order if v in known]


def _symbol(name: str) -> str:
    """Return a measure as figures call it: `ffs W_E` is FFS of W_E."""
    key, _, matrix = name.partition(" ")
    return f"{MEASURES[key].symbol} of {matrix}" if key in MEASURES else name.replace("_", " ")


def _y(measures: list[str]) -> str:
    return "test accuracy" if measures == _DEFAULT else "measure (0 to 1)"


def _caption(rows: list[dict[str, Any]], measures: list[str]) -> str:
    seeds = sorted({row["seed"] for row in rows})
    what = "Test accuracy" if measures == _DEFAULT else "FFS and FCR"
    n = f"one line per seed (seeds {' '.join(map(str, seeds))})" if len(seeds) > 1 else "one seed"
    return (
        f"{what}, {n}. A line ends where its run ended: 500 steps after it grokked, or at its last"
        " step. Points are thinned so that the files stay small; extremes are kept."
    )


_ENDS: Final = ("first", "last")


def draw_etas(data: ViewData) -> list[Block]:
    """Return both figures: panels by setting and table, and lines by η or by end."""
    title = data.view.title
    rows = with_rows(data.results, "etas")
    if not rows:
        return [Figure("etas", title, "", missing="No spectra have been recorded yet.")]
    names = ["operation", *varying_columns(rows, ["operation"]), "matrix"]
    found = {_title(group, names): group for group in grouped(rows, names).values()}
    return [_over_time(found, title), _ends(found)]


def _title(group: list[Row], names: list[str]) -> str:
    first = group[0]
    return f"{values_in_words(first, names[:-1])} · {first['matrix']} ({outcome_in_words(group)})"


def _over_time(found: dict[str, list[Row]], title: str) -> Figure:
    etas_ = sorted({row["eta"] for rows in found.values() for row in rows})
    last = max(row["step"] for rows in found.values() for row in rows)
    colour = colours("colour", [f"{eta:g}" for eta in etas_], "η", ordered=True)
    panels = [time_panel(_lines(rows), text, colour, "FFS", last) for text, rows in found.items()]
    layout = Layout(columns=2, least=340)
    caption = (
        "FFS counts the components that are larger than η times the largest one; the paper uses"
        " η = 0.5. Recomputed from the recorded spectra; one line per seed."
    )
    chart = assemble(panels, layout, title)
    return Figure("etas", title, caption, chart, layout, first_step=EVALUATIONS)


def _lines(rows: list[Row]) -> list[dict[str, Any]]:
    return [
        {
            "step": row["step"],
            "value": row["value"],
            "colour": f"{row['eta']:g}",
            "line": f"η = {row['eta']:g}, seed {row['seed']}",
        }
        for row in rows
    ]


def _ends(found: dict[str, list[Row]]) -> Figure:
    layout = Layout(columns=2, least=340)
    panels = [_ends_panel(rows, text) for text, rows in found.items()]
    title = "FFS before and after training, by η"
    caption = (
        "One dot per seed, lines through the medians. Where both lines meet, FFS with this"
        " threshold does not see the change that training makes."
    )
    return Figure("eta-ends", title, caption, assemble(panels, layout, title), layout)


def _ends_panel(rows: list[Row], title: str) -> Panel:
    dots = []
    for (eta, seed), line in grouped(rows, ["eta", "seed"]).items():
        ordered = sorted(line, key=lambda row: row["step"])
        pair = zip(_ENDS, (ordered[0], ordered[-1]), strict=True)
        dots += [{"eta": eta, "seed": seed, "end": end, "value": r["value"]} for end, r in pair]
    medians = [
        {"eta": eta, "end": end, "value": significant(float(np.median([r["value"] for r in g])))}
        for (eta, end), g in grouped(dots, ["eta", "end"]).items()
    ]
    x = alt.X(
        "eta:Q",
        title="threshold η",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(values=[0.1, 0.3, 0.5, 0.7, 0.9], grid=False),
    )
    y = alt.Y("value:Q", title="FFS", scale=alt.Scale(domain=[0, 1]), axis=side_axis())
    scale = alt.Scale(domain=list(_ENDS))
    colour = alt.Color("end:N", title=None, scale=scale)
    tip = [alt.Tooltip("eta:Q"), alt.Tooltip("seed:N"), alt.Tooltip("value:Q", format=".2f")]
    points = inline(dots).mark_circle(size=36, opacity=0.8).encode(x, y, colour, tooltip=tip)
    lines = inline(medians).mark_line(strokeWidth=1.4).encode(x, y, colour)
    return layered([lines, points], title, 170)


_MEASURES: Final = {"ffs": "FFS", "fcr": "FCR"}
_TABLES: Final = ("W_E", "W_L")
_STATES: Final = ("grokked", "undecided")
_FRACTIONS: Final = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


def draw_sweep(data: ViewData) -> list[Block]:
    """Return the figure: a panel per operation and measure, dots by run."""
    title = data.view.title
    rows = [row for row in whole_runs(data.results.rows) if row["status"] != NOT_RUN]
    if not rows:
        return [Figure("sweep", title, "", missing="No run of this experiment has been trained.")]
    names = ["operation", *varying_columns(rows, ["operation", "train_fraction"])]
    panels = [
        _panel(found, key, f"{values_in_words(found[0], names)} · {symbol}")
        for found in grouped(rows, names).values()
        for key, symbol in _MEASURES.items()
    ]
    layout = Layout(columns=2, least=340)
    caption = (
        "The value at the last evaluation of each run; hollow: undecided when it ended, so that"
        " training may still change it."
    )
    return [Figure("sweep", title, caption, assemble(panels, layout, title), layout)]


def _panel(rows: Sequence[Row], key: str, title: str) -> Panel:
    dots: list[dict[str, Any]] = [
        {
            "r": row["train_fraction"],
            "value": row[f"{key}_{table}"],
            "table": table,
            "seed": row["seed"],
            "state": _STATES[row["status"] != "grokked"],
        }
        for row in rows
        for table in _TABLES
        if row.get(f"{key}_{table}") is not None
    ]
    x = alt.X(
        "r:Q",
        title="training fraction r",
        scale=alt.Scale(domain=[0.25, 0.95]),
        axis=alt.Axis(values=_FRACTIONS, grid=False),
    )
    y = alt.Y("value:Q", title=_MEASURES[key], scale=alt.Scale(domain=[0, 1]), axis=side_axis())
    colour = alt.Color("table:N", title=None, scale=alt.Scale(domain=list(_TABLES)))
    fill = alt.FillOpacity(
        "state:N", title=None, legend=None, scale=alt.Scale(domain=list(_STATES), range=[0.9, 0])
    )
    tip = [
        alt.Tooltip("table:N"),
        alt.Tooltip("r:Q"),
        alt.Tooltip("seed:N"),
        alt.Tooltip("value:Q", format=".2f"),
        alt.Tooltip("state:N"),
    ]
    points = (
        inline(dots)
        .mark_point(size=54, filled=True, strokeWidth=1.4)
        .encode(
            x,
            y,
            colour.legend(alt.Legend(symbolOpacity=1)),
            alt.Stroke("table:N", legend=None, scale=alt.Scale(domain=list(_TABLES))),
            fill,
            tooltip=tip,
        )
    )
    return layered([points], title, 150)
