"""The paper's progress measures over training."""

from collections.abc import Sequence

import altair as alt

from grokscope.measures import MEASURES
from grokscope.report.figures.accuracy import heading
from grokscope.report.figures.figure import Figure, Layout, Panel, assemble
from grokscope.report.figures.timeline import TimeAxis, many_seeds, panel, side_axis
from grokscope.report.record import RunRecord

TITLE = "Fourier progress measures of W_E and W_L"
SHOWN = ("ffs", "fcr")
TABLES = ("W_E", "W_L")


def progress(records: Sequence[RunRecord], axis: TimeAxis) -> Figure:
    """Return the figure: for each run a panel for FFS and one for FCR."""
    alone = len(records) == 1
    layout = Layout(columns=1 if alone else 2, least=340)
    panels = [_panel(r, key, axis, records) for r in records for key in SHOWN]
    described = "; ".join(
        f"{m.symbol}, {m.name} ({m.range}; {m.direction})" for m in map(MEASURES.get, SHOWN) if m
    )
    caption = (
        f"{described}. W_E is the embedding, W_L the neuron-logit map; a fall of either measure"
        f" goes with grokking, and which one falls depends on the operation."
    )
    return Figure(
        name="measures",
        title=TITLE,
        caption=caption + many_seeds(records[0]),
        chart=assemble(panels, layout, TITLE),
        layout=layout,
        first_step=axis.first,
    )


def _panel(record: RunRecord, key: str, axis: TimeAxis, records: Sequence[RunRecord]) -> Panel:
    measure = MEASURES[key]
    y = alt.Y(
        "value:Q",
        title=f"{measure.symbol} (0 to 1)",
        scale=alt.Scale(domain=[0, 1]),
        axis=side_axis(format=".1f"),
    )
    curves = {table: record.curves.get((key, table), {}) for table in TABLES}
    run = heading(record, records)
    title = f"{run} · {measure.symbol}" if run else f"{measure.symbol}: {measure.direction}"
    return panel(curves, record, axis, y, series=TABLES, title=title, height=170)
