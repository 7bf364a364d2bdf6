"""Loss over training."""

from collections.abc import Sequence

import altair as alt
import numpy as np

from grokscope.report.figures.accuracy import by_side, heading
from grokscope.report.figures.figure import Figure, Layout, assemble
from grokscope.report.figures.timeline import TimeAxis, many_seeds, panel, side_axis, span
from grokscope.report.record import Curve, RunRecord

TITLE = "Loss on training and test pairs"
_POWER = "replace(format(datum.value, '~e'), '+', '')"
"""Labels 1e-3 and 1e1."""


def loss(records: Sequence[RunRecord], axis: TimeAxis) -> Figure:
    """Return the figure: one panel per run, with a common logarithmic axis."""
    shown = [_positive(by_side(record, "loss")) for record in records]
    every = [curve for sides in shown for seeds in sides.values() for curve in seeds.values()]
    low, high = span(every) or (1e-3, 1.0)
    y = alt.Y(
        "value:Q",
        title="cross-entropy (nats)",
        scale=alt.Scale(type="log", domain=[low / 1.5, high * 1.5], nice=False),
        axis=side_axis(labelExpr=_POWER, values=_decades(low, high)),
    )
    layout = Layout(columns=min(2, len(records)), least=340)
    series = list(max(shown, key=len))
    panels = [
        panel(curves, record, axis, y, series=series, title=heading(record, records), height=220)
        for curves, record in zip(shown, records, strict=True)
    ]
    caption = (
        "Mean cross-entropy on a logarithmic axis: in a network that groks the test loss first"
        " rises while the training loss is already tiny, and then drops."
    )
    return Figure(
        name="loss",
        title=TITLE,
        caption=caption + many_seeds(records[0]),
        chart=assemble(panels, layout, TITLE),
        layout=layout,
        first_step=axis.first,
    )


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
