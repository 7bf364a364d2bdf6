"""Accuracy, loss, progress measures and norms over training."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

import altair as alt
import numpy as np

from grokscope.disk.curves import Curve
from grokscope.measures import MEASURES, TABLES
from grokscope.reports.figures.figure import Figure, Layout, Panel, assemble, shorten
from grokscope.reports.figures.timeline import (
    TimeAxis,
    curves_panel,
    seeds_in_words,
    side_axis,
    time_axis,
    time_span,
)
from grokscope.reports.record import SIDES, RunRecord
from grokscope.tasks.structure import structure_of

ACCURACY_TITLE = "Accuracy on training and test pairs"
_NAMES = {"train": "train", "test": "test", "unleaked": "test, unleaked only"}


def sides(record: RunRecord) -> list[str]:
    """Return the sides to show: unleaked pairs only where some test pairs are leaked."""
    return list(SIDES) if record.n_leaked else list(SIDES[:2])


def by_side(
    record: RunRecord, measure: str, operation: str | None = None
) -> dict[str, dict[int, Curve]]:
    """Return the curves of `accuracy` or `loss` by the side's name in the legend."""
    curves = record.curves if operation is None else record.task_curves[operation]
    found = {_NAMES[side]: curves.get((f"{side}_{measure}", None)) for side in sides(record)}
    return {name: curves for name, curves in found.items() if curves}


def accuracy(records: Sequence[RunRecord], axis: TimeAxis) -> Figure:
    """Return the figure: one panel per run, or per operation of a single mixture."""
    y = alt.Y(
        "value:Q",
        title="accuracy (share of pairs)",
        scale=alt.Scale(domain=[0, 1]),
        axis=side_axis(format=".0%"),
    )
    parts = [(record, None) for record in records]
    if len(records) == 1 and records[0].task_curves:
        parts = [(records[0], operation) for operation in records[0].task_curves]
    layout = Layout(columns=min(2, len(parts)), least=340)
    series = [_NAMES[side] for side in max((sides(record) for record in records), key=len)]
    panels = [
        curves_panel(
            by_side(r, "accuracy", operation),
            r,
            axis,
            y,
            series=series,
            title=operation or heading(r, records),
            height=220,
            moments=r.moments_of(operation),
        )
        for r, operation in parts
    ]
    caption = (
        "A network that groks is perfect on its training pairs long before it is on pairs that it"
        " never saw; vertical lines mark where each seed memorised (train) and grokked (test):"
        " the first evaluation at 99% or more that the next five confirm."
    )
    if "unleaked" in max((sides(record) for record in records), key=len):
        caption += (
            " A test pair is leaked when its transpose (y, x) was trained and has the same answer."
        )
    chart = assemble(panels, layout, ACCURACY_TITLE)
    caption += seeds_in_words(records[0])
    return Figure("accuracy", ACCURACY_TITLE, caption, chart, layout, first_step=axis.first)


def heading(record: RunRecord, records: Sequence[RunRecord]) -> str:
    """Return the title of a run's panel: none where there is a single run."""
    return "" if len(records) == 1 else shorten(record.label)


LOSS_TITLE = "Loss on training and test pairs"
_POWER = "replace(format(datum.value, '~e'), '+', '')"
"""Labels 1e-3 and 1e1."""


def loss(records: Sequence[RunRecord], axis: TimeAxis) -> Figure:
    """Return the figure: one panel per run, with a common logarithmic axis."""
    shown = [_positive(by_side(record, "loss")) for record in records]
    every = [curve for sides in shown for seeds in sides.values() for curve in seeds.values()]
    low, high = time_span(every) or (1e-3, 1.0)
    y = alt.Y(
        "value:Q",
        title="cross-entropy (nats)",
        scale=alt.Scale(type="log", domain=[low / 1.5, high * 1.5], nice=False),
        axis=side_axis(labelExpr=_POWER, values=_decades(low, high)),
    )
    layout = Layout(columns=min(2, len(records)), least=340)
    series = list(max(shown, key=len))
    panels = [
        curves_panel(
            curves, record, axis, y, series=series, title=heading(record, records), height=220
        )
        for curves, record in zip(shown, records, strict=True)
    ]
    caption = (
        "Mean cross-entropy on a logarithmic axis: in a network that groks the test loss first"
        " rises while the training loss is already tiny, and then drops."
    )
    chart = assemble(panels, layout, LOSS_TITLE)
    caption += seeds_in_words(records[0])
    return Figure("loss", LOSS_TITLE, caption, chart, layout, first_step=axis.first)


def _positive(sides: dict[str, dict[int, Curve]]) -> dict[str, dict[int, Curve]]:
    """Leave out what a logarithmic axis cannot show: exact zeros and what is not finite."""
    return {
        name: {
            seed: Curve(c.steps, np.where(np.isfinite(c.values) & (c.values > 0), c.values, np.nan))
            for seed, c in seeds.items()
        }
        for name, seeds in sides.items()
    }


