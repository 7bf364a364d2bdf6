"""Label statistics: divergence and entropy of every operation at every training fraction."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from grokscope.paper.tables import table_a5
from grokscope.report.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    inline,
    layered,
    significant,
)
from grokscope.report.paper.block import Block, Shown
from grokscope.report.theme import fraction_colour

_ROW: Final = 15
_DOT: Final = 48
_STATES: Final = ("grokked in the paper", "did not")


def labels(shown: Shown) -> list[Block]:
    """Return one figure with a panel for the divergence and one for the entropy."""
    rows = [_drawn(row) for row in shown.results.rows]
    order = list(dict.fromkeys(row["operation"] for row in rows))
    layout = Layout(columns=2, least=420, axis=120)
    panels = [_divergence(rows, order), _entropy(rows, order)]
    missing = sum(row["kl"] is None for row in shown.results.rows)
    seeds = max((row["seeds"] for row in shown.results.rows), default=0)
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
            "labels", shown.view.title, caption, assemble(panels, layout, shown.view.title), layout
        )
    ]


def _drawn(row: dict[str, Any]) -> dict[str, Any]:
    """Return what is drawn of one row of results."""
    paper = table_a5().get(row["operation"])
    cell = None if paper is None else paper.cells.get(row["train_fraction"])
    known = {k: v if v is None or isinstance(v, str) else significant(v) for k, v in row.items()}
    outcome = _STATES[int(cell is not None and not cell.grokked)]
    low = None if row["kl"] is None else significant(row["kl"] - row["kl_sd"])
    high = None if row["kl"] is None else significant(row["kl"] + row["kl_sd"])
    return {"operation": known["operation"], "r": f"{row['train_fraction']:g}",
            "outcome": outcome, "low": low, "high": high, **{
                key: known[key] for key in ("kl", "kl_chance", "entropy_train", "entropy_test",
                                            "labels", "kl_undefined")}}  # fmt: skip


def _divergence(rows: Sequence[dict[str, Any]], order: Sequence[str]) -> Panel:
    known = [row for row in rows if row["kl"] is not None]
    x = alt.X("kl:Q", title="KL(train ‖ test) of the labels, nats", scale=alt.Scale(zero=True),
              axis=alt.Axis(tickCount=6))  # fmt: skip
    chance = (
        inline(rows)
        .mark_tick(thickness=2, size=11, color="#8c959f")
        .encode(alt.X("kl_chance:Q"), _y(order),
                tooltip=[alt.Tooltip("kl_chance:Q", title="by chance", format=".4f")])
    )  # fmt: skip
    bars = (
        inline(known).mark_rule(strokeWidth=1, opacity=0.6)
        .encode(alt.X("low:Q"), _y(order), _colour(rows), alt.X2(field="high"))
    )  # fmt: skip
    dots = (
        inline(known).mark_point(size=_DOT, filled=True, opacity=0.9)
        .encode(x, _y(order), _colour(rows), _shape(), tooltip=_tips())
    )  # fmt: skip
    return layered([chance, bars, dots], "Divergence of training from test labels",
                   _ROW * len(order))  # fmt: skip


def _entropy(rows: Sequence[dict[str, Any]], order: Sequence[str]) -> Panel:
    dots = (
        inline(rows).mark_point(size=_DOT, filled=True, opacity=0.9)
        .encode(
            alt.X("entropy_train:Q", title="entropy of the training labels, nats",
                  scale=alt.Scale(zero=False, padding=8)),
            _y(order), _colour(rows), _shape(), tooltip=_tips(),
        )
    )  # fmt: skip
    return layered([dots], "Entropy of the training labels", _ROW * len(order))


def _y(order: Sequence[str]) -> alt.Y:
    axis = alt.Axis(labelLimit=0, grid=True, labelOverlap=False, minExtent=104, maxExtent=104)
    return alt.Y("operation:N", title=None, sort=list(order), axis=axis)


def _colour(rows: Sequence[dict[str, Any]]) -> alt.Color:
    return fraction_colour("r:N", sorted({row["r"] for row in rows}, key=float))


def _shape() -> alt.Shape:
    scale = alt.Scale(domain=list(_STATES), range=["circle", "cross"])
    return alt.Shape("outcome:N", title=None, scale=scale)


def _tips() -> list[alt.Tooltip]:
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
