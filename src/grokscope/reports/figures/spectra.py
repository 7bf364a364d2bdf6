"""Norms per frequency at any snapshot, and the additive basis beside the one that fits."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import numpy as np
from jaxtyping import Float

from grokscope.disk.curves import spectra_of
from grokscope.errors import UsageError
from grokscope.explanation.of_run import SavedNetwork
from grokscope.explanation.sentences import is_additive, own_and_harmonics
from grokscope.fourier.spectrum import spectrum as spectrum_of
from grokscope.measures import TABLES
from grokscope.reports.explained import Explained
from grokscope.reports.figures.figure import (
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
from grokscope.reports.figures.timeline import side_axis
from grokscope.reports.record import RunRecord

MOST_NUMBERS: Final = 6000
"""Numbers per figure, of which the count of snapshots follows."""
_SPECTRA_TITLE: Final = "Spectra of the embedding W_E and the neuron-logit map W_L"
_SINE: Final = "sine (downwards)"
_COSINE: Final = "cosine (upwards)"


def spectra(
    record: RunRecord,
    seed: int,
    runs: int = 1,
    explained: Explained | None = None,
    *,
    matrix: str | None = None,
    step: int | None = None,
) -> Figure:
    """Return the figure: one panel per table and a slider over the snapshots.

    **Arguments:** the run; which of its seeds; how many runs share the page; where it is to be the
    basis that fits an operation, its explanation; one table and one step instead of all.

    **Raises:** `UsageError` for a table or a step without a spectrum.
    """
    layout = Layout(columns=1, least=340)
    name = "spectra" if explained is None else "spectra-matched"
    missing = "No spectrum of this seed has been recorded in this basis."
    found = _norms(record, seed, explained)
    if not found:
        return Figure(name, _SPECTRA_TITLE, "", missing=missing)
    if matrix is not None:
        found = {matrix: _at("table", matrix, found)}
    recorded = sorted({step for table in found.values() for step in table})
    if step is not None:
        _at("step", step, dict.fromkeys(recorded))
    steps = _snapshots(recorded, record, runs) if step is None else [step]
    last = len(steps) - 1
    n = record.p if explained is None else explained.n
    panels = [
        _spectra_panel(table, found[table], steps, record, n) for table in TABLES if table in found
    ]
    caption = (
        "Norm over the columns of the coefficients at each frequency k, cosines upwards and sines"
        f" downwards; FFS counts the bars that pass a dotted line (η = {record.config.eta:g} times"
        " the largest cosine or sine). Few tall bars: a sparse table; unequal up and down: a"
        " cosine or sine bias. The slider goes through training."
    )
    if explained is not None:
        caption += f" W_E: {explained.explanation.embedding.basis}."
        if explained.structure is not None and explained.structure.characters == 2:
            caption += " With two coordinates a bar upwards is the joint norm of both."
    snapshot: dict[str, Any] = {"name": "snapshot", "value": last}
    if last:
        snapshot["bind"] = {"input": "range", "min": 0, "max": last, "step": 1, "name": "snapshot"}
    chart = assemble(panels, layout, _SPECTRA_TITLE) | {"params": [snapshot]}
    return Figure(name, _SPECTRA_TITLE, caption, chart, layout)


def _at(what: str, key: Any, known: Mapping[Any, Any]) -> Any:
    if key not in known:
        names = ", ".join(map(str, known))
        raise UsageError(f"no spectrum of this {what} was recorded", got=key, allowed=names)
    return known[key]


def _norms(
    record: RunRecord, seed: int, explained: Explained | None
) -> dict[str, dict[int, np.ndarray]]:
    """Return cosine and sine norms, as two rows, by table and step."""
    basis = "additive" if explained is None else "matched"
    operation = None if explained is None else record.name_in_rows(explained.number)
    joint = explained is not None and explained.structure and explained.structure.characters == 2
    found: dict[str, dict[int, np.ndarray]] = {}
    for matrix, snapshots in spectra_of(record.folder.spectra(), seed, basis, operation).items():
        for step, norms in snapshots.items():
            if joint:
                norms[1] = 0.0  # the first row is the joint norm of both coordinates
            if np.isfinite(norms).all():
                found.setdefault(matrix, {})[step] = norms
    return found


def _snapshots(steps: list[int], record: RunRecord, runs: int) -> list[int]:
    """Return evenly chosen snapshots, the first and the last among them."""
    room = max(8, MOST_NUMBERS // (record.p * len(TABLES) * min(runs, 4)))
    chosen = np.linspace(0, len(steps) - 1, min(room, len(steps)))
    return [steps[i] for i in np.unique(chosen.round().astype(int))]


def _spectra_panel(
    table: str, norms: dict[int, np.ndarray], steps: list[int], record: RunRecord, order: int
) -> Panel:
    rows, lines = [], []
    for i, step in enumerate(steps):
        if step in norms:
            rows += _norm_rows(i, norms[step])
            lines += [{"i": i, "v": v} for v in _thresholds(norms[step], record.config.eta)]
    n = max(found.shape[1] for found in norms.values())
    top = max(float(norms[step].max()) for step in steps if step in norms) or 1.0
    x = frequency_axis(
        "from", n, _turns("p residues" if order == record.p else f"{order} elements")
    )
    y = alt.Y(
        "v:Q",
        title="norm",
        scale=alt.Scale(domain=[-top, top]),
        axis=side_axis(labelExpr="format(abs(datum.value), '~s')"),
    )
    colour = alt.Color("kind:N", title=None, scale=alt.Scale(domain=[_COSINE, _SINE]))
    tip = [alt.Tooltip("k:Q"), alt.Tooltip("kind:N"), alt.Tooltip("norm:Q", format=".3~g")]
    kind = f"datum.s ? '{_SINE}' : '{_COSINE}'"
    shown = inline(rows).transform_filter("datum.i == snapshot")
    bars = _bars(shown, norm="abs(datum.v)", kind=kind).encode(x, y, colour, tooltip=tip)
    limits = (
        inline(lines).transform_filter("datum.i == snapshot").mark_rule(strokeDash=[2, 3]).encode(y)
    )
    return layered([bars, limits], {"text": {"expr": _title(table, steps)}}, height=190)


def _turns(of: str) -> str:
    return f"frequency k (turns per {of})"


def frequency_axis(field: str, last: int, title: str) -> alt.X:
    """Return the horizontal axis of bars at k = 1 … last.

    **Arguments:** the column of their place; the last frequency; the title with its unit.
    """
    scale = alt.Scale(domain=[0.4, last + 0.6], nice=False)
    axis = alt.Axis(values=[1, *ticks(2, last, 12)], grid=False, format="d")
    return alt.X(f"{field}:Q", title=title, scale=scale, axis=axis)


def _bars(rows: alt.Chart, **calculated: str) -> alt.Chart:
    """Return a bar from 0 at every k, with more fields that are calculated from a row."""
    sides = {"from": "datum.k - 0.38", "to": "datum.k + 0.38", "zero": "0"}
    bars = rows.transform_calculate(**sides, **calculated).mark_rect(tooltip=True)
    return bars.encode(alt.X2(field="to"), alt.Y2(field="zero"))


def _title(table: str, steps: list[int]) -> str:
    """Return the expression for a title that follows the slider."""
    return f"'{table} at step ' + format({steps}[snapshot], ',')"


def _norm_rows(i: int, norms: np.ndarray) -> list[dict[str, Any]]:
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


_BASES_TITLE: Final = "Spectra in the additive basis and in the one that fits the operation"
_TITLE_PLAIN: Final = "Spectra in the basis that fits the operation"
_OVERLAP: Final = (
    " Frequencies of a coordinate that is not one-to-one overlap: each also holds a little of the"
    " others, so that even without energy of their own some bars are above 0."
)
_KINDS: Final = ("key frequency", "harmonic of a key", "other frequency")


def bases(found: Explained, network: SavedNetwork) -> Figure:
    """Return the figure: a row per table; on the left characters of Z_p, on the right its own.

    An operation whose coordinates are x and y themselves has one column: both are the same.
    """
    explanation, plain = found.explanation, is_additive(found.explanation)
    p = explanation.p
    tables = {"W_E": network.model.residues, "W_L": network.model.neuron_logit_map}
    panels = []
    for name, table in explanation.by_table.items():
        matched = np.asarray(table.spectrum)
        additive = np.nan_to_num(spectrum_of(np.asarray(tables[name], np.float64)).shares)
        top = 1.12 * float(max(matched.max(), 0 if plain else additive.max(), 0.01))
        keys = own_and_harmonics(explanation, table)
        labels = _label_heights(matched, keys[0], top)
        top = max([top, *(height + 2 * _LINE * top for height in labels.values())])
        if not plain:
            panels.append(
                _bases_panel(
                    additive,
                    ([], []),
                    {},
                    f"{name} in the additive basis",
                    f"characters of residues in Z_{p}",
                    top,
                    p,
                )
            )
        panels.append(
            _bases_panel(
                matched,
                keys,
                labels,
                f"{name} in the basis that fits",
                table.basis or "",
                top,
                found.n,
            )
        )
    title = _TITLE_PLAIN if plain else _BASES_TITLE
    layout = Layout(columns=2, least=340)
    overlap = any(sum(table.spectrum) > 1.01 for table in explanation.by_table.values())
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


def _bases_panel(
    shares: Float[np.ndarray, "freq"],
    keys: tuple[list[int], list[int]],
    labels: Mapping[int, float],
    title: str,
    basis: str,
    top: float,
    n: int,
) -> Panel:
    x = frequency_axis("from", len(shares), _turns(f"{n} elements"))
    y = alt.Y(
        "v:Q",
        title="share of the energy",
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=side_axis(format=".2~p"),
    )
    colour = alt.Color("kind:N", title=None, scale=alt.Scale(domain=list(_KINDS)))
    tip = [alt.Tooltip("k:Q"), alt.Tooltip("kind:N"), alt.Tooltip("v:Q", format=".2%")]
    rows = inline(_share_rows(shares, *keys))
    bars = _bars(rows).encode(x, y, colour, tooltip=tip)
    placed = [{"from": k, "k": k, "v": significant(height)} for k, height in labels.items()]
    names = inline(placed).mark_text(dy=-7).encode(x, y, text="k:Q")
    heading = {"text": title, "subtitle": shorten(basis, 56)}
    return layered([bars, names], heading, height=180)


_LINE: Final = 11 / 180
"""Height of a label's line in that of a panel."""
_HALF_LABEL: Final = 8 / 274
"""Half the width of a label in that of the narrowest panel."""


def _label_heights(
    shares: Float[np.ndarray, "freq"], keys: Sequence[int], top: float
) -> dict[int, float]:
    """Return the height above which each key's label stands, clear of bars and other labels."""
    half = _HALF_LABEL * len(shares)
    over = int(half + 0.5)
    own = {k: float(shares[max(0, k - 1 - over) : k + over].max()) for k in keys}
    found: dict[int, float] = {}
    for k in sorted(keys, key=own.__getitem__):
        height = own[k]
        for other in sorted((h for j, h in found.items() if abs(j - k) < 2 * half)):
            if abs(other - height) < _LINE * top:
                height = other + _LINE * top
        found[k] = height
    return found


def _share_rows(
    shares: Float[np.ndarray, "freq"], own: list[int], harmonics: list[int]
) -> list[dict[str, Any]]:
    kinds = dict.fromkeys(own, _KINDS[0]) | dict.fromkeys(harmonics, _KINDS[1])
    return [
        {"k": k, "v": significant(v), "kind": kinds.get(k, _KINDS[2])}
        for k, v in enumerate(shares.tolist(), start=1)
    ]
