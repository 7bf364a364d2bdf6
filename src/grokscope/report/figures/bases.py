"""Spectra in the additive basis beside the basis that fits the operation."""

from typing import Any, Final

import altair as alt
import numpy as np
from jaxtyping import Float

from grokscope.circuits import frequency_shares
from grokscope.inspection.network import Network
from grokscope.inspection.sentences import is_plain, own_and_harmonics
from grokscope.report.explained import Explained
from grokscope.report.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    inline,
    layered,
    shorten,
    significant,
    ticks,
)
from grokscope.report.figures.timeline import side_axis

_TITLE: Final = "Spectra in the additive basis and in the one that fits the operation"
_TITLE_PLAIN: Final = "Spectra in the basis that fits the operation"
_OVERLAP: Final = (
    " Frequencies of a coordinate that is not one-to-one overlap: each also holds a little of the"
    " others, so that even without energy of their own some bars are above 0."
)
_KINDS: Final = ("key frequency", "harmonic of a key", "other frequency")
_PLACES: Final = {"W_E": "embedding", "W_L": "readout"}


def bases(found: Explained, network: Network, p: int) -> Figure:
    """Return the figure: a row per table; on the left characters of Z_p, on the right its own.

    An operation whose coordinates are x and y themselves has one column: both are the same.
    """
    document, plain = found.document, is_plain(found.document)
    tables = {"W_E": network.model.W_E[:p], "W_L": network.model.neuron_logit_map}
    panels = []
    for name, place in _PLACES.items():
        matched = np.asarray(document[place]["spectrum"])
        additive = np.nan_to_num(frequency_shares(np.asarray(tables[name], np.float64)))
        top = 1.12 * float(max(matched.max(), 0 if plain else additive.max(), 0.01))
        if not plain:
            panels.append(_panel(additive, ([], []), f"{name} in the additive basis",
                                 f"characters of residues in Z_{p}", top, p))  # fmt: skip
        keys = own_and_harmonics(document, place)
        panels.append(_panel(matched, keys, f"{name} in the basis that fits",
                             document[place]["basis"], top, found.n))  # fmt: skip
    title = _TITLE_PLAIN if plain else _TITLE
    layout = Layout(columns=2, least=340)
    overlap = any(sum(document[place]["spectrum"]) > 1.01 for place in _PLACES.values())
    caption = _caption(plain) + (_OVERLAP if overlap else "")
    return Figure("bases", title, caption, assemble(panels, layout, title), layout)


def _caption(plain: bool) -> str:
    text = (
        "Share of each frequency in the energy (squared norm without the mean row) of a table;"
        " labelled bars are key frequencies, above the null of permuted rows in this table or in"
        " the other one. Harmonics, doubles and halves of a key, have no label: W_L holds little"
        " or nothing of them, and the weakest are found only because a key points at them."
    )
    if plain:
        return f"{text} For this operation the basis that fits is the additive one itself."
    return (
        f"{text} The same weights on either side: where the right one has few bars and the left"
        " one a carpet, the network computes in the coordinate on the right."
    )


def _panel(
    shares: Float[np.ndarray, "freq"],
    keys: tuple[list[int], list[int]],
    title: str,
    basis: str,
    top: float,
    n: int,
) -> Panel:
    last = len(shares)
    x = alt.X(
        "from:Q",
        title=f"frequency k (turns per {n} elements)",
        scale=alt.Scale(domain=[0.4, last + 0.6], nice=False),
        axis=alt.Axis(values=[1, *ticks(2, last, 12)], grid=False, format="d"),
    )
    y = alt.Y(
        "v:Q",
        title="share of the energy",
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=side_axis(format=".2~p"),
    )
    colour = alt.Color("kind:N", title=None, scale=alt.Scale(domain=list(_KINDS)))
    tip = [alt.Tooltip("k:Q"), alt.Tooltip("kind:N"), alt.Tooltip("v:Q", format=".2%")]
    rows = inline(_rows(shares, *keys))
    bars = (
        rows.transform_calculate(**{"from": "datum.k - 0.38", "to": "datum.k + 0.38", "zero": "0"})
        .mark_rect(tooltip=True)
        .encode(x, y, alt.X2(field="to"), alt.Y2(field="zero"), colour, tooltip=tip)
    )
    names = (
        rows.transform_filter("datum.label")
        .transform_calculate(**{"from": "datum.k"})
        .mark_text(dy=-7)
        .encode(x, y, text="k:Q")
    )
    heading = {"text": title, "subtitle": shorten(basis, 56)}
    return layered([bars, names], heading, height=180)


def _rows(
    shares: Float[np.ndarray, "freq"], own: list[int], harmonics: list[int]
) -> list[dict[str, Any]]:
    kinds = dict.fromkeys(own, _KINDS[0]) | dict.fromkeys(harmonics, _KINDS[1])
    return [
        {"k": k, "v": significant(v), "kind": kinds.get(k, _KINDS[2]), "label": int(k in own)}
        for k, v in enumerate(shares.tolist(), start=1)
    ]
