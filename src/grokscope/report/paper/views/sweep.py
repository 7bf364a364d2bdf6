"""FFS and FCR after training against the training fraction, one dot per run."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from grokscope.report.figures.figure import Figure, Layout, Panel, assemble, inline, layered
from grokscope.report.figures.timeline import side_axis
from grokscope.report.paper.block import NOT_RUN, Block, Shown
from grokscope.report.paper.grouping import Row, grouped, said, varying, whole

_MEASURES: Final = {"ffs": "FFS", "fcr": "FCR"}
_TABLES: Final = ("W_E", "W_L")
_STATES: Final = ("grokked", "undecided")
_FRACTIONS: Final = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


def sweep(shown: Shown) -> list[Block]:
    """Return the figure: a panel per operation and measure, dots by run."""
    title = shown.view.title
    rows = [row for row in whole(shown.results.rows) if row["status"] != NOT_RUN]
    if not rows:
        return [Figure("sweep", title, "", missing="No run of this experiment has been trained.")]
    names = ["operation", *varying(rows, ["operation", "train_fraction"])]
    panels = [
        _panel(found, key, f"{said(found[0], names)} · {symbol}")
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
        {"r": row["train_fraction"], "value": row[f"{key}_{table}"], "table": table,
         "seed": row["seed"], "state": _STATES[row["status"] != "grokked"]}
        for row in rows
        for table in _TABLES
        if row.get(f"{key}_{table}") is not None
    ]  # fmt: skip
    x = alt.X("r:Q", title="training fraction r", scale=alt.Scale(domain=[0.25, 0.95]),
              axis=alt.Axis(values=_FRACTIONS, grid=False))  # fmt: skip
    y = alt.Y("value:Q", title=_MEASURES[key], scale=alt.Scale(domain=[0, 1]), axis=side_axis())
    colour = alt.Color("table:N", title=None, scale=alt.Scale(domain=list(_TABLES)))
    fill = alt.FillOpacity("state:N", title=None, legend=None,
                           scale=alt.Scale(domain=list(_STATES), range=[0.9, 0]))  # fmt: skip
    tip = [alt.Tooltip("table:N"), alt.Tooltip("r:Q"), alt.Tooltip("seed:N"),
           alt.Tooltip("value:Q", format=".2f"), alt.Tooltip("state:N")]  # fmt: skip
    points = (
        inline(dots).mark_point(size=54, filled=True, strokeWidth=1.4)
        .encode(x, y, colour.legend(alt.Legend(symbolOpacity=1)), alt.Stroke("table:N", legend=None,
                scale=alt.Scale(domain=list(_TABLES))), fill, tooltip=tip)
    )  # fmt: skip
    return layered([points], title, 150)
