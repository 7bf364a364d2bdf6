"""Panels over training time, from the thinned curves of results."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from grokscope.report.figures.figure import Panel, inline, layered
from grokscope.report.figures.timeline import side_axis

EVALUATIONS: Final = 50
"""Steps between evaluations, where a logarithmic axis begins."""
_THOUSANDS: Final = "format(datum.value, '~s')"


def panel(
    rows: Sequence[dict[str, Any]], title: str, colour: alt.Color, y_title: str, last: int
) -> Panel:
    """Draw curves of several runs, one thin line each.

    **Arguments:**

    - `rows`: `step`, `value`, `line` (one per curve) and the column of the colour.
    - `title`: of the panel.
    - `colour`: from `grokscope.report.theme.colours`.
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
