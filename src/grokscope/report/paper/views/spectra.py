"""Cosine and sine norms of W_E and W_L at the end of training, one panel each per operation."""

from typing import Final

import altair as alt

from grokscope.report.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    inline,
    layered,
    significant,
    ticks,
)
from grokscope.report.figures.timeline import side_axis
from grokscope.report.paper.block import Block, Shown
from grokscope.report.paper.grouping import Row, grouped, said, varying, with_rows

_UP: Final = "cosine (upwards)"
_DOWN: Final = "sine (downwards)"


def spectra(shown: Shown) -> list[Block]:
    """Return the figure: of each setting the first seed that grokked, or else the first."""
    title = shown.view.title
    rows = with_rows(shown.results, "spectra")
    if not rows:
        return [Figure("spectra", title, "", missing="No spectrum has been recorded yet.")]
    names = ["operation", *varying(rows, ["operation"])]
    layout = Layout(columns=2, least=340)
    panels = []
    for found in grouped(rows, names).values():
        one = representative(found)
        for (matrix,), bars in grouped(one, ["matrix"]).items():
            panels.append(_panel(bars, f"{said(bars[0], names)} · {matrix}", _how(bars[0])))
    caption = (
        "Norm over the columns of the coefficients at each frequency k, divided by the largest:"
        " cosines upwards, sines downwards, in the additive basis of the paper. Few tall bars: a"
        " sparse table. Of several seeds the first that grokked is shown."
    )
    return [Figure("spectra", title, caption, assemble(panels, layout, title), layout)]


def representative(rows: list) -> list:
    """Return the rows of the first seed that grokked, or else of the first."""
    seeds = grouped(rows, ["seed"])
    grokked = [key for key, found in seeds.items() if found[0]["status"] == "grokked"]
    return seeds[grokked[0] if grokked else next(iter(seeds))]


def _how(row: Row) -> str:
    state = "grokked" if row["status"] == "grokked" else row["status"]
    return f"seed {row['seed']}, step {row['step']:,}, {state}"


def _panel(bars: list, title: str, subtitle: str) -> Panel:
    top = max(max(row["cos"], row["sin"]) for row in bars) or 1.0
    rows = [
        {"k": row["k"], "value": significant(sign * row[key] / top, 3), "part": part}
        for row in bars
        for key, part, sign in (("cos", _UP, 1), ("sin", _DOWN, -1))
    ]
    last = max(row["k"] for row in bars)
    x = alt.X("k:Q", title="frequency k", scale=alt.Scale(domain=[0, last + 1], nice=False),
              axis=alt.Axis(values=ticks(0, last, 10), grid=False))  # fmt: skip
    y = alt.Y("value:Q", title="norm / largest", scale=alt.Scale(domain=[-1, 1]),
              axis=side_axis(labelExpr="format(abs(datum.value), '.1f')"))  # fmt: skip
    scale = alt.Scale(domain=[_UP, _DOWN])
    colour = alt.Color("part:N", title=None, scale=scale)
    tip = [alt.Tooltip("k:Q"), alt.Tooltip("part:N"), alt.Tooltip("value:Q", format=".3~g")]
    chart = inline(rows).mark_bar(size=4).encode(x, y, colour, tooltip=tip)
    return layered([chart], {"text": title, "subtitle": subtitle}, 130)
