"""Cosine and sine norms per frequency, at any recorded snapshot."""

from typing import Any, Final

import altair as alt
import numpy as np
import pyarrow.compute as pc

from grokscope.report.explained import Explained
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
from grokscope.report.figures.timeline import side_axis
from grokscope.report.record import RunRecord

TABLES: Final = ("W_E", "W_L")
MOST_NUMBERS: Final = 6000
"""Numbers per figure, of which the count of snapshots follows."""
_TITLE: Final = "Spectra of the embedding W_E and the neuron-logit map W_L"
_SINE: Final = "sine (downwards)"
_COSINE: Final = "cosine (upwards)"


def spectra(
    record: RunRecord, seed: int, runs: int = 1, explained: Explained | None = None
) -> Figure:
    """Return the figure: one panel per table and a slider over the snapshots.

    **Arguments:** the run; which of its seeds; how many runs share the page; where it is to be the
    basis that fits an operation, its explanation.
    """
    layout = Layout(columns=1, least=340)
    name = "spectra" if explained is None else "spectra-matched"
    missing = "No spectrum of this seed has been recorded in this basis."
    found = _norms(record, seed, explained)
    if not found:
        return Figure(name, _TITLE, "", missing=missing)
    steps = _snapshots(sorted({step for table in found.values() for step in table}), record, runs)
    last = len(steps) - 1
    n = record.p if explained is None else explained.n
    panels = [_panel(table, found[table], steps, record, n) for table in TABLES if table in found]
    caption = (
        "Norm over the columns of the coefficients at each frequency k, cosines upwards and sines"
        f" downwards; FFS counts the bars that pass a dotted line (η = {record.config.eta:g} times"
        " the largest cosine or sine). Few tall bars: a sparse table; unequal up and down: a"
        " cosine or sine bias. The slider goes through training."
    )
    if explained is not None:
        caption += f" W_E: {explained.document['embedding']['basis']}."
        if explained.structure is not None and explained.structure.characters == 2:
            caption += " With two coordinates a bar upwards is the joint norm of both."
    snapshot: dict[str, Any] = {"name": "snapshot", "value": last}
    if last:
        snapshot["bind"] = {"input": "range", "min": 0, "max": last, "step": 1, "name": "snapshot"}
    chart = assemble(panels, layout, _TITLE) | {"params": [snapshot]}
    return Figure(name, _TITLE, caption, chart, layout)


def _norms(
    record: RunRecord, seed: int, explained: Explained | None
) -> dict[str, dict[int, np.ndarray]]:
    """Return cosine and sine norms, as two rows, by table and step."""
    rows = record.folder.spectra()
    basis = "additive" if explained is None else "matched"
    operation = None if explained is None else record.name_in_rows(explained.number)
    name = pc.field("operation")
    mine = (pc.field("seed") == seed) & (pc.field("basis") == basis)
    mine &= name.is_null() if operation is None else name == operation
    grouped = rows.filter(mine).group_by(["matrix", "step"], use_threads=False)
    lists = grouped.aggregate([(c, "list") for c in ("k", "cos_norm", "sin_norm")])
    found: dict[str, dict[int, np.ndarray]] = {}
    for row in lists.to_pylist():
        order = np.argsort(row["k_list"])
        norms = np.array([row["cos_norm_list"], row["sin_norm_list"]])[:, order]
        if explained is not None and explained.structure and explained.structure.characters == 2:
            norms[1] = 0.0  # the first row is the joint norm of both coordinates
        if np.isfinite(norms).all():
            found.setdefault(row["matrix"], {})[row["step"]] = norms
    return found


def _snapshots(steps: list[int], record: RunRecord, runs: int) -> list[int]:
    """Return evenly chosen snapshots, the first and the last among them."""
    room = max(8, MOST_NUMBERS // (record.p * len(TABLES) * min(runs, 4)))
    chosen = np.linspace(0, len(steps) - 1, min(room, len(steps)))
    return [steps[i] for i in np.unique(chosen.round().astype(int))]


def _panel(
    table: str, norms: dict[int, np.ndarray], steps: list[int], record: RunRecord, order: int
) -> Panel:
    rows, lines = [], []
    for i, step in enumerate(steps):
        if step in norms:
            rows += _bars(i, norms[step])
            lines += [{"i": i, "v": v} for v in _thresholds(norms[step], record.config.eta)]
    n = max(found.shape[1] for found in norms.values())
    top = max(float(norms[step].max()) for step in steps if step in norms) or 1.0
    x = alt.X(
        "from:Q",
        title="frequency k (turns per "
        + ("p residues)" if order == record.p else f"{order} elements)"),
        scale=alt.Scale(domain=[0.4, n + 0.6], nice=False),
        axis=alt.Axis(values=[1, *ticks(2, n, 12)], grid=False, format="d"),
    )
    y = alt.Y(
        "v:Q",
        title="norm",
        scale=alt.Scale(domain=[-top, top]),
        axis=side_axis(labelExpr="format(abs(datum.value), '~s')"),
    )
    colour = alt.Color("kind:N", title=None, scale=alt.Scale(domain=[_COSINE, _SINE]))
    tip = [alt.Tooltip("k:Q"), alt.Tooltip("kind:N"), alt.Tooltip("norm:Q", format=".3~g")]
    bars = (
        inline(rows)
        .transform_filter("datum.i == snapshot")
        .transform_calculate(
            **{
                "from": "datum.k - 0.38",
                "to": "datum.k + 0.38",
                "zero": "0",
                "norm": "abs(datum.v)",
                "kind": f"datum.s ? '{_SINE}' : '{_COSINE}'",
            }
        )
        .mark_rect(tooltip=True)
        .encode(x, y, alt.X2(field="to"), alt.Y2(field="zero"), colour, tooltip=tip)
    )
    limits = (
        inline(lines).transform_filter("datum.i == snapshot").mark_rule(strokeDash=[2, 3]).encode(y)
    )
    return layered([bars, limits], {"text": {"expr": _title(table, steps)}}, height=190)


def _title(table: str, steps: list[int]) -> str:
    """Return the expression for a title that follows the slider."""
    return f"'{table} at step ' + format({steps}[snapshot], ',')"


def _bars(i: int, norms: np.ndarray) -> list[dict[str, Any]]:
    """Return one row per bar; `s` is 1 for sines, which point downwards."""
    return [
        {"i": i, "k": k, "s": s, "v": significant(-value if s else value, 3)}
        for s, row in enumerate(norms)
        for k, value in enumerate(row.tolist(), start=1)
    ]


def _thresholds(norms: np.ndarray, eta: float) -> list[float]:
    # η · max_k ‖μ_k‖ and, downwards, η · max_k ‖ν_k‖
    cos, sin = eta * norms.max(axis=1)
    return [significant(cos), significant(-sin)]
