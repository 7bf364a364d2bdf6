"""Norms of the weights over training."""

from collections.abc import Sequence

import altair as alt

from grokscope.report.figures.accuracy import heading
from grokscope.report.figures.figure import Figure, Layout, assemble
from grokscope.report.figures.timeline import TimeAxis, panel
from grokscope.report.record import Curve, RunRecord

TITLE = "L2 norms of the weights"
_GROUPS = {
    "embedding and unembedding": ("W_E", "W_U"),
    "attention": ("W_Q", "W_K", "W_V", "W_O"),
    "neurons": ("W_in", "W_hidden", "W_out"),
}


def norms(records: Sequence[RunRecord], axis: TimeAxis) -> Figure:
    """Return the figure: for each run a panel per part of the network."""
    alone = len(records) == 1
    layout = Layout(columns=1 if alone else 3, least=340 if alone else 300)
    panels = [
        _panel(record, group, axis, records)
        for record in records
        for group, kinds in _GROUPS.items()
        if any(_kind(matrix) in kinds for matrix in record.matrices)
    ]
    caption = (
        "Root of the summed squared weights: weight decay shrinks what the answer does not need,"
        " most of all during the clean-up around grokking."
    )
    if any(len(record.seeds) > 1 for record in records):
        caption += " Line: the median over the seeds; shaded: from the least to the largest."
    if any(record.config.model.layers > 1 for record in records):
        caption += " Of matrices that every layer has, the colour band joins all layers."
    chart = assemble(panels, layout, TITLE)
    chart["resolve"] = {"scale": {"color": "independent"}}
    return Figure(
        name="norms", title=TITLE, caption=caption, chart=chart, layout=layout, time=True
    )


def _kind(matrix: str) -> str:
    """`W_Q` of `W_Q.0`, the matrix of one of several layers."""
    return matrix.split(".")[0]


def _panel(
    record: RunRecord, group: str, axis: TimeAxis, records: Sequence[RunRecord]
) -> alt.LayerChart:
    curves: dict[str, dict[int, Curve]] = {
        matrix: record.curves[("l2_norm", matrix)]
        for matrix in record.matrices
        if _kind(matrix) in _GROUPS[group]
    }
    y = alt.Y(
        "value:Q",
        title="L2 norm",
        scale=alt.Scale(zero=True),
        axis=alt.Axis(format="~s", tickCount=5, minExtent=34),
    )
    run = heading(record, records)
    title = f"{run} · {group}" if run else group
    return panel(
        curves, record, axis, y, series=list(curves), title=title, height=150, each_seed=False
    )
