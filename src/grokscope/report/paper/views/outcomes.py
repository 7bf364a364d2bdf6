"""Whether each setting grokked, and when, beside the paper: the main table of most experiments."""

from typing import Any, Final

from grokscope.paper.claims import Claims
from grokscope.report.paper.block import Block, Cell, Shown, Table
from grokscope.report.paper.cells import LEGEND, cell
from grokscope.report.paper.grouping import called, grouped, values, varying, whole

_ALL: Final = "all together"


def outcomes(shown: Shown) -> list[Block]:
    """Return the table of the settings, one row per value of `rows`, columns of `columns`."""
    options = shown.view.options
    names: list[str] = list(options["rows"])
    column: str = options["columns"]
    rows = shown.results.rows if "task" in names else whole(shown.results.rows)
    names += [n for n in varying(rows, [*names, column, "task"]) if n not in names]
    claims = Claims(shown.experiment, options.get("paper", ()))
    across = values(rows, column)
    cells = grouped(rows, [*names, column])
    body = []
    for key in grouped(rows, names):
        here = [cells.get((*key, value), []) for value in across]
        line = [_cell(found, claims) for found in here]
        body.append([Cell(_label(names, key)), *line])
    caption = (
        "Ours: the step at which it grokked (median over seeds), or the best test accuracy (mean)"
        f" where it has not; below it what the paper says. {LEGEND}"
    )
    first = ", ".join(_HEADERS.get(name, name) for name in names)
    header = [first, *(called(column, value) for value in across)]
    return [Table("", caption, header, body)]


_HEADERS: Final = {"train_fraction": "r", "task": "each of them"}


def _label(names: list[str], key: tuple[Any, ...]) -> str:
    parts = [called(n, v) if v is not None else _ALL * (n == "task")
             for n, v in zip(names, key, strict=True)]  # fmt: skip
    return " · ".join(filter(None, parts))


def _cell(found: list, claims: Claims) -> Cell:
    return cell(found, claims.cell(found[0])) if found else Cell("")
