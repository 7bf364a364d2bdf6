"""The embedding, seen on the circles of its strongest frequencies."""

from typing import Any, Final

import altair as alt
import numpy as np
from jaxtyping import Float

from grokscope.explain import circle, frequency_shares, strongest_frequencies
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
from grokscope.inspection.network import Network

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
    panels = [_panel(circle(table, k), k, float(shares[k - 1])) for k in found]
    caption = (
        "Each point is a residue x, projected on the plane of the cosine and sine of frequency k"
        " (share: of the squared norm of W_E); colour is k·x mod p, so a ring in the order of the"
        " colours is a clock that turns k times in p residues, and a disordered cloud is not."
    )
    if p > MOST_RESIDUES:
        caption += f" The first {MOST_RESIDUES} of {p} residues are drawn."
    return Figure("circles", _TITLE, caption, assemble(panels, layout, _TITLE), layout)


def _panel(points: Float[np.ndarray, "p 2"], k: int, share: float) -> Panel:
    reach = 1.3 * float(np.abs(points).max()) or 1.0
    rows = _rows(points, k)
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
        title="k·x mod p",
        scale=colour_scale(0, len(points)),
        legend=alt.Legend(format="d", tickCount=4, gradientLength=150),
    )
    chart = inline(rows)
    tip = [alt.Tooltip("residue:Q", title="x"), alt.Tooltip("turn:Q", title="k·x mod p")]
    dots = chart.mark_point(style="outline", filled=True, size=34, opacity=1)
    names = chart.transform_filter("datum.label").mark_text()
    layers = [
        dots.encode(alt.X("x:Q", **across), alt.Y("y:Q", **up), order, tooltip=tip),
        names.encode(alt.X("lx:Q", **across), alt.Y("ly:Q", **up), text="residue:Q"),
    ]
    return layered(layers, f"k = {k}, {share:.0%} of the squared norm")


def _rows(points: Float[np.ndarray, "p 2"], k: int) -> list[dict[str, Any]]:
    """Return a row per residue; those at about ten even places of the turn are labelled."""
    p = len(points)
    turn = k * np.arange(p) % p
    named = set(_sparse(turn))
    # labels stand outside the ring
    radius = np.linalg.norm(points, axis=1, keepdims=True)
    outside = points * (1 + 0.16 * radius.max() / np.maximum(radius, 0.2 * radius.max() + 1e-300))
    return [
        {
            "residue": x,
            "turn": int(turn[x]),
            "label": int(x in named),
            "x": significant(points[x, 0]),
            "y": significant(points[x, 1]),
            "lx": significant(outside[x, 0]),
            "ly": significant(outside[x, 1]),
        }
        for x in range(min(p, MOST_RESIDUES))
    ]


def _sparse(turn: np.ndarray) -> list[int]:
    """Return the residues nearest to evenly spaced places of the turn, residue 0 first."""
    order = np.argsort(turn, kind="stable")
    step = max(1, round(len(turn) / LABELS))
    return [int(x) for x in order[: len(turn) - step // 2 : step]]
