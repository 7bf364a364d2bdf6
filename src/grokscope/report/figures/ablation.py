"""What the network still answers with its key frequencies kept or removed, beside controls."""

from typing import Any, Final

import altair as alt

from grokscope.inspection.sentences import number
from grokscope.report.explained import Explained
from grokscope.report.figures.figure import (
    Figure,
    Layout,
    assemble,
    inline,
    layered,
    significant,
)

_TITLE: Final = "What is left with the keys kept, and with the keys removed"
_TESTS: Final = {
    "keep": "keys kept",
    "remove": "keys removed",
    "control": "as many others removed",
    "keep_others": "only as many others kept",
}
_PLACES: Final = {
    "embedding": "W_E",
    "neurons": "neurons",
    "readout": "class axis",
    "both": "W_E, class axis",
}
_HEIGHT: Final = 270


def ablation(found: Explained) -> Figure:
    """Return the figure: bars of A for every place and test."""
    causal = found.document["causal"]
    tests = {place: causal.get(place) or {} for place in _PLACES} | {
        "both": {"keep": causal["both_keep"]}
    }
    rows = [
        {"place": name, "test": test, "a": significant(tests[place][key], 3),
         "text": number(tests[place][key]), "at": max(0.0, significant(tests[place][key], 3))}
        for place, name in _PLACES.items()
        for key, test in _TESTS.items()
        if tests[place].get(key) is not None
    ]  # fmt: skip
    if not rows:
        missing = "Nothing was tested: there are no keys, or the network is no better than chance."
        return Figure("ablation", _TITLE, "", missing=missing)
    layout = Layout(columns=1, least=340, axis=120)
    caption = (
        "A is 1 where the network answers as it does whole and 0 where it only guesses. A sparse"
        " circuit has long bars for keys kept and others removed, none for the other two. Others:"
        " as many frequencies that are no keys, the median of random draws. Class axis: the logits"
        " as functions of the answer. No bar and no number: not testable."
    )
    chart = assemble([_panel(rows)], layout, _TITLE)
    return Figure("ablation", _TITLE, caption, chart, layout)


def _panel(rows: list[dict[str, Any]]) -> dict[str, Any]:
    tests, places = list(_TESTS.values()), list(_PLACES.values())
    low = min(0.0, *(row["a"] for row in rows))
    x = alt.X(
        "a:Q",
        title="A (0 guessing, 1 whole network)",
        scale=alt.Scale(domain=[low, 1.1], nice=False),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f"),
    )
    y = alt.Y("place:N", title=None, sort=places, scale=alt.Scale(domain=places, paddingInner=0.3),
              axis=alt.Axis(minExtent=90, ticks=False, domain=False))  # fmt: skip
    offset = alt.YOffset("test:N", scale=alt.Scale(domain=tests))
    colour = alt.Color("test:N", title=None, scale=alt.Scale(domain=tests))
    tip = [alt.Tooltip("place:N"), alt.Tooltip("test:N"), alt.Tooltip("a:Q", format=".4f")]
    chart = inline(rows)
    bars = chart.mark_bar().encode(x, y, offset, colour, tooltip=tip)
    beside = alt.X("at:Q", title="")
    names = chart.mark_text(align="left", dx=4).encode(beside, y, offset, text="text:N")
    return layered([bars, names], "", height=_HEIGHT)
