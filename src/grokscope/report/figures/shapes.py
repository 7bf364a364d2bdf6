"""The shape of every key in the logits: circle, ellipse or line."""

from typing import Any, Final

import altair as alt
import numpy as np

from grokscope.inspection.sentences import relation
from grokscope.report.explained import Explained
from grokscope.report.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    inline,
    layered,
    significant,
)

MOST_KEYS: Final = 12
_TITLE: Final = "The shape of each key in the logits"
_POINTS: Final = 49
_SHAPES: Final = ("circle", "ellipse", "line")


def shapes(found: Explained) -> Figure:
    """Return the figure: a small panel per key, all ellipses to one scale, harmonics dashed."""
    keys = found.document["logits"]["key_shapes"]
    if not keys:
        missing = "There are no keys whose shape could be shown."
        return Figure("shapes", _TITLE, "", missing=missing)
    layout = Layout(columns=6, least=150, axis=24, square=True, most=140)
    caption = (
        "A key's part of the logits is a·cos θ_s·cos θ_c + b·sin θ_s·sin θ_c in its own axes, with"
        " the sum at angle θ_s and the answer at θ_c; drawn with half axes a and b, all keys to one"
        " scale. A circle"
        " (b/a ≥ 2/3) turns with the sum, as the clock's cos(θ_s − θ_c); a line (b/a ≤ 1/4) is a"
        " standing wave, which cannot tell the two sums of one cosine apart. a is in units of the"
        " logits; percentages are the key's shares of W_E and W_L."
    )
    if any(key["harmonic_of"] is not None for key in keys):
        caption += " Dashed: harmonics, doubles or halves of a key, which W_L hardly holds."
    if any(key.get("forced") for key in keys):
        caption += " Forced: the operation leaves this frequency no other shape."
    if len(keys) > MOST_KEYS:
        caption += f" The first {MOST_KEYS} of {len(keys)} keys are shown."
    shown = sorted(keys, key=lambda key: key["harmonic_of"] is not None)[:MOST_KEYS]
    shares = {row["frequency"]: row for row in found.document["keys"]}
    largest = max(key["major"] for key in shown) or 1.0
    panels = [_panel(key, shares[key["frequency"]], largest, found.n) for key in shown]
    return Figure("shapes", _TITLE, caption, assemble(panels, layout, _TITLE), layout)


def _panel(key: dict[str, Any], share: dict[str, Any], largest: float, n: int) -> Panel:
    turn = np.linspace(0, 2 * np.pi, _POINTS)
    a, b = key["major"] / largest, key["minor"] / largest
    rows = [
        {"i": i, "x": significant(a * np.cos(t)), "y": significant(b * np.sin(t)),
         "shape": key["shape"]}
        for i, t in enumerate(turn)
    ]  # fmt: skip
    scale, axis = alt.Scale(domain=[-1.15, 1.15], nice=False), None
    colour = alt.Color("shape:N", title=None, scale=alt.Scale(domain=list(_SHAPES)),
                       legend=alt.Legend(symbolType="stroke", symbolStrokeWidth=2.5))  # fmt: skip
    line = (
        inline(rows)
        .mark_line(strokeWidth=2, strokeDash=[1, 0] if key["harmonic_of"] is None else [3, 2])
        .encode(
            alt.X("x:Q", scale=scale, axis=axis),
            alt.Y("y:Q", scale=scale, axis=axis),
            colour,
            order="i:Q",
        )
    )
    k, of = key["frequency"], key["harmonic_of"]
    title = f"k = {k}{' (forced)' if key.get('forced') else ''}"
    title += "" if of is None else f", {relation(k, of, n)}"
    sizes = [f"a {key['major']:.3g}, b/a {key['roundness']:.2f}",
             f"W_E {share['share_of_W_E']:.2%}, W_L {share['share_of_W_L']:.2%}"]  # fmt: skip
    return layered([line], {"text": title, "subtitle": sizes})
