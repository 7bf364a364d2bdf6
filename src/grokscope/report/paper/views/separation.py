"""How well a number known before training tells what grokked from what did not."""

from typing import Final

import altair as alt

from grokscope.paper.labels import Separation, separations
from grokscope.report.figures.figure import Figure, Layout, assemble, inline, layered, significant
from grokscope.report.paper.block import UNKNOWN, Block, Cell, Shown, Table

_NAMES: Final = {
    "kl": "KL(train ‖ test)",
    "entropy_train": "entropy, training labels",
    "entropy_test": "entropy, test labels",
}


def separation(shown: Shown) -> list[Block]:
    """Return the figure of all statistics over the training fraction, and its numbers."""
    found = separations(shown.results.rows)
    return [_figure(found, shown.view.title), _table(found)]


def _figure(found: list[Separation], title: str) -> Figure:
    if not found:
        return Figure("separation", title, "", missing="Nothing of Table A.5 is among the rows.")
    rows = [
        {"r": s.train_fraction, "value": significant(s.chance_above),
         "statistic": _NAMES[s.statistic], "p": significant(s.p_value, 2)}
        for s in found
    ]  # fmt: skip
    x = alt.X("r:Q", title="training fraction r", scale=alt.Scale(domain=[0.25, 0.95], nice=False),
              axis=alt.Axis(values=sorted({row["r"] for row in rows}), grid=False))  # fmt: skip
    y = alt.Y("value:Q", title="chance of a higher value", scale=alt.Scale(domain=[0, 1]))
    lines = inline(rows).mark_line(point={"size": 60}, strokeWidth=1.4).encode(
        x, y, alt.Color("statistic:N", title=None, scale=alt.Scale(domain=list(_NAMES.values()))),
        tooltip=[alt.Tooltip("statistic:N"), alt.Tooltip("r:Q"),
                 alt.Tooltip("value:Q", format=".2f"), alt.Tooltip("p:Q", title="p value")],
    )  # fmt: skip
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
    rows = [[Cell("grokked, did not"), *(Cell("{}, {}".format(*counts[r])) for r in fractions)]]
    for key, name in _NAMES.items():
        cells = [_cell(by_place.get((key, r))) for r in fractions]
        rows.append([Cell(name), *cells])
    caption = (
        "The same in numbers; below each the p value of a shuffle of the outcomes among the"
        " operations (10,000 draws, not corrected for the number of cells)."
    )
    return Table("", caption, ["", *(f"r = {r:g}" for r in fractions)], rows)


def _cell(found: Separation | None) -> Cell:
    if found is None:
        return Cell(UNKNOWN)
    return Cell(f"{found.chance_above:.2f}", note=f"p = {found.p_value:.2g}")
