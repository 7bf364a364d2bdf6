"""The embedding on the circles of its frequencies, in residues or in the operation's coordinate."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import altair as alt
import numpy as np
from jaxtyping import Float, Int

from grokscope.explanation.of_run import SavedNetwork
from grokscope.explanation.result import Explanation
from grokscope.explanation.sentences import own_and_harmonics
from grokscope.fourier.basis import Basis
from grokscope.fourier.characters import Characters, additive_characters
from grokscope.fourier.spectrum import circle_of, spectrum
from grokscope.reports.explained import Explained
from grokscope.reports.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    inline,
    layered,
    significant,
)
from grokscope.reports.figures.maps import colour_scale
from grokscope.tasks.structure import Structure

CIRCLES: Final = 6
LABELS: Final = 10
MOST_RESIDUES: Final = 400


class _Circles(NamedTuple):
    """What the figure shows in one basis, and in which words."""

    name: str
    title: str
    caption: str
    characters: Characters
    coordinate: Int[np.ndarray, "p"]
    frequencies: list[int]
    shares: Float[np.ndarray, "freq"] | list[float]
    share_of: str
    turn: str


def circles(network: SavedNetwork, found: Explained | None = None) -> Figure:
    """Return the figure: a panel for each of the strongest frequencies of W_E.

    **Arguments:** the network; where it is to be the basis that fits an operation, its explanation,
    whose keys are then drawn.
    """
    table = np.asarray(network.model.residues, np.float64)
    structure = None if found is None else found.structure
    drawn = (
        _additive(table)
        if found is None or structure is None
        else _fitting(found.explanation, structure)
    )
    if not drawn.frequencies:
        missing = "W_E has no key frequency in the basis that fits the operation."
        return Figure(drawn.name, drawn.title, "", missing=missing)
    n = drawn.characters.n
    panels = [
        circle_panel(
            circle_of(table, k, drawn.characters),
            np.where(drawn.coordinate >= 0, k * drawn.coordinate % n, 0),
            n,
            f"k = {k}, {drawn.shares[k - 1]:.0%} of the {drawn.share_of}",
            drawn.turn,
        )
        for k in drawn.frequencies[:CIRCLES]
    ]
    layout = Layout(columns=3, least=300, axis=60, square=True, most=270)
    chart = assemble(panels, layout, drawn.title)
    return Figure(drawn.name, drawn.title, drawn.caption, chart, layout)


def _additive(table: Float[np.ndarray, "p d_model"]) -> _Circles:
    p, found = len(table), spectrum(table)
    caption = (
        "Each point is a residue x, projected on the plane of the cosine and sine of frequency k"
        " (share: of the squared norm of W_E); colour is k·x mod p, so a ring in the order of the"
        " colours is a clock that turns k times in p residues, and a disordered cloud is not."
    )
    if p > MOST_RESIDUES:
        caption += f" The first {MOST_RESIDUES} of {p} residues are drawn."
    return _Circles(
        name="circles",
        title="The embedding on the circles of its strongest frequencies",
        caption=caption,
        characters=additive_characters(p),
        coordinate=np.arange(p),
        frequencies=found.strongest(CIRCLES),
        shares=found.shares,
        share_of="squared norm",
        turn="k·x mod p",
    )


def _fitting(explanation: Explanation, structure: Structure) -> _Circles:
    n, characters = structure.n, Basis(structure).inputs
    caption = (
        f"Each point is a residue x in the plane of frequency k of Z_{n}; colour is k·u(x) mod {n}"
        f" with u(x) = {structure.u_text}. A ring in the order of the colours: W_E has turned the"
        " coordinate into an angle."
    )
    if structure.characters == 2:
        caption += f" The circles of v(y) = {structure.v_text} lie in other planes of W_E."
    outside = np.flatnonzero(~characters.inside)
    if len(outside):
        caption += f" Without {_named(outside)}, where the coordinate is undefined."
    return _Circles(
        name="circles-matched",
        title="The embedding on the circles of its key frequencies",
        caption=caption,
        characters=characters,
        coordinate=structure.u,
        frequencies=own_and_harmonics(explanation, explanation.embedding)[0],
        shares=list(explanation.embedding.spectrum),
        share_of="energy",
        turn=f"k·u mod {n}",
    )


def _named(residues: np.ndarray, most: int = 5) -> str:
    names = ", ".join(map(str, residues[:most]))
    return f"x = {names}{' …' if len(residues) > most else ''}"


def circle_panel(
    points: Float[np.ndarray, "p 2"], turn: Int[np.ndarray, "p"], n: int, title: str, name: str
) -> Panel:
    """Draw residues in the plane of a frequency, in the colours of the order on its circle.

    **Arguments:**

    - `points`: where they lie; those that are nan are left out.
    - `turn`: the place of each on the circle, 0 … n − 1.
    - `n`: order of the group.
    - `name`: what `turn` is, in words.
    """
    reach = 1.3 * float(np.nanmax(np.abs(points))) or 1.0
    rows = _rows(points, turn, reach)
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    ticks = {"format": ".2~g", "tickCount": 4, "grid": False}
    across: dict[str, Any] = {"title": "along the cosine of k", "scale": scale, "axis": ticks}
    up: dict[str, Any] = {
        "title": "along the sine of k",
        "scale": scale,
        "axis": ticks | {"minExtent": 30},
    }
    order = alt.Color(
        "turn:Q",
        title=name,
        scale=colour_scale(0, n),
        legend=alt.Legend(format="d", tickCount=4, gradientLength=150),
    )
    chart = inline(rows)
    tip = [alt.Tooltip("residue:Q", title="x"), alt.Tooltip("turn:Q", title=name)]
    dots = chart.mark_point(style="outline", filled=True, size=34, opacity=1)
    names = chart.transform_filter("datum.label").mark_text(fontSize=_FONT)
    layers = [
        dots.encode(alt.X("x:Q", **across), alt.Y("y:Q", **up), order, tooltip=tip),
        names.encode(alt.X("lx:Q", **across), alt.Y("ly:Q", **up), text="residue:Q"),
    ]
    return layered(layers, title)


def _rows(
    points: Float[np.ndarray, "p 2"], turn: Int[np.ndarray, "p"], reach: float
) -> list[dict[str, Any]]:
    """Return a row per residue; those at about ten even places of the turn are labelled."""
    shown = np.flatnonzero(np.isfinite(points).all(axis=1))
    shown = shown[shown < MOST_RESIDUES]
    places = _labels(points[shown] * (_SMALLEST / 2 / reach), _sparse(shown, turn[shown]), shown)
    return [
        {
            "residue": int(x),
            "turn": int(turn[x]),
            "label": int(x in places),
            "x": significant(points[x, 0]),
            "y": significant(points[x, 1]),
            "lx": significant(places.get(int(x), (0.0, 0.0))[0] * 2 * reach / _SMALLEST),
            "ly": significant(places.get(int(x), (0.0, 0.0))[1] * 2 * reach / _SMALLEST),
        }
        for x in shown
    ]


_SMALLEST: Final = 230
"""Pixels of the smallest panel, for which labels are placed."""
_FONT: Final = 10
_LETTER: Final = 6
"""Pixels of a digit."""
_DOT: Final = 4
"""Pixels from the centre of a point to its edge, with a gap."""
_AWAY: Final = range(10, 31, 4)
"""Pixels that a label may stand away from its point."""


def _labels(
    dots: Float[np.ndarray, "p 2"], named: Sequence[int], shown: Int[np.ndarray, "p"]
) -> dict[int, tuple[float, float]]:
    """Return where labels stand, in pixels from the centre, each clear of points and the others.

    A label stands outwards of its point; one that has no room is left out.
    """
    index = {int(x): i for i, x in enumerate(shown)}
    found: dict[int, tuple[float, float]] = {}
    for residue in named:
        x, y = dots[index[residue]]
        length = float(np.hypot(x, y)) or 1.0
        half = (len(str(residue)) * _LETTER / 2, _FONT / 2)
        for away in _AWAY:
            place = (x * (1 + away / length), y * (1 + away / length))
            if _is_clear(place, half, dots, found):
                found[residue] = place
                break
    return found


def _is_clear(
    place: tuple[float, float],
    half: tuple[float, float],
    dots: Float[np.ndarray, "p 2"],
    labels: Mapping[int, tuple[float, float]],
) -> bool:
    """Whether a label is inside the panel, and touches neither a point nor another label."""
    (x, y), (wide, high) = place, half
    if abs(x) + wide > _SMALLEST / 2 or abs(y) + high > _SMALLEST / 2:
        return False
    beside = np.abs(dots - np.array(place)) < np.array(half) + _DOT
    if beside.all(axis=1).any():
        return False
    return not any(
        abs(x - a) < wide + len(str(name)) * _LETTER / 2 + 2 and abs(y - b) < 2 * high + 1
        for name, (a, b) in labels.items()
    )


def _sparse(shown: Int[np.ndarray, "p"], turn: Int[np.ndarray, "p"]) -> list[int]:
    """Return the residues at about evenly spaced places of the turn, the least turn first.

    Of residues at the same place the first is taken.
    """
    places, first = np.unique(turn, return_index=True)
    step = max(1, round(len(places) / LABELS))
    return [int(x) for x in shown[first][: len(places) - step // 2 : step]]
