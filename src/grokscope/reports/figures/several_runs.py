"""Several runs in one figure: curves over one another, and chosen frequencies."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import altair as alt
import numpy as np

from grokscope import theme
from grokscope.disk.curves import Curve
from grokscope.disk.manifest import setting_in_words, settings_in_words
from grokscope.explanation.result import Explanation
from grokscope.measures import MEASURES, TABLES
from grokscope.measures.grokking import thin
from grokscope.reports.compared import Comparison, TrainedNetwork
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
from grokscope.reports.figures.timeline import (
    TimeAxis,
    lines_panel,
    side_axis,
    time_axis,
    time_span,
)
from grokscope.reports.moments import ADDITIVE, FITS, FITTING, SHOWN, fitting
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
    fits: bool = False
    """Whether it is that of the basis that fits the operation."""

    def curves(self, network: TrainedNetwork) -> dict[str, Curve]:
        """Return the curves of a network: one; in the basis that fits, one per operation."""
        record = network.record
        found = {"": record.curves}
        if self.fits:
            names = [expression.canonical for expression in record.task.expressions]
            found = {name: record.matched_curves(i) for i, name in enumerate(names)}
        known = {name: of.get((self.measure, self.matrix), {}) for name, of in found.items()}
        return {name: of[network.seed] for name, of in known.items() if network.seed in of}


def measures_shown(compared: Comparison) -> dict[str, list[Shown]]:
    """Return the measures to show by the basis that they are in, the one that fits leading.

    Where it is the additive one for all runs, that stands alone, without a name.
    """
    additive = [
        Shown(key, table, f"{MEASURES[key].symbol} of {table}") for key in SHOWN for table in TABLES
    ]
    if not any(fitting(record) for record in compared.records):
        return {"": additive}
    fits = [
        Shown(key, table, f"{MEASURES[key].symbol} of {table}", fits=True)
        for key in FITTING
        for table in TABLES
    ]
    return {f"in the {FITS} the operation": fits, f"in the {ADDITIVE}": additive}


_ACCURACIES: Final = [
    Shown("test_accuracy", None, "test accuracy"),
    Shown("train_accuracy", None, "train accuracy"),
]
_LOSSES: Final = [
    Shown("test_loss", None, "test loss (nats)", False, True),
    Shown("train_loss", None, "train loss (nats)", False, True),
]
_NORMS: Final = [Shown("l2_norm", "W_E", "L2 norm of W_E", False)]


def overlaid_figures(compared: Comparison) -> list[Figure]:
    """Return the curves of all runs; none where nothing was evaluated yet."""
    known = [record for record in compared.records if record.curves]
    if not known:
        return []
    axis = time_axis(known)
    measures = [
        (
            "measures-matched" if numbers[0].fits else "measures",
            " ".join(filter(None, ("Fourier progress measures", basis))),
            numbers,
        )
        for basis, numbers in measures_shown(compared).items()
    ]
    figures = [
        ("accuracy", "Accuracy", _ACCURACIES),
        ("loss", "Loss", _LOSSES),
        *measures,
        ("norms", "Norm of the embedding", _NORMS),
    ]
    return [
        _figure(name, f"{title}, run by run", numbers, compared, axis)
        for name, title, numbers in figures
    ]


_BASES: Final = (
    " The basis that fits is that of each operation's own coordinate; a run whose operation has"
    " none that is known has no line here."
)


def _figure(
    name: str, title: str, numbers: Sequence[Shown], compared: Comparison, axis: TimeAxis
) -> Figure:
    panels = [
        panel
        for value in compared.values(compared.panel)
        for number in numbers
        if (panel := _overlaid_panel(number, compared, axis, value)) is not None
    ]
    layout = Layout(columns=min(2, len(panels)), least=340)
    many = len(compared.networks) > MOST_LINES
    line = "the median over the runs of equal settings" if many else "one seed of one run"
    by = "" if compared.swept is None else f", coloured by {setting_in_words(compared.swept)}"
    caption = (
        f"Each line is {line}{by}; it ends where the run ended. Points are thinned; extremes are"
        " kept."
    )
    if numbers[0].fits:
        caption += _BASES
    return Figure(
        f"compared-{name}",
        title,
        caption,
        assemble(panels, layout, title),
        layout,
        first_step=axis.first,
    )


def _overlaid_panel(
    number: Shown, compared: Comparison, axis: TimeAxis, value: str
) -> Panel | None:
    """Return the curves of one number; None where no basis that fits is known."""
    own = [n for n in compared.networks if compared.value(n, compared.panel) == value]
    drawn = _drawn(compared, own, number)
    if number.fits and not drawn:
        return None
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
    heading = compared.heading(compared.panel, value)
    title = shorten(f"{heading} · {number.title}" if heading else number.title)
    y = _side(number, [c for _, _, c in drawn])
    return lines_panel(rows, axis, y, colour, title)


def _drawn(
    compared: Comparison, networks: Sequence[TrainedNetwork], number: Shown
) -> list[tuple[str, str, Curve]]:
    """Return colour, name and curve of every line."""
    if len(compared.networks) <= MOST_LINES:
        return [
            (compared.value(network, compared.swept), _line_of(compared, network, of), curve)
            for network in networks
            for of, curve in _curves(network, number).items()
        ]
    found = []
    for values, places in compared.groups(networks).items():
        own = [networks[i] for i in places]
        curves = [(of, curve) for n in own for of, curve in _curves(n, number).items()]
        for name in dict.fromkeys(of for of, _ in curves):
            middle = summarise(dict(enumerate(c for of, c in curves if of == name)))
            line = ", ".join(filter(None, [*values, name if len(own[0].operations) > 1 else ""]))
            colour = compared.value(own[0], compared.swept)
            found.append((colour, line, Curve(middle.steps, middle.median)))
    return found


def _line_of(compared: Comparison, network: TrainedNetwork, operation: str) -> str:
    several = len(network.operations) > 1
    return ", ".join(filter(None, [compared.label(network), operation if several else ""]))


def _curves(network: TrainedNetwork, number: Shown) -> dict[str, Curve]:
    curves = number.curves(network)
    if not number.logarithmic:
        return curves
    return {
        name: Curve(c.steps, np.where(np.isfinite(c.values) & (c.values > 0), c.values, np.nan))
        for name, c in curves.items()
    }


def _side(number: Shown, curves: Sequence[Curve]) -> alt.Y:
    options: dict[str, Any] = {"title": number.title, "axis": side_axis()}
    if number.share:
        options["scale"] = alt.Scale(domain=[0, 1])
    elif number.logarithmic:
        low, high = time_span(curves) or (1e-3, 1.0)
        options["scale"] = alt.Scale(type="log", domain=[low / 1.5, high * 1.5], nice=False)
        options["axis"] = side_axis(labelExpr=theme.POWER)
    return alt.Y("value:Q", **options)


def _legend(compared: Comparison) -> str | None:
    return None if compared.swept is None else setting_in_words(compared.swept)


def _ordered(compared: Comparison) -> bool:
    return compared.is_number(compared.swept) or len(compared.values(compared.swept)) > 7


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
        legend=alt.Legend(values=[0.02, 0.1, 0.3], format=theme.SHARE),
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
