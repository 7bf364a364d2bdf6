"""Where each run ended against the setting in which they differ."""

from collections.abc import Callable
from typing import Any, Final

import altair as alt
import numpy as np

from grokscope.measures import MEASURES
from grokscope.report.compared import Comparison, Network, outcome
from grokscope.report.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    inline,
    layered,
    significant,
)
from grokscope.report.figures.progress import SHOWN, TABLES
from grokscope.report.figures.timeline import side_axis
from grokscope.report.theme import colours
from grokscope.runs.differences import called

_ENDED: Final = ("grokked", "undecided", "diverged", "not finished")
_SHAPES: Final = ["circle", "triangle-up", "cross", "square"]


def against(compared: Comparison) -> Figure:
    """Return the figure: the step of grokking and the last measures, one mark per network."""
    title = f"Where each run ended, by {called(compared.swept or 'run')}"
    panels = [_panel(compared, "step", _step, None)]
    panels.append(_panel(compared, "test accuracy, last", _last("test_accuracy", None), [0, 1]))
    panels += [
        _panel(compared, f"{MEASURES[key].symbol} of {table}, last", _last(key, table), [0, 1])
        for key in SHOWN for table in TABLES
    ]  # fmt: skip
    caption = (
        "One mark per seed of a run. Step: where it grokked; for one that did not, its last"
        " evaluation, so that the mark is a lower bound. The others are values at the last"
        " evaluation, which further training may change."
    )
    layout = Layout(columns=2, least=340)
    return Figure("against", title, caption, assemble(panels, layout, title), layout)


def _panel(
    compared: Comparison,
    title: str,
    number: Callable[[Network], float | None],
    domain: list[int] | None,
) -> Panel:
    rows = [
        {"x": compared.value(n, compared.swept), "value": significant(value), "ended": _ended(n),
         "by": compared.value(n, compared.panel), "run": compared.label(n)}
        for n in compared.networks
        if (value := number(n)) is not None
    ]  # fmt: skip
    x = alt.X("x:N", title=called(compared.swept or "run"), sort=compared.values(compared.swept),
              axis=alt.Axis(labelAngle=0, labelLimit=110, grid=False))  # fmt: skip
    scale = alt.Scale(domain=domain) if domain else alt.Scale(zero=True)
    y = alt.Y("value:Q", title=title, scale=scale, axis=side_axis())
    shape = alt.Shape("ended:N", title=None, scale=alt.Scale(domain=list(_ENDED), range=_SHAPES))
    tip: list[Any] = [alt.Tooltip("run:N"), alt.Tooltip("value:Q", format=",.4~g"),
                      alt.Tooltip("ended:N")]  # fmt: skip
    channels = [x, y, shape]
    if compared.panel is not None:
        channels.append(colours("by", compared.values(compared.panel), called(compared.panel),
                                ordered=compared.is_number(compared.panel)))  # fmt: skip
    marks = inline(rows).mark_point(size=70, strokeWidth=1.6, opacity=0.85)
    return layered([marks.encode(*channels, tooltip=tip)], title, 190)


def _ended(network: Network) -> str:
    found = outcome(network)
    return found if found in _ENDED else _ENDED[-1]


def _step(network: Network) -> float | None:
    grokked = network.record.moments[network.seed].grokked
    if grokked is not None:
        return float(grokked)
    curve = network.record.curves.get(("test_accuracy", None), {}).get(network.seed)
    return None if curve is None else float(curve.steps[-1])


def _last(measure: str, matrix: str | None) -> Callable[[Network], float | None]:
    def number(network: Network) -> float | None:
        curve = network.record.curves.get((measure, matrix), {}).get(network.seed)
        known = curve is not None and bool(np.isfinite(curve.values[-1]))
        return float(curve.values[-1]) if curve is not None and known else None

    return number
