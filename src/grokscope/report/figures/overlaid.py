"""Curves of several runs in one panel, a line each, coloured by what differs."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import altair as alt
import numpy as np

from grokscope.measures import MEASURES
from grokscope.measures.thinning import thin
from grokscope.report.compared import Comparison, Network
from grokscope.report.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    inline,
    layered,
    shorten,
    significant,
)
from grokscope.report.figures.progress import SHOWN, TABLES
from grokscope.report.figures.timeline import TimeAxis, side_axis, span, time_axis
from grokscope.report.record import Curve
from grokscope.report.series import summarise
from grokscope.report.theme import colours
from grokscope.runs.differences import called

MOST_LINES: Final = 120
"""Lines of a panel; of more networks, each value of the setting has its median."""
_POINTS: Final = 480
"""Stretches that the lines of a panel share."""


class Shown(NamedTuple):
    """One recorded number and how its axis looks."""

    measure: str
    matrix: str | None
    title: str
    share: bool = True
    """Whether it is between 0 and 1."""
    logarithmic: bool = False


_FIGURES: Final = {
    "accuracy": (
        "Accuracy, run by run",
        [Shown("test_accuracy", None, "test accuracy"),
         Shown("train_accuracy", None, "train accuracy")],
    ),
    "loss": (
        "Loss, run by run",
        [Shown("test_loss", None, "test loss (nats)", False, True),
         Shown("train_loss", None, "train loss (nats)", False, True)],
    ),
    "measures": (
        "Fourier progress measures, run by run",
        [Shown(key, table, f"{MEASURES[key].symbol} of {table}")
         for key in SHOWN for table in TABLES],
    ),
    "norms": (
        "Norm of the embedding, run by run",
        [Shown("l2_norm", "W_E", "L2 norm of W_E", False)],
    ),
}  # fmt: skip


def overlaid(compared: Comparison) -> list[Figure]:
    """Return the curves of all runs; none where nothing was evaluated yet."""
    known = [record for record in compared.records if record.curves]
    if not known:
        return []
    axis = time_axis(known)
    return [_figure(name, *parts, compared, axis) for name, parts in _FIGURES.items()]


def _figure(
    name: str, title: str, numbers: Sequence[Shown], compared: Comparison, axis: TimeAxis
) -> Figure:
    panels = [
        _panel(number, compared, axis, value)
        for value in compared.values(compared.panel)
        for number in numbers
    ]
    layout = Layout(columns=min(2, len(panels)), least=340)
    many = len(compared.networks) > MOST_LINES
    line = "the median over the runs of one colour" if many else "one seed of one run"
    by = "" if compared.swept is None else f", coloured by {called(compared.swept)}"
    caption = (
        f"Each line is {line}{by}; it ends where the run ended. Points are thinned; extremes are"
        " kept."
    )
    return Figure(f"compared-{name}", title, caption, assemble(panels, layout, title), layout,
                  first_step=axis.first)  # fmt: skip


def _panel(number: Shown, compared: Comparison, axis: TimeAxis, value: str) -> Panel:
    own = [n for n in compared.networks if compared.value(n, compared.panel) == value]
    drawn = _drawn(compared, own, number)
    rows = [
        {"step": int(c.steps[i]), "value": significant(float(c.values[i])), "by": by, "line": line}
        for by, line, c in drawn
        for i in thin(c.values, max(12, _POINTS // max(1, len(drawn))))
    ]
    colour = colours("by", compared.values(compared.swept), _legend(compared),
                     ordered=_ordered(compared))  # fmt: skip
    if compared.swept is None:
        colour = colour.legend(None)
    tip = [alt.Tooltip("line:N", title="run"), alt.Tooltip("step:Q", format=","),
           alt.Tooltip("value:Q", format=".4~g")]  # fmt: skip
    lines = inline(rows).mark_line(strokeWidth=1.5, opacity=0.85, clip=True)
    chart = lines.encode(axis.channel(), _side(number, [c for _, _, c in drawn]), colour,
                         detail="line:N", tooltip=tip)  # fmt: skip
    heading = compared.heading(compared.panel, value)
    title = shorten(f"{heading} · {number.title}" if heading else number.title)
    return layered([chart], title, 200)


def _drawn(
    compared: Comparison, networks: Sequence[Network], number: Shown
) -> list[tuple[str, str, Curve]]:
    """Return colour, name and curve of every line."""
    known = [(n, c) for n in networks if (c := _curve(n, number)) is not None]
    if len(compared.networks) <= MOST_LINES:
        return [(compared.value(n, compared.swept), compared.label(n), c) for n, c in known]
    found = []
    for value in compared.values(compared.swept):
        curves = {i: c for i, (n, c) in enumerate(known)
                  if compared.value(n, compared.swept) == value}  # fmt: skip
        if curves:
            middle = summarise(curves)
            found.append((value, value, Curve(middle.steps, middle.median)))
    return found


def _curve(network: Network, number: Shown) -> Curve | None:
    curve = network.record.curves.get((number.measure, number.matrix), {}).get(network.seed)
    if curve is None or not number.logarithmic:
        return curve
    positive = np.isfinite(curve.values) & (curve.values > 0)
    return Curve(curve.steps, np.where(positive, curve.values, np.nan))


def _side(number: Shown, curves: Sequence[Curve]) -> alt.Y:
    options: dict[str, Any] = {"title": number.title, "axis": side_axis()}
    if number.share:
        options["scale"] = alt.Scale(domain=[0, 1])
    elif number.logarithmic:
        low, high = span(curves) or (1e-3, 1.0)
        options["scale"] = alt.Scale(type="log", domain=[low / 1.5, high * 1.5], nice=False)
        options["axis"] = side_axis(format="~e")
    return alt.Y("value:Q", **options)


def _legend(compared: Comparison) -> str | None:
    return None if compared.swept is None else called(compared.swept)


def _ordered(compared: Comparison) -> bool:
    return compared.is_number(compared.swept) or len(compared.values(compared.swept)) > 7
