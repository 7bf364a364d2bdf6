"""The loss without each single frequency: keys, and frequencies that are depended on besides."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from grokscope.circuits.frequency_losses import DEPENDENT
from grokscope.report.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    inline,
    layered,
    significant,
    ticks,
)
from grokscope.report.paper.block import Block, Cell, Shown, Table
from grokscope.report.paper.grouping import Row, grouped, said, varying, with_rows

_KINDS: Final = ("key frequency", "depended on besides", "other")
_SMALLEST: Final = 1e-12


def frequencies(shown: Shown) -> list[Block]:
    """Return the figure, a panel per setting and place, and the table of what is depended on."""
    title = shown.view.title
    rows = [row | {"kind": _kind(row)} for row in with_rows(shown.results, "frequencies")]
    if not rows:
        return [Figure("frequencies", title, "", missing="No checkpoint has been read yet.")]
    names = ["operation", *varying(rows, ["operation"])]
    panels = []
    for found in grouped(rows, [*names, "place"]).values():
        (_, one), *_ = grouped(found, ["seed"]).items()
        text = f"{said(one[0], names)} · {one[0]['place']}"
        how = f"seed {one[0]['seed']}, {one[0]['status']}"
        panels.append(_panel(one, {"text": text, "subtitle": how}))
    layout = Layout(columns=2, least=340)
    caption = (
        "Loss over all pairs when one frequency is removed, from W_E or from the class axis of the"
        f" logits; the line is the network as it is. Depended on: above {DEPENDENT:g} times that"
        " loss, without being a key. The first seed is shown; the table has all. A network that has"
        " not grokked has little to lose, and its panel says little."
    )
    figure = Figure("frequencies", title, caption, assemble(panels, layout, title), layout)
    return [figure, _table(rows, names)]


def _kind(row: Row) -> str:
    if row["key"]:
        return _KINDS[0]
    return _KINDS[1] if row["loss"] > DEPENDENT * row["whole"] else _KINDS[2]


def _panel(rows: Sequence[Row], title: dict[str, Any]) -> Panel:
    whole = max(float(rows[0]["whole"]), _SMALLEST)
    bars: list[dict[str, Any]] = [
        {"k": row["k"], "loss": significant(max(float(row["loss"]), _SMALLEST)),
         "whole": significant(whole), "kind": row["kind"]}
        for row in rows
    ]  # fmt: skip
    last = max(bar["k"] for bar in bars)
    x = alt.X("k:Q", title="frequency k that is removed",
              scale=alt.Scale(domain=[0, last + 1], nice=False),
              axis=alt.Axis(values=ticks(0, last, 10), grid=False))  # fmt: skip
    y = alt.Y("loss:Q", title="loss (nats)", scale=alt.Scale(type="log"),
              axis=alt.Axis(format=".0e", tickCount=5, minExtent=46, maxExtent=46,
                            grid=False))  # fmt: skip
    colour = alt.Color("kind:N", title=None, scale=alt.Scale(
        domain=list(_KINDS), range=["#0072b2", "#d55e00", "#8c959f"]))  # fmt: skip
    tip = [alt.Tooltip("k:Q"), alt.Tooltip("kind:N"), alt.Tooltip("loss:Q", format=".3~g")]
    stems = inline(bars).mark_bar(size=4).encode(x, y, colour, alt.Y2(field="whole"), tooltip=tip)
    line = inline([{"loss": significant(whole)}]).mark_rule().encode(y)
    return layered([stems, line], title, 150)


def _table(rows: Sequence[Row], names: Sequence[str]) -> Table:
    body = []
    for found in grouped(rows, [*names, "seed", "place"]).values():
        kinds = {kind: [r["k"] for r in found if r["kind"] == kind] for kind in _KINDS[:2]}
        listed = [" ".join(map(str, ks)) or "none" for ks in kinds.values()]
        first = found[0]
        label = f"{said(first, names)}, seed {first['seed']} ({first['status']}) · {first['place']}"
        body.append([Cell(label), Cell(f"{first['whole']:.2g}"), *map(Cell, listed)])
    return Table("", "Which frequencies each network depends on.",
                 ["", "loss as it is", *_KINDS[:2]], body)  # fmt: skip
