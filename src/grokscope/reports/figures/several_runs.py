"""Several runs in one figure: curves, ends against a setting, and chosen frequencies."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import altair as alt
import numpy as np

from grokscope.disk.curves import Curve
from grokscope.disk.manifest import setting_in_words, settings_in_words
from grokscope.explanation.result import Explanation
from grokscope.measures import MEASURES, TABLES
from grokscope.measures.grokking import thin
from grokscope.reports.compared import Comparison, TrainedNetwork, outcome_of
from grokscope.reports.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    colours,
    inline,
    layered,
    shorten,
    significant,
)
from grokscope.reports.figures.over_time import SHOWN
from grokscope.reports.figures.timeline import TimeAxis, side_axis, time_axis, time_span
from grokscope.reports.record import summarise

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
        [
            Shown("test_accuracy", None, "test accuracy"),
            Shown("train_accuracy", None, "train accuracy"),
        ],
    ),
    "loss": (
        "Loss, run by run",
        [
            Shown("test_loss", None, "test loss (nats)", False, True),
            Shown("train_loss", None, "train loss (nats)", False, True),
        ],
    ),
    "measures": (
        "Fourier progress measures, run by run",
        [
            Shown(key, table, f"{MEASURES[key].symbol} of {table}")
            for key in SHOWN
            for table in TABLES
        ],
    ),
    "norms": (
        "Norm of the embedding, run by run",
        [Shown("l2_norm", "W_E", "L2 norm of W_E", False)],
    ),
}


def overlaid_figures(compared: Comparison) -> list[Figure]:
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
        _overlaid_panel(number, compared, axis, value)
        for value in compared.values(compared.panel)
        for number in numbers
    ]
    layout = Layout(columns=min(2, len(panels)), least=340)
    many = len(compared.networks) > MOST_LINES
    line = "the median over the runs of one colour" if many else "one seed of one run"
    by = "" if compared.swept is None else f", coloured by {setting_in_words(compared.swept)}"
    caption = (
        f"Each line is {line}{by}; it ends where the run ended. Points are thinned; extremes are"
        " kept."
    )
    return Figure(
        f"compared-{name}",
        title,
        caption,
        assemble(panels, layout, title),
        layout,
        first_step=axis.first,
    )


def _overlaid_panel(number: Shown, compared: Comparison, axis: TimeAxis, value: str) -> Panel:
    own = [n for n in compared.networks if compared.value(n, compared.panel) == value]
    drawn = _drawn(compared, own, number)
    rows = [
        {"step": int(c.steps[i]), "value": significant(float(c.values[i])), "by": by, "line": line}
        for by, line, c in drawn
        for i in thin(c.values, max(12, _POINTS // max(1, len(drawn))))
    ]
    colour = colours(
        "by", compared.values(compared.swept), _legend(compared), ordered=_ordered(compared)
    )
    if compared.swept is None:
        colour = colour.legend(None)
    tip = [
        alt.Tooltip("line:N", title="run"),
        alt.Tooltip("step:Q", format=","),
        alt.Tooltip("value:Q", format=".4~g"),
    ]
    lines = inline(rows).mark_line(strokeWidth=1.5, opacity=0.85, clip=True)
    chart = lines.encode(
        axis.channel(),
        _side(number, [c for _, _, c in drawn]),
        colour,
        detail="line:N",
        tooltip=tip,
    )
    heading = compared.heading(compared.panel, value)
    title = shorten(f"{heading} · {number.title}" if heading else number.title)
    return layered([chart], title, 200)


def _drawn(
    compared: Comparison, networks: Sequence[TrainedNetwork], number: Shown
) -> list[tuple[str, str, Curve]]:
    """Return colour, name and curve of every line."""
    known = [(n, c) for n in networks if (c := _curve(n, number)) is not None]
    if len(compared.networks) <= MOST_LINES:
        return [(compared.value(n, compared.swept), compared.label(n), c) for n, c in known]
    found = []
    for value in compared.values(compared.swept):
        curves = {
            i: c for i, (n, c) in enumerate(known) if compared.value(n, compared.swept) == value
        }
        if curves:
            middle = summarise(curves)
            found.append((value, value, Curve(middle.steps, middle.median)))
    return found


def _curve(network: TrainedNetwork, number: Shown) -> Curve | None:
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
        low, high = time_span(curves) or (1e-3, 1.0)
        options["scale"] = alt.Scale(type="log", domain=[low / 1.5, high * 1.5], nice=False)
        options["axis"] = side_axis(format="~e")
    return alt.Y("value:Q", **options)


def _legend(compared: Comparison) -> str | None:
    return None if compared.swept is None else setting_in_words(compared.swept)


def _ordered(compared: Comparison) -> bool:
    return compared.is_number(compared.swept) or len(compared.values(compared.swept)) > 7


_ENDED: Final = ("grokked", "undecided", "diverged", "not finished")
_SHAPES: Final = ["circle", "triangle-up", "cross", "square"]


def ended_figure(compared: Comparison) -> Figure:
    """Return the figure: the step of grokking and the last measures, one mark per network."""
    title = f"Where each run ended, by {setting_in_words(compared.swept or 'run')}"
    panels = [_against_panel(compared, "step", _step, None)]
    panels.append(
        _against_panel(compared, "test accuracy, last", _last("test_accuracy", None), [0, 1])
    )
    panels += [
        _against_panel(
            compared, f"{MEASURES[key].symbol} of {table}, last", _last(key, table), [0, 1]
        )
        for key in SHOWN
        for table in TABLES
    ]
    caption = (
        "One mark per seed of a run. Step: where it grokked; for one that did not, its last"
        " evaluation, so that the mark is a lower bound. The others are values at the last"
        " evaluation, which further training may change."
    )
    layout = Layout(columns=2, least=340)
    return Figure("against", title, caption, assemble(panels, layout, title), layout)


def _against_panel(
    compared: Comparison,
    title: str,
    number: Callable[[TrainedNetwork], float | None],
    domain: list[int] | None,
) -> Panel:
    rows = [
        {
            "x": compared.value(n, compared.swept),
            "value": significant(value),
            "ended": _ended(n),
            "by": compared.value(n, compared.panel),
            "run": compared.label(n),
        }
        for n in compared.networks
        if (value := number(n)) is not None
    ]
    x = alt.X(
        "x:N",
        title=setting_in_words(compared.swept or "run"),
        sort=compared.values(compared.swept),
        axis=alt.Axis(labelAngle=0, labelLimit=110, grid=False),
    )
    scale = alt.Scale(domain=domain) if domain else alt.Scale(zero=True)
    y = alt.Y("value:Q", title=title, scale=scale, axis=side_axis())
    shape = alt.Shape("ended:N", title=None, scale=alt.Scale(domain=list(_ENDED), range=_SHAPES))
    tip: list[Any] = [
        alt.Tooltip("run:N"),
        alt.Tooltip("value:Q", format=",.4~g"),
        alt.Tooltip("ended:N"),
    ]
    channels = [x, y, shape]
    if compared.panel is not None:
        channels.append(
            colours(
                "by",
                compared.values(compared.panel),
                setting_in_words(compared.panel),
                ordered=compared.is_number(compared.panel),
            )
        )
    marks = inline(rows).mark_point(size=70, strokeWidth=1.6, opacity=0.85)
    return layered([marks.encode(*channels, tooltip=tip)], title, 190)


def _ended(network: TrainedNetwork) -> str:
    found = outcome_of(network)
    return found if found in _ENDED else _ENDED[-1]


def _step(network: TrainedNetwork) -> float | None:
    grokked = network.record.moments[network.seed].grokked
    if grokked is not None:
        return float(grokked)
    curve = network.record.curves.get(("test_accuracy", None), {}).get(network.seed)
    return None if curve is None else float(curve.steps[-1])


def _last(measure: str, matrix: str | None) -> Callable[[TrainedNetwork], float | None]:
    def number(network: TrainedNetwork) -> float | None:
        curve = network.record.curves.get((measure, matrix), {}).get(network.seed)
        known = curve is not None and bool(np.isfinite(curve.values[-1]))
        return float(curve.values[-1]) if curve is not None and known else None

    return number


TITLE: Final = "Which frequencies each network chose"
MOST_PANELS: Final = 12
_ROW: Final = 22


def chosen_keys_figure(compared: Comparison) -> Figure:
    """Return the figure: a panel for what is alike besides the swept setting, a row per value."""
    rest = [name for name in compared.names if name != compared.swept]
    groups: dict[str, list[tuple[TrainedNetwork, Explanation]]] = {}
    for network in compared.networks:
        for explanation in network.explanations:
            many = len(network.explanations) > 1
            title = settings_in_words(network.settings, rest)
            title = f"{title}, {explanation.operation}" if many else title
            groups.setdefault(title, []).append((network, explanation))
    if not groups:
        return Figure("chosen", TITLE, "", missing="No network has been explained yet.")
    shown = dict(list(groups.items())[:MOST_PANELS])
    left_out = len(groups) - len(shown)
    caption = (
        "Keys of W_E (filled) and of W_L (rings), in the basis that fits the operation; the area of"
        " a mark is the share of the frequency in the table's energy."
    )
    if left_out:
        caption += f" The first {MOST_PANELS} of {len(groups)} panels; the others are in the table."
    layout = Layout(columns=2, least=340)
    panels = [_chosen_panel(compared, title, found) for title, found in shown.items()]
    return Figure("chosen", TITLE, caption, assemble(panels, layout, TITLE), layout)


def _chosen_panel(
    compared: Comparison, title: str, found: list[tuple[TrainedNetwork, Explanation]]
) -> Panel:
    order = [
        v
        for v in compared.values(compared.swept)
        if v in {compared.value(n, compared.swept) for n, _ in found}
    ]
    most = max((explanation.structure.n or 2) // 2 for _, explanation in found)
    rows = [
        {
            "k": k,
            "y": compared.value(n, compared.swept),
            "matrix": name,
            "share": significant(table.spectrum[k - 1], 3),
        }
        for n, explanation in found
        for name, table in explanation.by_table.items()
        for k in table.keys
        if table.spectrum
    ]
    x = alt.X(
        "k:Q",
        title="frequency k",
        scale=alt.Scale(domain=[0, most + 1], nice=False),
        axis=alt.Axis(grid=False, format="d", tickMinStep=1),
    )
    axis = side_axis(labelLimit=60, grid=True, domain=False)
    y = alt.Y(
        "y:N",
        title=setting_in_words(compared.swept or "run"),
        sort=order,
        axis=axis,
        scale=alt.Scale(domain=order),
    )
    size = alt.Size(
        "share:Q",
        title="share",
        scale=alt.Scale(domain=[0, 0.5], range=[0, 420]),
        legend=alt.Legend(values=[0.02, 0.1, 0.3], format=".0%"),
    )
    colour = alt.Color("matrix:N", title=None, scale=alt.Scale(domain=list(TABLES)))
    tip = [alt.Tooltip("matrix:N"), alt.Tooltip("k:Q"), alt.Tooltip("share:Q", format=".1%")]
    charts = [
        inline([row for row in rows if row["matrix"] == matrix])
        .mark_point(filled=matrix == "W_E", opacity=0.55 if matrix == "W_E" else 1, strokeWidth=1.4)
        .encode(x, y, size, colour, tooltip=tip)
        for matrix in TABLES
    ]
    return layered(charts, shorten(title), max(60, _ROW * len(order)))
