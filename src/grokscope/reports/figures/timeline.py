"""A panel over training time: curves of one or several seeds, with the moments that matter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt
import numpy as np

from grokscope import theme
from grokscope.disk.curves import Curve
from grokscope.measures.grokking import thin
from grokscope.reports.figures.figure import Panel, inline, layered, significant
from grokscope.reports.record import Moments, RunRecord, Summary, summarise, thin_band

BUCKETS: Final = 140
"""Stretches of a curve of which the extremes are drawn, shared by the runs of a page."""
MOMENTS: Final = ("memorised", "grokked")


def side_axis(**options: Any) -> alt.Axis:
    """Return a vertical axis whose labels have the same room in all panels.

    So the time axes of all figures are aligned.
    """
    return alt.Axis(tickCount=5, minExtent=38, maxExtent=38, **options)


@dataclass(frozen=True)
class TimeAxis:
    """The time axis that all panels of a page share."""

    last: int
    first: int
    """First evaluation after the start, where a logarithmic axis begins."""
    unit: str
    buckets: int

    def channel(self) -> alt.X:
        """Return the horizontal axis."""
        scale = alt.Scale(type="linear", domain=[0, max(self.last, 1)], nice=False)
        axis = alt.Axis(format=theme.STEP, tickCount=6, grid=False)
        return alt.X("step:Q", title=self.unit, scale=scale, axis=axis)


def time_axis(records: Sequence[RunRecord]) -> TimeAxis:
    """Return the axis that shows every evaluation of these runs."""
    full = all(record.config.optimizer.batch_size is None for record in records)
    return TimeAxis(
        last=max(record.last_step for record in records),
        first=min(record.config.schedule.eval_every for record in records),
        unit="step (full-batch updates)" if full else "step (updates)",
        buckets=max(20, BUCKETS // len(records)),
    )


def curves_panel(
    curves: Mapping[str, Mapping[int, Curve]],
    record: RunRecord,
    axis: TimeAxis,
    y: alt.Y,
    *,
    series: Sequence[str],
    title: str = "",
    height: int = 200,
    each_seed: bool = True,
    moments: Mapping[int, Moments] | None = None,
) -> Panel:
    """Draw the curves of a run.

    **Arguments:**

    - `curves`: by name of the series, then by seed.
    - `record`: the run, for its moments.
    - `axis`: time.
    - `y`: the vertical channel; the field is `value`.
    - `series`: names in the order of colours, also those that this run does not have.
    - `each_seed`: whether each seed has a thin line.
    - `moments`: per seed, where they are not those of the run.
    """
    summaries = {name: summarise(seeds) for name, seeds in curves.items() if seeds}
    lines = alt.Legend(symbolType="stroke", symbolStrokeWidth=2.5, symbolSize=300, symbolOpacity=1)
    scale = alt.Scale(domain=list(series))
    colour = alt.Color("series:N", title=None, scale=scale, legend=lines)
    layers = [_moments(record, axis, record.moments if moments is None else moments)]
    if len(record.seeds) > 1:
        layers.append(_band(summaries, axis, y, colour))
        if each_seed:
            layers.append(_thin_lines(curves, axis, y, colour))
    layers.append(_median(summaries, axis, y, colour))
    return layered(layers, title, height)


def lines_panel(
    rows: Sequence[dict[str, Any]],
    axis: TimeAxis,
    y: alt.Y,
    colour: alt.Color,
    title: str,
    height: int = 200,
) -> Panel:
    """Draw curves of several runs over one another, one thin line each.

    **Arguments:**

    - `rows`: `step`, `value`, `line` (one per curve) and the column of the colour.
    - `axis`: time.
    - `y`: the vertical channel; the field is `value`.
    - `colour`: from `figure.colours`.
    """
    tip = [
        alt.Tooltip("line:N", title="run"),
        alt.Tooltip("step:Q", format=theme.STEP),
        alt.Tooltip("value:Q", format=theme.VALUE),
    ]
    lines = inline(rows).mark_line(strokeWidth=1.5, opacity=0.85, clip=True)
    chart = lines.encode(axis.channel(), y, colour, detail="line:N", tooltip=tip)
    return layered([chart], title, height)


def _median(
    summaries: Mapping[str, Summary], axis: TimeAxis, y: alt.Y, colour: alt.Color
) -> alt.Chart:
    rows = [
        {"series": name, "step": int(s.steps[i]), "value": significant(float(median[i]))}
        for name, s in summaries.items()
        for median in [s.median]
        for i in thin(median, axis.buckets)
    ]
    tip = [
        alt.Tooltip("series:N"),
        alt.Tooltip("step:Q", format=theme.STEP),
        alt.Tooltip("value:Q", format=theme.VALUE),
    ]
    hover = alt.OverlayMarkDef(opacity=0, size=50)
    line = inline(rows).mark_line(strokeWidth=1.8, point=hover, interpolate="linear")
    return line.encode(axis.channel(), y, colour, tooltip=tip)


def _thin_lines(
    curves: Mapping[str, Mapping[int, Curve]], axis: TimeAxis, y: alt.Y, colour: alt.Color
) -> alt.Chart:
    rows = [
        {
            "series": name,
            "seed": seed,
            "step": int(curve.steps[i]),
            "value": significant(float(curve.values[i]), 3),
        }
        for name, seeds in curves.items()
        for seed, curve in seeds.items()
        for i in thin(curve.values, axis.buckets // 2)
    ]
    line = inline(rows).mark_line(strokeWidth=0.6, opacity=0.55)
    return line.encode(axis.channel(), y, colour, detail="seed:N")


def _band(
    summaries: Mapping[str, Summary], axis: TimeAxis, y: alt.Y, colour: alt.Color
) -> alt.Chart:
    rows = [
        {"series": name, "step": step, "value": significant(low), "high": significant(high)}
        for name, summary in summaries.items()
        for step, low, high in thin_band(summary, axis.buckets)
    ]
    area = inline(rows).mark_area(opacity=0.16, line=False)
    return area.encode(axis.channel(), y, colour, alt.Y2(field="high"))


def _moments(record: RunRecord, axis: TimeAxis, moments: Mapping[int, Moments]) -> alt.Chart:
    rows = [
        {"moment": name, "step": step, "seed": seed}
        for seed, reached in moments.items()
        for name, step in zip(MOMENTS, reached, strict=True)
        if step is not None
    ]
    scale = alt.Scale(domain=list(MOMENTS), range=[[2, 3], [7, 3]])
    lines = alt.Legend(symbolType="stroke", symbolSize=300, symbolOpacity=1)
    dash = alt.StrokeDash("moment:N", title=None, scale=scale, legend=lines)
    tip = [alt.Tooltip("moment:N"), alt.Tooltip("step:Q", format=theme.STEP), alt.Tooltip("seed:N")]
    opacity = 0.9 if len(record.seeds) == 1 else 0.6
    return (
        inline(rows).mark_rule(opacity=opacity).encode(axis.channel(), strokeDash=dash, tooltip=tip)
    )


def seeds_in_words(record: RunRecord, *, each_seed: bool = True) -> str:
    """Return the sentence that explains the lines of several seeds, or nothing for one."""
    if len(record.seeds) == 1:
        return ""
    thin = " thin: each seed;" if each_seed else ""
    return (
        f" Thick: the median over the seeds;{thin} shaded: from the least to the largest"
        " (a seed that has stopped keeps its last value)."
    )


def time_span(curves: Sequence[Curve]) -> tuple[float, float] | None:
    """Return the least and the largest value that a logarithmic axis can show, if any."""
    known = [c.values[np.isfinite(c.values) & (c.values > 0)] for c in curves]
    found = np.concatenate(known) if known else np.array([])
    return (float(found.min()), float(found.max())) if len(found) else None
