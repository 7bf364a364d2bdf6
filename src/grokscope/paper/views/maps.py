"""Everything at a glance: how long each setting took to grok, and label statistics."""

import math
from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import numpy as np

from grokscope.paper.block import (
    NOT_RUN,
    Block,
    Row,
    ViewData,
    column_values,
    grouped,
    paper_percent,
    tally_of,
    whole_runs,
)
from grokscope.paper.results import column_numbers
from grokscope.paper.tables import table_a5
from grokscope.reports.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    fraction_colour,
    inline,
    layered,
    significant,
)

_MAP_ROW: Final = 19
_STEPS: Final = ("#7ccba2", "#c9e7b8", "#f6e7a1")
"""Quick, slow, slower."""
_LATE: Final = "#d3d7de"
_NONE: Final = "#eef0f3"


def draw_map_of_steps(data: ViewData) -> list[Block]:
    """Return a figure for each modulus: operations down, training fractions across."""
    of_p = grouped(whole_runs(data.results.rows), ["p"])
    several = len(of_p) > 1
    return [
        _map_of(rows, f"map-p{p}", f"{data.view.title}, p = {p}")
        if several
        else _map_of(rows, "map", data.view.title)
        for (p,), rows in of_p.items()
    ]


def _map_of(rows: Sequence[Row], name: str, title: str) -> Figure:
    cells = grouped(rows, ["operation", "train_fraction"])
    drawn = [_map_drawn(key, found) for key, found in cells.items()]
    order = column_values(rows, "operation")
    x = alt.X(
        "r:N",
        title="training fraction r",
        sort=None,
        axis=alt.Axis(orient="top", labelAngle=0, grid=False),
    )
    y = alt.Y(
        "operation:N",
        title=None,
        sort=order,
        axis=alt.Axis(labelLimit=0, grid=False, labelOverlap=False),
    )
    known = [row["steps"] for row in drawn if row["kind"] == "grokked"]
    domain = [min(known, default=1000), max([*known, 2 * min(known, default=1000)])]
    colour = alt.Color(
        "steps:Q",
        title="steps until it grokked",
        scale=alt.Scale(type="log", domain=domain, range=list(_STEPS)),
        legend=alt.Legend(format=",d", values=_ticks(*domain), gradientLength=240),
    )
    layers = [
        _boxes(drawn, kind, shade, x, y) for kind, shade in (("undecided", _LATE), (NOT_RUN, _NONE))
    ]
    grokked = [row for row in drawn if row["kind"] == "grokked"]
    layers.append(
        inline(grokked).mark_rect(stroke="white").encode(x, y, colour, tooltip=_map_tips())
    )
    text = inline(drawn).mark_text(fontSize=10, color="#1f2328").encode(x, y, text="text:N")
    layout = Layout(most=780, axis=150)
    panel = layered([*layers, text], "", _MAP_ROW * len(order))
    caption = (
        "Green: all seeds grokked, with the median step in thousands. Grey: undecided, with the"
        " best test accuracy (mean over seeds), or how many seeds grokked. Pale: not run."
    )
    return Figure(name, title, caption, assemble([panel], layout, title), layout)


def _ticks(least: float, most: float) -> list[float]:
    """Return both ends of a logarithmic legend and its middle, which keep apart from each other."""
    return [round(least), round(math.sqrt(least * most)), round(most)]


def _map_drawn(key: tuple[Any, ...], rows: Sequence[Row]) -> dict[str, Any]:
    operation, r = key
    ours, at = tally_of(rows), column_numbers(rows, "grokked_at")
    box = {"operation": operation, "r": f"{r:g}", "n": ours.n}
    if not ours.n:
        return box | {"kind": NOT_RUN, "text": "", "steps": None}
    if ours.all_grokked and at:
        middle = max(1.0, float(np.median(at)))
        return box | {"kind": "grokked", "text": f"{middle / 1000:.3g}k", "steps": middle}
    best = [v for v in column_numbers(rows, "best_test_accuracy") if math.isfinite(v)]
    text = (
        f"{ours.grokked} of {ours.n}"
        if ours.grokked
        else paper_percent(float(np.mean(best or [0.0])))
    )
    return box | {"kind": "undecided", "text": text, "steps": None}


def _boxes(drawn: Sequence[dict[str, Any]], kind: str, shade: str, x: alt.X, y: alt.Y) -> alt.Chart:
    mine = [row for row in drawn if row["kind"] == kind]
    return inline(mine).mark_rect(color=shade, stroke="white").encode(x, y, tooltip=_map_tips())


def _map_tips() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("operation:N"),
        alt.Tooltip("r:N"),
        alt.Tooltip("text:N", title="ours"),
        alt.Tooltip("n:Q", title="seeds"),
    ]


_LABELS_ROW: Final = 15
_DOT: Final = 48
_STATES: Final = ("grokked in the paper", "did not")


