"""Panels over training time, from the thinned curves of results."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from grokscope.report.figures.figure import Panel, inline, layered
from grokscope.report.figures.timeline import side_axis
from grokscope.report.paper.shades import fraction_colour

EVALUATIONS: Final = 50
"""Steps between evaluations, where a logarithmic axis begins."""
_THOUSANDS: Final = "format(datum.value, '~s')"
_MORE: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#b8860b", "#7f7f7f")


def colours(field: str, domain: Sequence[str], title: str | None, ordered: bool) -> alt.Color:
    """Return the colour channel of some curves.

    **Arguments:**

    - `field`: the column.
    - `domain`: its values, in the order of the legend.
    - `title`: of the legend.
    - `ordered`: whether the values are numbers, which get shades in order.
    """
    if ordered:
        channel = fraction_colour(f"{field}:N", domain)
    else:
        shades = [_MORE[i % len(_MORE)] for i in range(len(domain))]
        channel = alt.Color(f"{field}:N", scale=alt.Scale(domain=list(domain), range=shades))
    lines = alt.Legend(symbolType="stroke", symbolStrokeWidth=2.5, symbolSize=300,
                       columns=4)  # fmt: skip
    return channel.title(title).legend(lines)


def panel(
    rows: Sequence[dict[str, Any]], title: str, colour: alt.Color, y_title: str, last: int
) -> Panel:
    """Draw curves of several runs, one thin line each.

    **Arguments:**

    - `rows`: `step`, `value`, `line` (one per curve) and the column of the colour.
    - `title`: of the panel.
    - `colour`: from `colours`.
    - `y_title`: of the vertical axis, which goes from 0 to 1.
    - `last`: last step of the axis.
    """
    x = alt.X("step:Q", title="step (full-batch updates)",
              scale=alt.Scale(type="linear", domain=[0, max(last, 1)], nice=False),
              axis=alt.Axis(labelExpr=_THOUSANDS, tickCount=5, grid=False))  # fmt: skip
    y = alt.Y("value:Q", title=y_title, scale=alt.Scale(domain=[0, 1]), axis=side_axis())
    tip = [alt.Tooltip("line:N"), alt.Tooltip("step:Q", format=","),
           alt.Tooltip("value:Q", format=".3~g")]  # fmt: skip
    lines = (
        inline(rows).mark_line(strokeWidth=1.4, opacity=0.85, clip=True)
        .encode(x, y, colour, detail="line:N", tooltip=tip)
    )  # fmt: skip
    return layered([lines], title, 170)
