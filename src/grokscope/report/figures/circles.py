"""The embedding, seen on the circles of its strongest frequencies."""

from typing import Any, Final

import altair as alt
import numpy as np
from jaxtyping import Float, Int

from grokscope.circuits import circle, frequency_shares, strongest_frequencies
from grokscope.inspection.network import Network
from grokscope.report.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    inline,
    layered,
    significant,
)
from grokscope.report.figures.maps import colour_scale

CIRCLES: Final = 6
LABELS: Final = 10
MOST_RESIDUES: Final = 400
_TITLE: Final = "The embedding on the circles of its strongest frequencies"


def circles(network: Network, p: int) -> Figure:
    """Return the figure: a panel for each of the strongest frequencies of W_E."""
    table = np.asarray(network.model.W_E[:p], np.float64)
    layout = Layout(columns=3, least=300, axis=60, square=True, most=270)
    shares = frequency_shares(table)
    found = strongest_frequencies(table, CIRCLES)
    panels = [
        circle_panel(circle(table, k), k * np.arange(p) % p, p,
                     f"k = {k}, {shares[k - 1]:.0%} of the squared norm", "k·x mod p")
        for k in found
    ]  # fmt: skip
    caption = (
        "Each point is a residue x, projected on the plane of the cosine and sine of frequency k"
        " (share: of the squared norm of W_E); colour is k·x mod p, so a ring in the order of the"
        " colours is a clock that turns k times in p residues, and a disordered cloud is not."
    )
    if p > MOST_RESIDUES:
        caption += f" The first {MOST_RESIDUES} of {p} residues are drawn."
    return Figure("circles", _TITLE, caption, assemble(panels, layout, _TITLE), layout)


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
