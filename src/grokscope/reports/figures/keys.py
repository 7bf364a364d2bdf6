"""The keys of an explanation: what is answered with and without them, and their shapes."""

from typing import Any, Final

import altair as alt
import numpy as np

from grokscope.explanation.findings import KeyShape
from grokscope.explanation.page import PLACES_IN_WORDS
from grokscope.explanation.result import Key
from grokscope.explanation.sentences import harmonic_in_words, number_in_words, share_in_words
from grokscope.explanation.verdict import Edit
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

_ABLATION_TITLE: Final = "What is left with the keys kept, and with the keys removed"
_BOTH: Final = "W_E, class axis"
_HEIGHT: Final = 270


def ablation_figure(found: Explained) -> Figure:
    """Return the figure: bars of A for every place and test."""
    ablations = found.explanation.ablations
    scores = [
        (name, edit, getattr(ablations, field).of(edit))
        for field, name in PLACES_IN_WORDS.items()
        for edit in Edit
    ]
    rows = [
        {
            "place": name,
            "test": edit.words,
            "a": significant(score, 3),
            "text": number_in_words(score),
            "at": max(0.0, significant(score, 3)),
        }
        for name, edit, score in [*scores, (_BOTH, Edit.KEEP, ablations.both_keep)]
        if score is not None
    ]
    if not rows:
        missing = "Nothing was tested: there are no keys, or the network is no better than chance."
        return Figure("ablation", _ABLATION_TITLE, "", missing=missing)
    layout = Layout(columns=1, least=340, axis=120)
    caption = (
        "A is 1 where the network answers as it does whole and 0 where it only guesses. A sparse"
        " circuit has long bars for keys kept and others removed, none for the other two. Others:"
        " as many frequencies that are no keys, the median of random draws. Class axis: the logits"
        " as functions of the answer. No bar and no number: not testable."
    )
    chart = assemble([_ablation_panel(rows)], layout, _ABLATION_TITLE)
    return Figure("ablation", _ABLATION_TITLE, caption, chart, layout)


def _ablation_panel(rows: list[dict[str, Any]]) -> dict[str, Any]:
    tests, places = [edit.words for edit in Edit], [*PLACES_IN_WORDS.values(), _BOTH]
    low = min(0.0, *(row["a"] for row in rows))
    x = alt.X(
        "a:Q",
        title="A (0 guessing, 1 whole network)",
        scale=alt.Scale(domain=[low, 1.1], nice=False),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f"),
    )
    y = alt.Y(
        "place:N",
        title=None,
        sort=places,
        scale=alt.Scale(domain=places, paddingInner=0.3),
        axis=alt.Axis(minExtent=90, ticks=False, domain=False),
    )
    offset = alt.YOffset("test:N", scale=alt.Scale(domain=tests))
    colour = alt.Color("test:N", title=None, scale=alt.Scale(domain=tests))
    tip = [alt.Tooltip("place:N"), alt.Tooltip("test:N"), alt.Tooltip("a:Q", format=".4f")]
    chart = inline(rows)
    bars = chart.mark_bar().encode(x, y, offset, colour, tooltip=tip)
    beside = alt.X("at:Q", title="")
    names = chart.mark_text(align="left", dx=4).encode(beside, y, offset, text="text:N")
    return layered([bars, names], "", height=_HEIGHT)


MOST_KEYS: Final = 12
_SHAPES_TITLE: Final = "The shape of each key in the logits"
_POINTS: Final = 49
_SHAPES: Final = ("circle", "ellipse", "line")


def key_shapes_figure(found: Explained) -> Figure:
    """Return the figure: a small panel per key, all ellipses to one scale, harmonics dashed."""
    keys = found.explanation.logits.key_shapes
    if not keys:
        missing = "There are no keys whose shape could be shown."
        return Figure("shapes", _SHAPES_TITLE, "", missing=missing)
    layout = Layout(columns=6, least=150, axis=24, square=True, most=140)
    caption = (
        "A key's part of the logits is a·cos θ_s·cos θ_c + b·sin θ_s·sin θ_c in its own axes, with"
        " the sum at angle θ_s and the answer at θ_c; drawn with half axes a and b, all keys to one"
        " scale. A circle"
        " (b/a ≥ 2/3) turns with the sum, as the clock's cos(θ_s − θ_c); a line (b/a ≤ 1/4) is a"
        " standing wave, which cannot tell the two sums of one cosine apart. a is in units of the"
        " logits; percentages are the key's shares of W_E and W_L."
    )
    if any(key.harmonic_of is not None for key in keys):
        caption += " Dashed: harmonics, doubles or halves of a key, which W_L hardly holds."
    if any(key.forced for key in keys):
        caption += " Forced: the operation leaves this frequency no other shape."
    if len(keys) > MOST_KEYS:
        caption += f" The first {MOST_KEYS} of {len(keys)} keys are shown."
    shown = sorted(keys, key=lambda key: key.harmonic_of is not None)[:MOST_KEYS]
    shares = {key.frequency: key for key in found.explanation.keys}
    largest = max(key.major for key in shown) or 1.0
    panels = [_shapes_panel(key, shares[key.frequency], largest, found.n) for key in shown]
    return Figure("shapes", _SHAPES_TITLE, caption, assemble(panels, layout, _SHAPES_TITLE), layout)


def _shapes_panel(key: KeyShape, share: Key, largest: float, n: int) -> Panel:
    turn = np.linspace(0, 2 * np.pi, _POINTS)
    a, b = key.major / largest, key.minor / largest
    rows = [
        {
            "i": i,
            "x": significant(a * np.cos(t)),
            "y": significant(b * np.sin(t)),
            "shape": key.shape,
        }
        for i, t in enumerate(turn)
    ]
    scale, axis = alt.Scale(domain=[-1.15, 1.15], nice=False), None
    colour = alt.Color(
        "shape:N",
        title=None,
        scale=alt.Scale(domain=list(_SHAPES)),
        legend=alt.Legend(symbolType="stroke", symbolStrokeWidth=2.5),
    )
    line = (
        inline(rows)
        .mark_line(strokeWidth=2, strokeDash=[1, 0] if key.harmonic_of is None else [3, 2])
        .encode(
            alt.X("x:Q", scale=scale, axis=axis),
            alt.Y("y:Q", scale=scale, axis=axis),
            colour,
            order="i:Q",
        )
    )
    k, of = key.frequency, key.harmonic_of
    title = f"k = {k}{' (forced)' if key.forced else ''}"
    title += "" if of is None else f", {harmonic_in_words(k, of, n)}"
    sizes = [
        f"a {key.major:.3g}, b/a {key.roundness:.2f}",
        f"W_E {share_in_words(share.share_of_embedding)},"
        f" W_L {share_in_words(share.share_of_neuron_logit_map)}",
    ]
    return layered([line], {"text": title, "subtitle": sizes})
