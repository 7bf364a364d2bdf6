"""FFS with other thresholds η: over training, and before and after it."""

from typing import Any, Final

import altair as alt
import numpy as np

from grokscope.report.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    inline,
    layered,
    significant,
)
from grokscope.report.figures.timeline import side_axis
from grokscope.report.paper.block import Block, Shown
from grokscope.report.paper.grouping import Row, ended, grouped, said, varying, with_rows
from grokscope.report.paper.time import EVALUATIONS, panel
from grokscope.report.theme import colours

_ENDS: Final = ("first", "last")


def etas(shown: Shown) -> list[Block]:
    """Return both figures: panels by setting and table, and lines by η or by end."""
    title = shown.view.title
    rows = with_rows(shown.results, "etas")
    if not rows:
        return [Figure("etas", title, "", missing="No spectra have been recorded yet.")]
    names = ["operation", *varying(rows, ["operation"]), "matrix"]
    found = {_title(group, names): group for group in grouped(rows, names).values()}
    return [_over_time(found, title), _ends(found)]


def _title(group: list[Row], names: list[str]) -> str:
    first = group[0]
    return f"{said(first, names[:-1])} · {first['matrix']} ({ended(group)})"


def _over_time(found: dict[str, list[Row]], title: str) -> Figure:
    etas_ = sorted({row["eta"] for rows in found.values() for row in rows})
    last = max(row["step"] for rows in found.values() for row in rows)
    colour = colours("colour", [f"{eta:g}" for eta in etas_], "η", ordered=True)
    panels = [panel(_lines(rows), text, colour, "FFS", last) for text, rows in found.items()]
    layout = Layout(columns=2, least=340)
    caption = (
        "FFS counts the components that are larger than η times the largest one; the paper uses"
        " η = 0.5. Recomputed from the recorded spectra; one line per seed."
    )
    chart = assemble(panels, layout, title)
    return Figure("etas", title, caption, chart, layout, first_step=EVALUATIONS)


def _lines(rows: list[Row]) -> list[dict[str, Any]]:
    return [
        {"step": row["step"], "value": row["value"], "colour": f"{row['eta']:g}",
         "line": f"η = {row['eta']:g}, seed {row['seed']}"}
        for row in rows
    ]  # fmt: skip


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
    x = alt.X("eta:Q", title="threshold η", scale=alt.Scale(domain=[0, 1]),
              axis=alt.Axis(values=[0.1, 0.3, 0.5, 0.7, 0.9], grid=False))  # fmt: skip
    y = alt.Y("value:Q", title="FFS", scale=alt.Scale(domain=[0, 1]), axis=side_axis())
    scale = alt.Scale(domain=list(_ENDS))
    colour = alt.Color("end:N", title=None, scale=scale)
    tip = [alt.Tooltip("eta:Q"), alt.Tooltip("seed:N"), alt.Tooltip("value:Q", format=".2f")]
    points = inline(dots).mark_circle(size=36, opacity=0.8).encode(x, y, colour, tooltip=tip)
    lines = inline(medians).mark_line(strokeWidth=1.4).encode(x, y, colour)
    return layered([lines, points], title, 170)
