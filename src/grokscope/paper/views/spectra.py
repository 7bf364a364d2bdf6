"""Spectra of weights and logits at the end of training, and the loss without each frequency."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import numpy as np

from grokscope.explanation.ablation import DEPENDENT
from grokscope.paper.block import (
    Block,
    Row,
    Table,
    TableCell,
    ViewData,
    grouped,
    values_in_words,
    varying_columns,
    with_rows,
)
from grokscope.reports.figures.figure import (
    Figure,
    Layout,
    Panel,
    assemble,
    inline,
    layered,
    significant,
    ticks,
)
from grokscope.reports.figures.maps import image_panel
from grokscope.reports.figures.spectra import frequency_axis
from grokscope.reports.figures.timeline import side_axis
from grokscope.theme import LIGHT, NEUTRAL, POWER

_UP: Final = "cosine (upwards)"
_DOWN: Final = "sine (downwards)"


def draw_spectra(data: ViewData) -> list[Block]:
    """Return the figure: of each setting the first seed that grokked, or else the first."""
    title = data.view.title
    rows = with_rows(data.results, "spectra")
    if not rows:
        return [Figure("spectra", title, "", missing="No spectrum has been recorded yet.")]
    names = ["operation", *varying_columns(rows, ["operation"])]
    layout = Layout(columns=2, least=340)
    panels = []
    for found in grouped(rows, names).values():
        one = representative_seed(found)
        for (matrix,), bars in grouped(one, ["matrix"]).items():
            panels.append(
                _spectra_panel(
                    bars, f"{values_in_words(bars[0], names)} · {matrix}", _run_in_words(bars[0])
                )
            )
    caption = (
        "Norm over the columns of the coefficients at each frequency k, divided by the largest:"
        " cosines upwards, sines downwards, in the additive basis of the paper. Few tall bars: a"
        " sparse table. Of several seeds the first that grokked is shown."
    )
    return [Figure("spectra", title, caption, assemble(panels, layout, title), layout)]


def representative_seed(rows: list) -> list:
    """Return the rows of the first seed that grokked, or else of the first."""
    seeds = grouped(rows, ["seed"])
    grokked = [key for key, found in seeds.items() if found[0]["status"] == "grokked"]
    return seeds[grokked[0] if grokked else next(iter(seeds))]


def _run_in_words(row: Row) -> str:
    state = "grokked" if row["status"] == "grokked" else row["status"]
    return f"seed {row['seed']}, step {row['step']:,}, {state}"


def _spectra_panel(bars: list, title: str, subtitle: str) -> Panel:
    top = max(max(row["cos"], row["sin"]) for row in bars) or 1.0
    rows = [
        {"k": row["k"], "value": significant(sign * row[key] / top, 3), "part": part}
        for row in bars
        for key, part, sign in (("cos", _UP, 1), ("sin", _DOWN, -1))
    ]
    last = max(row["k"] for row in bars)
    x = frequency_axis("k", last, "frequency k")
    y = alt.Y(
        "value:Q",
        title="norm / largest",
        scale=alt.Scale(domain=[-1, 1]),
        axis=side_axis(labelExpr="format(abs(datum.value), '.1f')"),
    )
    scale = alt.Scale(domain=[_UP, _DOWN])
    colour = alt.Color("part:N", title=None, scale=scale)
    tip = [alt.Tooltip("k:Q"), alt.Tooltip("part:N"), alt.Tooltip("value:Q", format=".3~g")]
    chart = inline(rows).mark_bar(size=4).encode(x, y, colour, tooltip=tip)
    return layered([chart], {"text": title, "subtitle": subtitle}, 130)


_MISSING: Final = "No checkpoint has been read yet."


def draw_logits(data: ViewData) -> list[Block]:
    """Return the figure: one map per setting, of the seed that the spectra show."""
    title = data.view.title
    rows = with_rows(data.results, "logits")
    if not rows:
        return [Figure("logits", title, "", missing=_MISSING)]
    names = ["operation", *varying_columns(rows, ["operation"])]
    panels, largest = [], 1
    for found in grouped(rows, names).values():
        one = representative_seed(found)
        n = max(row["p"] for row in one) // 2 + 1
        largest = max(largest, n)
        image = np.zeros((n, n))
        for row in one:
            image[row["kx"], row["ky"]] = row["norm"]
        axis = {"values": ticks(0, n - 1, 6), "from": -0.5, "to": n - 0.5}
        panels.append(
            image_panel(
                image,
                (0, 1),
                _title(one[0], names),
                "norm / largest",
                {"title": "frequency in x"} | axis,
                {"title": "frequency in y"} | axis,
            )
        )
    layout = Layout(columns=3, least=260, axis=66, square=True, most=300, cells=largest)
    caption = (
        "Norm over the answers of what the last checkpoint's logits hold of each pair of"
        " frequencies, cosines and sines together, divided by the largest. On the diagonal x and y"
        " have the same frequency, as in cos(2πk(x + y − c)/p). Norms below 2% are not kept."
    )
    chart = assemble(panels, layout, title)
    return [Figure("logits", title, caption, chart, layout)]


def _title(row: Row, names: Sequence[str]) -> str:
    return f"{values_in_words(row, names)} (seed {row['seed']}, {row['status']})"


_KINDS: Final = ("key frequency", "depended on besides", "other")
_SMALLEST: Final = 1e-12


def draw_frequencies(data: ViewData) -> list[Block]:
    """Return the figure, a panel per setting and place, and the table of what is depended on."""
    title = data.view.title
    rows = [row | {"kind": _kind(row)} for row in with_rows(data.results, "frequencies")]
    if not rows:
        return [Figure("frequencies", title, "", missing="No checkpoint has been read yet.")]
    names = ["operation", *varying_columns(rows, ["operation"])]
    panels = []
    for found in grouped(rows, [*names, "place"]).values():
        (_, one), *_ = grouped(found, ["seed"]).items()
        text = f"{values_in_words(one[0], names)} · {one[0]['place']}"
        how = f"seed {one[0]['seed']}, {one[0]['status']}"
        panels.append(_frequencies_panel(one, {"text": text, "subtitle": how}))
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


def _frequencies_panel(rows: Sequence[Row], title: dict[str, Any]) -> Panel:
    whole = max(float(rows[0]["whole"]), _SMALLEST)
    bars: list[dict[str, Any]] = [
        {
            "k": row["k"],
            "loss": significant(max(float(row["loss"]), _SMALLEST)),
            "whole": significant(whole),
            "kind": row["kind"],
        }
        for row in rows
    ]
    last = max(bar["k"] for bar in bars)
    x = frequency_axis("k", last, "frequency k that is removed")
    y = alt.Y(
        "loss:Q",
        title="loss (nats)",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(labelExpr=POWER, tickCount=5, minExtent=46, maxExtent=46, grid=False),
    )
    colour = alt.Color(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=list(_KINDS), range=[*LIGHT.series[:2], NEUTRAL]),
    )
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
        run = f"{values_in_words(first, names)}, seed {first['seed']}"
        label = f"{run} ({first['status']}) · {first['place']}"
        body.append([TableCell(label), TableCell(f"{first['whole']:.2g}"), *map(TableCell, listed)])
    return Table(
        "", "Which frequencies each network depends on.", ["", "loss as it is", *_KINDS[:2]], body
    )
