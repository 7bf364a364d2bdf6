"""FFS over training in the basis that fits the operation, beside the additive one."""

from typing import Final

import altair as alt

from grokscope.measures import MEASURES
from grokscope.report.figures.figure import Figure, Layout, assemble
from grokscope.report.figures.progress import TABLES
from grokscope.report.figures.timeline import many_seeds, panel, side_axis, time_axis
from grokscope.report.record import RunRecord

_TITLE: Final = "FFS in the basis that fits the operation, and in the additive basis"
_SERIES: Final = ("basis that fits", "additive basis")
_MISSING: Final = (
    "FFS was not recorded in the basis that fits the operation: the run is older than this"
    " measure. The figure of the progress measures has the additive one."
)


def matched_progress(record: RunRecord, number: int = 0) -> Figure:
    """Return the figure for an operation of the run: a panel per table."""
    matched = record.matched_curves(number)
    found = {table: matched.get(("ffs", table), {}) for table in TABLES}
    if not any(found.values()):
        return Figure("measures-matched", _TITLE, "", missing=_MISSING)
    axis = time_axis([record])
    y = alt.Y(
        "value:Q",
        title=f"{MEASURES['ffs'].symbol} (0 to 1)",
        scale=alt.Scale(domain=[0, 1]),
        axis=side_axis(format=".1f"),
    )
    panels = [
        panel(
            {_SERIES[0]: curves, _SERIES[1]: record.curves.get(("ffs", table), {})},
            record, axis, y, series=_SERIES, title=table, height=170,
        )
        for table, curves in found.items()
    ]  # fmt: skip
    layout = Layout(columns=2, least=340)
    caption = (
        "Share of the frequencies that are larger than η times the largest, of the same weights in"
        " two bases; low means few frequencies. In the basis that fits, cosine and sine of a"
        " frequency count together." + many_seeds(record)
    )
    chart = assemble(panels, layout, _TITLE)
    return Figure("measures-matched", _TITLE, caption, chart, layout, first_step=axis.first)
