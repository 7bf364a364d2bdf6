"""The progress measures over training in the basis that fits, beside the additive one."""

from collections.abc import Sequence
from typing import Final

import altair as alt

from grokscope.measures import MEASURES
from grokscope.report.figures.figure import Figure, Layout, assemble
from grokscope.report.figures.progress import SHOWN, TABLES
from grokscope.report.figures.timeline import many_seeds, panel, side_axis, time_axis
from grokscope.report.record import RunRecord

_TITLE: Final = "Progress measures in the basis that fits the operation, and in the additive basis"
_SERIES: Final = ("basis that fits", "additive basis")
_MISSING: Final = (
    "The measures were not recorded in the basis that fits the operation: the run is older than"
    " them. The figure of the progress measures has the additive one."
)


def matched_progress(record: RunRecord, number: int = 0) -> Figure:
    """Return the figure for an operation of the run: a panel per measure and table."""
    matched = record.matched_curves(number)
    found = [(key, table) for key in SHOWN for table in TABLES if matched.get((key, table))]
    if not found:
        return Figure("measures-matched", _TITLE, "", missing=_MISSING)
    axis = time_axis([record])
    panels = [
        panel(
            {_SERIES[0]: matched[key, table], _SERIES[1]: record.curves.get((key, table), {})},
            record, axis, _side(key), series=_SERIES, title=f"{MEASURES[key].symbol} of {table}",
            height=170,
        )
        for key, table in found
    ]  # fmt: skip
    layout = Layout(columns=2, least=340)
    caption = (
        f"The same weights in two bases: {_described(found)}. In the basis that fits, cosine and"
        " sine of a frequency count together for FFS." + many_seeds(record)
    )
    chart = assemble(panels, layout, _TITLE)
    return Figure("measures-matched", _TITLE, caption, chart, layout, first_step=axis.first)


def _side(key: str) -> alt.Y:
    title = f"{MEASURES[key].symbol} (0 to 1)"
    return alt.Y("value:Q", title=title, scale=alt.Scale(domain=[0, 1]),
                 axis=side_axis(format=".1f"))  # fmt: skip


def _described(found: Sequence[tuple[str, str]]) -> str:
    """Say what each measure is that is drawn."""
    drawn = [MEASURES[key] for key in dict.fromkeys(key for key, _ in found)]
    return "; ".join(f"{m.symbol}, {m.name} ({m.direction})" for m in drawn)
