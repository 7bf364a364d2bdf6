"""Norms of the weights over training."""

import itertools
from collections.abc import Sequence

import altair as alt

from grokscope.report.figures.accuracy import heading
from grokscope.report.figures.figure import Figure, Layout, Panel, assemble
from grokscope.report.figures.timeline import TimeAxis, panel, side_axis
from grokscope.report.record import RunRecord

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
        _panel(record, group, matrices, axis, records)
        for record in records
        for group, matrices in grouped(record.matrices).items()
    ]
    caption = (
        "Root of the summed squared weights: weight decay shrinks what the answer does not need,"
        " most of all during the clean-up around grokking."
    )
    if any(len(record.seeds) > 1 for record in records):
        caption += " Line: the median over the seeds; shaded: from the least to the largest."
    chart = assemble(panels, layout, TITLE)
    chart["resolve"] = {"scale": {"color": "independent"}}
    return Figure(
        name="norms",
        title=TITLE,
        caption=caption,
        chart=chart,
        layout=layout,
        first_step=axis.first,
    )


def grouped(matrices: Sequence[str]) -> dict[str, list[str]]:
    """Return the matrices of each panel: one per part, and of several layers one per layer."""
    panels: dict[str, list[str]] = {}
    for group, kinds in _GROUPS.items():
        for wanted, matrix in itertools.product(kinds, matrices):
            # `W_Q.0` is the matrix of layer 0 where there are several
            kind, _, layer = matrix.partition(".")
            if kind == wanted:
                title = f"{group}, layer {layer}" if layer else group
                panels.setdefault(title, []).append(matrix)
    return panels


def _panel(
    record: RunRecord,
    group: str,
    matrices: Sequence[str],
    axis: TimeAxis,
    records: Sequence[RunRecord],
) -> Panel:
    curves = {matrix: record.curves[("l2_norm", matrix)] for matrix in matrices}
    y = alt.Y(
        "value:Q",
        title="L2 norm",
        scale=alt.Scale(zero=True),
        axis=side_axis(format="~s"),
    )
    run = heading(record, records)
    title = f"{run} · {group}" if run else group
    return panel(curves, record, axis, y, series=matrices, title=title, height=150, each_seed=False)