def _decades(low: float, high: float) -> list[float]:
    """Return about six powers of ten between the least and the largest loss."""
    first, last = int(np.ceil(np.log10(low / 1.5))), int(np.floor(np.log10(high * 1.5)))
    return [float(f"1e{e}") for e in range(first, last + 1, max(1, round((last - first) / 6)))]


PROGRESS_TITLE = "Fourier progress measures of W_E and W_L"
SHOWN = ("ffs", "fcr")
"""Measures of the additive basis."""
FITTING = ("kfs", "fcr")
"""Measures of the basis that fits an operation."""


def progress(records: Sequence[RunRecord], axis: TimeAxis) -> Figure:
    """Return the figure: for each run a panel for FFS and one for FCR, in the additive basis."""
    layout = Layout(columns=1 if len(records) == 1 else 2, least=340)
    panels = [
        _measure_panel(
            record,
            key,
            {table: record.curves.get((key, table), {}) for table in TABLES},
            axis,
            title=_measure_title(record, key, records),
        )
        for record in records
        for key in SHOWN
    ]
    described = "; ".join(
        f"{m.symbol}, {m.name} ({m.range}; {m.direction})" for m in map(MEASURES.get, SHOWN) if m
    )
    caption = (
        f"{described}. W_E is the embedding, W_L the neuron-logit map; a fall of either measure"
        f" goes with grokking, and which one falls depends on the operation."
    )
    return _measures_figure("measures", PROGRESS_TITLE, caption, panels, layout, records[0], axis)


def _measure_title(record: RunRecord, key: str, records: Sequence[RunRecord]) -> str:
    measure, run = MEASURES[key], heading(record, records)
    return f"{run} · {measure.symbol}" if run else f"{measure.symbol}: {measure.direction}"


_TWO_BASES_TITLE: Final = (
    "Progress measures in the basis that fits the operation, and in the additive basis"
)
_MISSING: Final = (
    "The measures were not recorded in the basis that fits the operation: {why}. The figure of the"
    " progress measures has the additive one."
)


def progress_in_two_bases(record: RunRecord, number: int = 0) -> Figure:
    """Return the figure for an operation of the run: a panel per measure and table."""
    fitting = record.matched_curves(number)
    drawn = [(key, table) for key in FITTING for table in TABLES if fitting.get((key, table))]
    if not drawn:
        known = structure_of(record.task, number, record.shown_seed).best
        why = "the run is older than them" if known else "no structure of it is known"
        missing = _MISSING.format(why=why)
        return Figure("measures-matched", _TWO_BASES_TITLE, "", missing=missing)
    axis = time_axis([record])
    panels = [
        _measure_panel(
            record,
            key,
            {
                "basis that fits": fitting[key, table],
                "additive basis": record.curves.get((key, table), {}),
            },
            axis,
            title=f"{MEASURES[key].symbol} of {table}",
        )
        for key, table in drawn
    ]
    measures = [MEASURES[key] for key in dict.fromkeys(key for key, _ in drawn)]
    described = "; ".join(f"{m.symbol}, {m.name} ({m.direction})" for m in measures)
    caption = (
        f"The same weights in two bases: {described}. KFS counts cosine and sine of a frequency"
        " together, FFS each for itself."
    )
    layout = Layout(columns=2, least=340)
    return _measures_figure(
        "measures-matched", _TWO_BASES_TITLE, caption, panels, layout, record, axis
    )


def _measure_panel(
    record: RunRecord,
    key: str,
    curves: Mapping[str, Mapping[int, Curve]],
    axis: TimeAxis,
    title: str,
) -> Panel:
    """Draw one measure from 0 to 1, a curve for each of some tables or bases."""
    y = alt.Y(
        "value:Q",
        title=f"{MEASURES[key].symbol} (0 to 1)",
        scale=alt.Scale(domain=[0, 1]),
        axis=side_axis(format=".1f"),
    )
    return curves_panel(curves, record, axis, y, series=list(curves), title=title, height=170)


def _measures_figure(
    name: str,
    title: str,
    caption: str,
    panels: Sequence[Panel],
    layout: Layout,
    record: RunRecord,
    axis: TimeAxis,
) -> Figure:
    chart = assemble(panels, layout, title)
    return Figure(
        name, title, caption + seeds_in_words(record), chart, layout, first_step=axis.first
    )


NORMS_TITLE = "L2 norms of the weights"
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
        _norms_panel(record, group, matrices, axis, records)
        for record in records
        for group, matrices in grouped(record.matrices).items()
    ]
    caption = (
        "Root of the summed squared weights: weight decay shrinks what the answer does not need,"
        " most of all during the clean-up around grokking."
    )
    if any(len(record.seeds) > 1 for record in records):
        caption += " Line: the median over the seeds; shaded: from the least to the largest."
    chart = assemble(panels, layout, NORMS_TITLE)
    chart["resolve"] = {"scale": {"color": "independent"}}
    return Figure("norms", NORMS_TITLE, caption, chart, layout, first_step=axis.first)


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


def _norms_panel(
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
    return curves_panel(
        curves, record, axis, y, series=matrices, title=title, height=150, each_seed=False
    )
