"""Where each of several runs ended: one mark per network, beside one another where they agree."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import altair as alt
import numpy as np

from grokscope.disk.manifest import setting_in_words
from grokscope.reports.compared import Comparison, TrainedNetwork, outcome_of
from grokscope.reports.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    colours,
    inline,
    layered,
    significant,
)
from grokscope.reports.figures.several_runs import Shown, measures_shown
from grokscope.reports.figures.timeline import side_axis

_ENDED: Final = ("grokked", "undecided", "diverged", "not finished")
_SHAPES: Final = ["circle", "triangle-up", "cross", "square"]
_LEVEL: Final = 3
"""Names that fit beside one another."""
_ROOM: Final = 0.8
"""Share of a column that its marks spread over."""

Numbers = Callable[[TrainedNetwork], dict[str, float]]
"""What a network has in a panel; of a mixture in the basis that fits, one per operation."""


_MARKS: Final = "One mark per seed of a run, those of one column beside one another."


def ended_figure(compared: Comparison) -> Figure:
    """Return the figure: the step of grokking and the last test accuracy, a mark per network."""
    accuracy = Shown("test_accuracy", None, "test accuracy")
    panels = [
        _against_panel(compared, "step", _step, None),
        _against_panel(compared, "test accuracy, last", _last(accuracy), [0, 1]),
    ]
    caption = (
        f"{_MARKS} Step: where it grokked; for one that did not, its last evaluation, so that the"
        " mark is a lower bound."
    )
    return _against(compared, "against", "Where each run ended", caption, panels)


def measures_at_the_end(compared: Comparison) -> list[Figure]:
    """Return the figure of the last measures in each basis, the one that fits first."""
    caption = f"{_MARKS} Values at the last evaluation, which further training may change."
    return [
        _against(
            compared,
            "against-matched" if numbers[0].fits else "against-measures",
            " ".join(filter(None, ["Last measures", basis])),
            caption,
            [
                _against_panel(compared, f"{number.title}, last", _last(number), [0, 1])
                for number in numbers
            ],
        )
        for basis, numbers in measures_shown(compared).items()
    ]


def _against(
    compared: Comparison, name: str, title: str, caption: str, panels: Sequence[Panel]
) -> Figure:
    title = f"{title}, by {setting_in_words(compared.swept or 'run')}"
    layout = Layout(columns=2, least=340)
    return Figure(name, title, caption, assemble(panels, layout, title), layout)


def _against_panel(
    compared: Comparison, title: str, numbers: Numbers, domain: list[int] | None
) -> Panel:
    rows = _rows(compared, numbers)
    x = alt.X(
        "x:N",
        title=setting_in_words(compared.swept or "run"),
        sort=compared.values(compared.swept),
        axis=_names_below(compared),
    )
    beside = alt.XOffset("beside:Q", scale=alt.Scale(domain=[-1, 1]))
    scale = alt.Scale(domain=domain) if domain else alt.Scale(zero=True)
    y = alt.Y("value:Q", title=title, scale=scale, axis=side_axis(format=".1f" if domain else "~s"))
    shape = alt.Shape("ended:N", title=None, scale=alt.Scale(domain=list(_ENDED), range=_SHAPES))
    tip: list[Any] = [
        alt.Tooltip("run:N"),
        alt.Tooltip("value:Q", format=",.4~g"),
        alt.Tooltip("ended:N"),
    ]
    channels = [x, beside, y, shape]
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


def _names_below(compared: Comparison) -> alt.Axis:
    """Return the axis of the columns; many names are slanted, so that none is left out."""
    numbers = compared.is_number(compared.swept)
    if numbers or len(compared.values(compared.swept)) <= _LEVEL:
        return alt.Axis(labelAngle=0, labelLimit=110, grid=False)
    return alt.Axis(
        labelAngle=-40, labelAlign="right", labelLimit=110, labelOverlap=False, grid=False
    )


def _rows(compared: Comparison, numbers: Numbers) -> list[dict[str, Any]]:
    """Return a row per mark, with its place in its column, in the order of the panels' setting."""
    order = compared.values(compared.panel)
    networks = sorted(
        compared.networks, key=lambda n: order.index(compared.value(n, compared.panel))
    )
    rows = [
        {
            "x": compared.value(network, compared.swept),
            "value": significant(value),
            "ended": _ended(network),
            "by": compared.value(network, compared.panel),
            "run": ", ".join(filter(None, [compared.label(network), operation])),
        }
        for network in networks
        for operation, value in numbers(network).items()
    ]
    for column in {row["x"] for row in rows}:
        _spread([row for row in rows if row["x"] == column])
    return rows


def _spread(rows: Sequence[dict[str, Any]]) -> None:
    """Give the marks of a column places of their own, −1 to 1 across it; one alone its middle."""
    for i, row in enumerate(rows):
        row["beside"] = significant(_ROOM * ((2 * i + 1) / len(rows) - 1))


def _ended(network: TrainedNetwork) -> str:
    found = outcome_of(network)
    return found if found in _ENDED else _ENDED[-1]


def _step(network: TrainedNetwork) -> dict[str, float]:
    grokked = network.record.moments[network.seed].grokked
    if grokked is not None:
        return {"": float(grokked)}
    curve = network.record.curves.get(("test_accuracy", None), {}).get(network.seed)
    return {} if curve is None else {"": float(curve.steps[-1])}


def _last(number: Shown) -> Numbers:
    def last(network: TrainedNetwork) -> dict[str, float]:
        several = len(network.operations) > 1
        return {
            name if several else "": float(curve.values[-1])
            for name, curve in number.curves(network).items()
            if np.isfinite(curve.values[-1])
        }

    return last
