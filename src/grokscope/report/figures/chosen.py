"""Which frequencies each network chose, as circles as large as their shares of the energy."""

from typing import Any, Final

import altair as alt

from grokscope.report.compared import Comparison, Network, keys_of
from grokscope.report.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    inline,
    layered,
    shorten,
    significant,
)
from grokscope.report.figures.timeline import side_axis
from grokscope.runs.differences import called, said

TITLE: Final = "Which frequencies each network chose"
MOST_PANELS: Final = 12
_ROW: Final = 22
_MATRICES: Final = {"W_E": "embedding", "W_L": "readout"}


def chosen(compared: Comparison) -> Figure:
    """Return the figure: a panel for what is alike besides the swept setting, a row per value."""
    rest = [name for name in compared.names if name != compared.swept]
    groups: dict[str, list[tuple[Network, dict[str, Any]]]] = {}
    for network in compared.networks:
        for document in network.documents:
            many = len(network.documents) > 1
            title = said(network.settings, rest)
            title = f"{title}, {document['operation']}" if many else title
            groups.setdefault(title, []).append((network, document))
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
    panels = [_panel(compared, title, found) for title, found in shown.items()]
    return Figure("chosen", TITLE, caption, assemble(panels, layout, TITLE), layout)


def _panel(compared: Comparison, title: str, found: list[tuple[Network, dict[str, Any]]]) -> Panel:
    order = [v for v in compared.values(compared.swept)
             if v in {compared.value(n, compared.swept) for n, _ in found}]  # fmt: skip
    most = max((document["structure"]["n"] or 2) // 2 for _, document in found)
    rows = [
        {"k": k, "y": compared.value(n, compared.swept), "matrix": matrix,
         "share": significant(document[place]["spectrum"][k - 1], 3)}
        for n, document in found
        for matrix, place in _MATRICES.items()
        for k in keys_of(document, place)
        if document[place]["spectrum"]
    ]  # fmt: skip
    x = alt.X("k:Q", title="frequency k", scale=alt.Scale(domain=[0, most + 1], nice=False),
              axis=alt.Axis(grid=False, format="d", tickMinStep=1))  # fmt: skip
    axis = side_axis(labelLimit=60, grid=True, domain=False)
    y = alt.Y("y:N", title=called(compared.swept or "run"), sort=order, axis=axis,
              scale=alt.Scale(domain=order))  # fmt: skip
    size = alt.Size("share:Q", title="share", scale=alt.Scale(domain=[0, 0.5], range=[0, 420]),
                    legend=alt.Legend(values=[0.02, 0.1, 0.3], format=".0%"))  # fmt: skip
    colour = alt.Color("matrix:N", title=None, scale=alt.Scale(domain=list(_MATRICES)))
    tip = [alt.Tooltip("matrix:N"), alt.Tooltip("k:Q"), alt.Tooltip("share:Q", format=".1%")]
    charts = [
        inline([row for row in rows if row["matrix"] == matrix])
        .mark_point(filled=matrix == "W_E", opacity=0.55 if matrix == "W_E" else 1,
                    strokeWidth=1.4)
        .encode(x, y, size, colour, tooltip=tip)
        for matrix in _MATRICES
    ]  # fmt: skip
    return layered(charts, shorten(title), max(60, _ROW * len(order)))
