"""Curves over training: accuracies, or FFS and FCR, one panel per operation."""

from typing import Any, Final

from grokscope.measures import MEASURES
from grokscope.report.figures.figure import Figure, Layout, assemble, shorten
from grokscope.report.paper.block import Block, Shown
from grokscope.report.paper.grouping import (
    called,
    ended,
    grouped,
    said,
    values,
    varying,
    with_rows,
)
from grokscope.report.paper.time import EVALUATIONS, panel
from grokscope.report.theme import colours

_DEFAULT: Final = ["test_accuracy"]
_NUMBERS: Final = ("train_fraction", "p")
_MISSING: Final = "No run of this experiment has been trained yet."


def curves(shown: Shown) -> list[Block]:
    """Return the figure: panels by `by`, colours by `colour`, one thin line per seed."""
    options, title = shown.view.options, shown.view.title
    field, wanted = options["colour"], options.get("measures", _DEFAULT)
    of_tasks = field == "task"
    rows = [_drawn(row, field) for row in with_rows(shown.results, "curves")
            if row["measure"] in wanted and (row["task"] is not None) == of_tasks]  # fmt: skip
    if not rows:
        return [Figure("curves", title, "", missing=_MISSING)]
    facets = [options["by"], *varying(rows, [options["by"], field, "task"])]
    last = max(row["step"] for row in rows)
    domain = _domain(shown, rows, field, wanted)
    colour = colours("colour", domain, _TITLES.get(field), ordered=field in _NUMBERS)
    layout = Layout(columns=3, least=300, axis=72)
    panels = [
        panel(_slim(found), _heading(found, facets, wanted), colour, _y(wanted), last)
        for found in grouped(rows, facets).values()
    ]
    chart = assemble(panels, layout, title)
    return [Figure("curves", title, _caption(rows, wanted), chart, layout, first_step=EVALUATIONS)]


_TITLES: Final = {"train_fraction": "r", "p": "p"}


def _drawn(row: dict[str, Any], field: str) -> dict[str, Any]:
    value: Any = row.get(field)
    if field == "measure":
        value = _symbol(value)
    colour = f"{value:g}" if field in _NUMBERS else str("" if value is None else value)
    return row | {"colour": colour, "line": f"{colour}, seed {row['seed']}"}


def _heading(rows: list, facets: list[str], wanted: list[str]) -> str:
    """Return a panel's title; where accuracy is not shown, with how the runs ended."""
    title = said(rows[0], facets)
    return shorten(title if wanted == _DEFAULT else f"{title} ({ended(rows)})", 46)


def _slim(rows: list) -> list[dict[str, Any]]:
    return [{k: row[k] for k in ("step", "value", "colour", "line")} for row in rows]


def _domain(shown: Shown, rows: list[dict[str, Any]], field: str, wanted: list[str]) -> list[str]:
    if field == "measure":
        return [_symbol(name) for name in wanted]
    if field in _NUMBERS:
        return [f"{v:g}" for v in values(rows, field)]
    known = values(rows, "colour")
    order = [called(field, v) for v in values(shown.results.rows, field)]
    return [v for v in order if v in known]


def _symbol(name: str) -> str:
    """Return a measure as figures call it: `ffs W_E` is FFS of W_E."""
    key, _, matrix = name.partition(" ")
    return f"{MEASURES[key].symbol} of {matrix}" if key in MEASURES else name.replace("_", " ")


def _y(wanted: list[str]) -> str:
    return "test accuracy" if wanted == _DEFAULT else "measure (0 to 1)"


def _caption(rows: list[dict[str, Any]], wanted: list[str]) -> str:
    seeds = sorted({row["seed"] for row in rows})
    what = "Test accuracy" if wanted == _DEFAULT else "FFS and FCR"
    n = f"one line per seed (seeds {' '.join(map(str, seeds))})" if len(seeds) > 1 else "one seed"
    return (
        f"{what}, {n}. A line ends where its run ended: 500 steps after it grokked, or at its last"
        " step. Points are thinned so that the files stay small; extremes are kept."
    )
