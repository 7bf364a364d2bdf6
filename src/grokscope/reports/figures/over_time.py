"""Accuracy, loss, progress measures and norms over training."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Final

import altair as alt
import numpy as np

from grokscope import theme
from grokscope.disk.curves import Curve
from grokscope.measures import MEASURES, TABLES
from grokscope.reports.figures.figure import Figure, Layout, Panel, assemble
from grokscope.reports.figures.timeline import (
    curves_panel,
    seeds_in_words,
    side_axis,
    time_axis,
    time_span,
)
from grokscope.reports.moments import FITTING, SHOWN
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


def accuracy(record: RunRecord) -> Figure:
    """Return the figure: one panel, or of a mixture one per operation."""
    y = alt.Y(
        "value:Q",
        title="accuracy (share of pairs)",
        scale=alt.Scale(domain=[0, 1]),
        axis=side_axis(format=theme.SHARE),
    )
    operations = list(record.task_curves) or [None]
    panels = [
        curves_panel(
            by_side(record, "accuracy", operation),
            record,
            time_axis([record]),
            y,
            series=[_NAMES[side] for side in sides(record)],
            title=operation or "",
            height=220,
            moments=record.moments_of(operation),
        )
        for operation in operations
    ]
    caption = (
        "A network that groks is perfect on its training pairs long before it is on pairs that it"
        " never saw; vertical lines mark where each seed memorised (train) and grokked (test):"
        " the first evaluation at 99% or more that the next five confirm."
    )
    if record.n_leaked:
        caption += (
            " A test pair is leaked when its transpose (y, x) was trained and has the same answer."
        )
    layout = Layout(columns=min(2, len(panels)), least=340)
    return _over_time("accuracy", ACCURACY_TITLE, caption, panels, layout, record)


LOSS_TITLE = "Loss on training and test pairs"


def loss(record: RunRecord) -> Figure:
    """Return the figure: one panel with a logarithmic axis."""
    curves = _positive(by_side(record, "loss"))
    every = [curve for seeds in curves.values() for curve in seeds.values()]
    low, high = time_span(every) or (1e-3, 1.0)
    y = alt.Y(
        "value:Q",
        title="cross-entropy (nats)",
        scale=alt.Scale(type="log", domain=[low / 1.5, high * 1.5], nice=False),
        axis=side_axis(labelExpr=theme.POWER, values=_decades(low, high)),
    )
    panel = curves_panel(curves, record, time_axis([record]), y, series=list(curves), height=220)
    caption = (
        "Mean cross-entropy on a logarithmic axis: in a network that groks the test loss first"
        " rises while the training loss is already tiny, and then drops."
    )
    return _over_time("loss", LOSS_TITLE, caption, [panel], Layout(least=340), record)


def _over_time(
    name: str,
    title: str,
    caption: str,
    panels: Sequence[Panel],
    layout: Layout,
    record: RunRecord,
    *,
    each_seed: bool = True,
) -> Figure:
    """Return panels over training time as a figure, whose caption explains the lines of seeds."""
    chart = assemble(panels, layout, title)
    words = caption + seeds_in_words(record, each_seed=each_seed)
    first = time_axis([record]).first
    return Figure(name, title, words, chart, layout, first_step=first)


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


def progress(record: RunRecord) -> Figure:
    """Return the figure: a panel for FFS and one for FCR, in the additive basis."""
    panels = [
        _measure_panel(
            record,
            key,
            {table: record.curves.get((key, table), {}) for table in TABLES},
            title=f"{MEASURES[key].symbol}: {MEASURES[key].direction}",
        )
        for key in SHOWN
    ]
    described = "; ".join(
        f"{m.symbol}, {m.name} ({m.range}; {m.direction})" for m in map(MEASURES.get, SHOWN) if m
    )
    caption = (
        f"{described}. W_E is the embedding, W_L the neuron-logit map; a fall of either measure"
        f" goes with grokking, and which one falls depends on the operation."
    )
    return _over_time("measures", PROGRESS_TITLE, caption, panels, Layout(least=340), record)


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
    panels = [
        _measure_panel(
            record,
            key,
            {
                "basis that fits": fitting[key, table],
                "additive basis": record.curves.get((key, table), {}),
            },
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
    return _over_time("measures-matched", _TWO_BASES_TITLE, caption, panels, layout, record)


def _measure_panel(
    record: RunRecord,
    key: str,
    curves: Mapping[str, Mapping[int, Curve]],
    title: str,
) -> Panel:
    """Draw one measure from 0 to 1, a curve for each of some tables or bases."""
    y = alt.Y(
        "value:Q",
        title=f"{MEASURES[key].symbol} (0 to 1)",
        scale=alt.Scale(domain=[0, 1]),
        axis=side_axis(format=".1f"),
    )
    axis = time_axis([record])
    return curves_panel(curves, record, axis, y, series=list(curves), title=title, height=170)


NORMS_TITLE = "L2 norms of the weights"
_GROUPS = {
    "embedding and unembedding": ("W_E", "W_U"),
    "attention": ("W_Q", "W_K", "W_V", "W_O"),
    "neurons": ("W_in", "W_hidden", "W_out"),
}


def norms(record: RunRecord) -> Figure:
    """Return the figure: a panel per part of the network."""
    panels = [
        _norms_panel(record, group, matrices)
        for group, matrices in grouped(record.matrices).items()
    ]
    caption = (
        "Root of the summed squared weights: weight decay shrinks what the answer does not need,"
        " most of all during the clean-up around grokking."
    )
    figure = _over_time(
        "norms", NORMS_TITLE, caption, panels, Layout(least=340), record, each_seed=False
    )
    independent = {"resolve": {"scale": {"color": "independent"}}}
    return dataclasses.replace(figure, chart={**(figure.chart or {}), **independent})


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


def _norms_panel(record: RunRecord, group: str, matrices: Sequence[str]) -> Panel:
    curves = {matrix: record.curves[("l2_norm", matrix)] for matrix in matrices}
    y = alt.Y(
        "value:Q",
        title="L2 norm",
        scale=alt.Scale(zero=True),
        axis=side_axis(format="~s"),
    )
    axis = time_axis([record])
    return curves_panel(
        curves, record, axis, y, series=matrices, title=group, height=150, each_seed=False
    )
