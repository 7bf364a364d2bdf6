"""Accuracy over training."""

from collections.abc import Sequence

import altair as alt

from grokscope.report.figures.figure import Figure, Layout, assemble, shorten
from grokscope.report.figures.timeline import TimeAxis, many_seeds, panel, side_axis
from grokscope.report.record import SIDES, Curve, RunRecord

TITLE = "Accuracy on training and test pairs"
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
        panel(by_side(r, "accuracy", operation), r, axis, y, series=series,
              title=operation or heading(r, records), height=220, moments=r.moments_of(operation))
        for r, operation in parts
    ]  # fmt: skip
    caption = (
        "A network that groks is perfect on its training pairs long before it is on pairs that it"
        " never saw; vertical lines mark where each seed memorised (train) and grokked (test):"
        " the first evaluation at 99% or more that the next five confirm."
    )
    if "unleaked" in max((sides(record) for record in records), key=len):
        caption += (
            " A test pair is leaked when its transpose (y, x) was trained and has the same answer."
        )
    return Figure(
        name="accuracy",
        title=TITLE,
        caption=caption + many_seeds(records[0]),
        chart=assemble(panels, layout, TITLE),
        layout=layout,
        first_step=axis.first,
    )


def heading(record: RunRecord, records: Sequence[RunRecord]) -> str:
    """Return the title of a run's panel: none where there is a single run."""
    return "" if len(records) == 1 else shorten(record.label)
