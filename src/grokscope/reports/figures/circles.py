"""The embedding on the circles of its frequencies, in residues or in the operation's coordinate."""

from typing import Any, Final

import altair as alt
import numpy as np
from jaxtyping import Float, Int

from grokscope.explanation.network import Subject
from grokscope.explanation.of_run import Network
from grokscope.explanation.sentences import own_and_harmonics
from grokscope.fourier.spectrum import circle_of, frequency_shares, in_plane, strongest_frequencies
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

CIRCLES: Final = 6
LABELS: Final = 10
MOST_RESIDUES: Final = 400
_CIRCLES_TITLE: Final = "The embedding on the circles of its strongest frequencies"


def circles(network: Network, p: int) -> Figure:
    """Return the figure: a panel for each of the strongest frequencies of W_E."""
    table = np.asarray(network.model.W_E[:p], np.float64)
    layout = Layout(columns=3, least=300, axis=60, square=True, most=270)
    shares = frequency_shares(table)
    found = strongest_frequencies(table, CIRCLES)
    panels = [
        circle_panel(
            circle_of(table, k),
            k * np.arange(p) % p,
            p,
            f"k = {k}, {shares[k - 1]:.0%} of the squared norm",
            "k·x mod p",
        )
        for k in found
    ]
    caption = (
        "Each point is a residue x, projected on the plane of the cosine and sine of frequency k"
        " (share: of the squared norm of W_E); colour is k·x mod p, so a ring in the order of the"
        " colours is a clock that turns k times in p residues, and a disordered cloud is not."
    )
    if p > MOST_RESIDUES:
        caption += f" The first {MOST_RESIDUES} of {p} residues are drawn."
    return Figure(
        "circles", _CIRCLES_TITLE, caption, assemble(panels, layout, _CIRCLES_TITLE), layout
    )


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
    rows = _rows(points, turn)
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
    names = chart.transform_filter("datum.label").mark_text()
    layers = [
        dots.encode(alt.X("x:Q", **across), alt.Y("y:Q", **up), order, tooltip=tip),
        names.encode(alt.X("lx:Q", **across), alt.Y("ly:Q", **up), text="residue:Q"),
    ]
    return layered(layers, title)


def _rows(points: Float[np.ndarray, "p 2"], turn: Int[np.ndarray, "p"]) -> list[dict[str, Any]]:
    """Return a row per residue; those at about ten even places of the turn are labelled."""
    shown = np.flatnonzero(np.isfinite(points).all(axis=1))
    named = set(_sparse(shown, turn[shown]))
    # labels stand outside the ring
    radius = np.linalg.norm(points, axis=1, keepdims=True)
    largest = float(np.nanmax(radius))
    outside = points * (1 + 0.16 * largest / np.maximum(radius, 0.2 * largest + 1e-300))
    return [
        {
            "residue": int(x),
            "turn": int(turn[x]),
            "label": int(x in named),
            "x": significant(points[x, 0]),
            "y": significant(points[x, 1]),
            "lx": significant(outside[x, 0]),
            "ly": significant(outside[x, 1]),
        }
        for x in shown[shown < MOST_RESIDUES]
    ]


def _sparse(shown: Int[np.ndarray, "p"], turn: Int[np.ndarray, "p"]) -> list[int]:
    """Return the residues at about evenly spaced places of the turn, the least turn first.

    Of residues at the same place the first is taken.
    """
    places, first = np.unique(turn, return_index=True)
    step = max(1, round(len(places) / LABELS))
    return [int(x) for x in shown[first][: len(places) - step // 2 : step]]


_MATCHED_CIRCLES_TITLE: Final = "The embedding on the circles of its key frequencies"


def matched_circles(found: Explained, subject: Subject) -> Figure:
    """Return the figure: a panel for each of the strongest key frequencies of W_E."""
    structure, characters = subject.matched.structure, subject.matched.embedding
    n, spectrum = structure.n, found.document["embedding"]["spectrum"]
    own, _ = own_and_harmonics(found.document, "embedding")
    if not own:
        missing = "W_E has no key frequency in the basis that fits the operation."
        return Figure("circles-matched", _MATCHED_CIRCLES_TITLE, "", missing=missing)
    panels = [
        circle_panel(
            in_plane(subject.embedding, characters.parts[0][k - 1], characters.inside),
            np.where(structure.u >= 0, k * structure.u % n, 0),
            n,
            f"k = {k}, {spectrum[k - 1]:.0%} of the energy",
            f"k·u mod {n}",
        )
        for k in own[:CIRCLES]
    ]
    layout = Layout(columns=3, least=300, axis=60, square=True, most=270)
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
    chart = assemble(panels, layout, _MATCHED_CIRCLES_TITLE)
    return Figure("circles-matched", _MATCHED_CIRCLES_TITLE, caption, chart, layout)


def _named(residues: np.ndarray, most: int = 5) -> str:
    names = ", ".join(map(str, residues[:most]))
    return f"x = {names}{' …' if len(residues) > most else ''}"