def draw_labels(data: ViewData) -> list[Block]:
    """Return one figure with a panel for the divergence and one for the entropy."""
    rows = [_labels_drawn(row) for row in data.results.rows]
    order = list(dict.fromkeys(row["operation"] for row in rows))
    layout = Layout(columns=2, least=420, axis=120)
    panels = [_divergence(rows, order), _entropy(rows, order)]
    missing = sum(row["kl"] is None for row in data.results.rows)
    seeds = max((row["seeds"] for row in data.results.rows), default=0)
    caption = (
        f"Means over {seeds} random splits, one dot per training fraction r; bars: the standard"
        " deviation between splits. Grey ticks: the divergence that a random split has by chance,"
        " which depends on the number of different answers and on r alone. Crosses did not grok"
        " in the paper's Table A.5."
    )
    if missing:
        caption += (
            f" {missing} of {len(rows)} divergences are undefined and not drawn: in every split"
            " some answer trains that never tests."
        )
    return [
        Figure(
            "labels", data.view.title, caption, assemble(panels, layout, data.view.title), layout
        )
    ]


def _labels_drawn(row: dict[str, Any]) -> dict[str, Any]:
    """Return what is drawn of one row of results."""
    paper = table_a5().get(row["operation"])
    cell = None if paper is None else paper.cells.get(row["train_fraction"])
    known = {k: v if v is None or isinstance(v, str) else significant(v) for k, v in row.items()}
    outcome = _STATES[int(cell is not None and not cell.grokked)]
    low = None if row["kl"] is None else significant(row["kl"] - row["kl_sd"])
    high = None if row["kl"] is None else significant(row["kl"] + row["kl_sd"])
    return {
        "operation": known["operation"],
        "r": f"{row['train_fraction']:g}",
        "outcome": outcome,
        "low": low,
        "high": high,
        **{
            key: known[key]
            for key in (
                "kl",
                "kl_chance",
                "entropy_train",
                "entropy_test",
                "labels",
                "kl_undefined",
            )
        },
    }


def _divergence(rows: Sequence[dict[str, Any]], order: Sequence[str]) -> Panel:
    known = [row for row in rows if row["kl"] is not None]
    x = alt.X(
        "kl:Q",
        title="KL(train ‖ test) of the labels, nats",
        scale=alt.Scale(zero=True),
        axis=alt.Axis(tickCount=6),
    )
    chance = (
        inline(rows)
        .mark_tick(thickness=2, size=11, color="#8c959f")
        .encode(
            alt.X("kl_chance:Q"),
            _y(order),
            tooltip=[alt.Tooltip("kl_chance:Q", title="by chance", format=".4f")],
        )
    )
    bars = (
        inline(known)
        .mark_rule(strokeWidth=1, opacity=0.6)
        .encode(alt.X("low:Q"), _y(order), _colour(rows), alt.X2(field="high"))
    )
    dots = (
        inline(known)
        .mark_point(size=_DOT, filled=True, opacity=0.9)
        .encode(x, _y(order), _colour(rows), _shape(), tooltip=_labels_tips())
    )
    return layered(
        [chance, bars, dots], "Divergence of training from test labels", _LABELS_ROW * len(order)
    )


def _entropy(rows: Sequence[dict[str, Any]], order: Sequence[str]) -> Panel:
    dots = (
        inline(rows)
        .mark_point(size=_DOT, filled=True, opacity=0.9)
        .encode(
            alt.X(
                "entropy_train:Q",
                title="entropy of the training labels, nats",
                scale=alt.Scale(zero=False, padding=8),
            ),
            _y(order),
            _colour(rows),
            _shape(),
            tooltip=_labels_tips(),
        )
    )
    return layered([dots], "Entropy of the training labels", _LABELS_ROW * len(order))


def _y(order: Sequence[str]) -> alt.Y:
    axis = alt.Axis(labelLimit=0, grid=True, labelOverlap=False, minExtent=104, maxExtent=104)
    return alt.Y("operation:N", title=None, sort=list(order), axis=axis)


def _colour(rows: Sequence[dict[str, Any]]) -> alt.Color:
    return fraction_colour("r:N", sorted({row["r"] for row in rows}, key=float))


def _shape() -> alt.Shape:
    scale = alt.Scale(domain=list(_STATES), range=["circle", "cross"])
    return alt.Shape("outcome:N", title=None, scale=scale)


def _labels_tips() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("operation:N"),
        alt.Tooltip("r:N"),
        alt.Tooltip("labels:Q", title="different answers"),
        alt.Tooltip("kl:Q", title="KL", format=".4f"),
        alt.Tooltip("kl_chance:Q", title="KL by chance", format=".4f"),
        alt.Tooltip("entropy_train:Q", title="entropy, train", format=".3f"),
        alt.Tooltip("entropy_test:Q", title="entropy, test", format=".3f"),
        alt.Tooltip("outcome:N", title="Table A.5"),
    ]
