"""All settings at a glance: how many steps each took to grok, or how far it has come."""

import math
from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import numpy as np

from grokscope.paper.results import numbers
from grokscope.report.figures.figure import Figure, Layout, assemble, inline, layered
from grokscope.report.paper.block import NOT_RUN, Block, Shown
from grokscope.report.paper.cells import percent, tally
from grokscope.report.paper.grouping import Row, grouped, values, whole

_ROW: Final = 19
_STEPS: Final = ("#7ccba2", "#c9e7b8", "#f6e7a1")
"""Quick, slow, slower."""
_LATE: Final = "#d3d7de"
_NONE: Final = "#eef0f3"


def map_of_steps(shown: Shown) -> list[Block]:
    """Return one figure: operations down, training fractions across."""
    rows = whole(shown.results.rows)
    cells = grouped(rows, ["operation", "train_fraction"])
    drawn = [_drawn(key, found) for key, found in cells.items()]
    order = values(rows, "operation")
    x = alt.X("r:N", title="training fraction r", sort=None,
              axis=alt.Axis(orient="top", labelAngle=0, grid=False))  # fmt: skip
    y = alt.Y("operation:N", title=None, sort=order,
              axis=alt.Axis(labelLimit=0, grid=False, labelOverlap=False))  # fmt: skip
    known = [row["steps"] for row in drawn if row["kind"] == "grokked"]
    domain = [min(known, default=1000), max([*known, 2 * min(known, default=1000)])]
    colour = alt.Color("steps:Q", title="steps until it grokked",
                       scale=alt.Scale(type="log", domain=domain, range=list(_STEPS)),
                       legend=alt.Legend(format=",d", values=_ticks(*domain),
                                         gradientLength=240))  # fmt: skip
    layers = [_boxes(drawn, kind, shade, x, y) for kind, shade in
              (("undecided", _LATE), (NOT_RUN, _NONE))]  # fmt: skip
    grokked = [row for row in drawn if row["kind"] == "grokked"]
    layers.append(inline(grokked).mark_rect(stroke="white").encode(x, y, colour, tooltip=_tips()))
    text = inline(drawn).mark_text(fontSize=10, color="#1f2328").encode(x, y, text="text:N")
    layout = Layout(most=780, axis=150)
    panel = layered([*layers, text], "", _ROW * len(order))
    title = shown.view.title
    caption = (
        "Green: all seeds grokked, with the median step in thousands. Grey: undecided, with the"
        " best test accuracy (mean over seeds), or how many seeds grokked. Pale: not run."
    )
    return [Figure("map", title, caption, assemble([panel], layout, title), layout)]


def _ticks(least: float, most: float) -> list[float]:
    """Return both ends of a logarithmic legend and its middle, which keep apart from each other."""
    return [round(least), round(math.sqrt(least * most)), round(most)]


def _drawn(key: tuple[Any, ...], rows: Sequence[Row]) -> dict[str, Any]:
    operation, r = key
    ours, at = tally(rows), numbers(rows, "grokked_at")
    box = {"operation": operation, "r": f"{r:g}", "n": ours.n}
    if not ours.n:
        return box | {"kind": NOT_RUN, "text": "", "steps": None}
    if ours.all_grokked and at:
        middle = max(1.0, float(np.median(at)))
        return box | {"kind": "grokked", "text": f"{middle / 1000:.3g}k", "steps": middle}
    best = [v for v in numbers(rows, "best_test_accuracy") if math.isfinite(v)]
    text = f"{ours.grokked} of {ours.n}" if ours.grokked else percent(float(np.mean(best or [0.0])))
    return box | {"kind": "undecided", "text": text, "steps": None}


def _boxes(drawn: Sequence[dict[str, Any]], kind: str, shade: str, x: alt.X, y: alt.Y) -> alt.Chart:
    mine = [row for row in drawn if row["kind"] == kind]
    return inline(mine).mark_rect(color=shade, stroke="white").encode(x, y, tooltip=_tips())


def _tips() -> list[alt.Tooltip]:
    return [alt.Tooltip("operation:N"), alt.Tooltip("r:N"), alt.Tooltip("text:N", title="ours"),
            alt.Tooltip("n:Q", title="seeds")]  # fmt: skip
