"""Rows of results by what tells them apart."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from grokscope.paper.results import Results

Row = Mapping[str, Any]
PLACES: Final = ("operation", "task", "p", "train_fraction", "start")
_SHORT: Final = {"train_fraction": "r", "p": "p"}


def grouped(rows: Iterable[Row], names: Sequence[str]) -> dict[tuple[Any, ...], list[Row]]:
    """Return the rows by the values of some columns, in the order of their first occurrence."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row.get(name) for name in names), []).append(row)
    return found


def whole(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of whole runs, without those of single operations of mixtures."""
    return [row for row in rows if row.get("task") is None]


def values(rows: Iterable[Row], name: str) -> list[Any]:
    """Return the different values of a column, numbers in order, texts as they come."""
    found = list(dict.fromkeys(row.get(name) for row in rows if row.get(name) is not None))
    return sorted(found) if all(isinstance(v, int | float) for v in found) else found


def varying(rows: Sequence[Row], without: Sequence[str]) -> list[str]:
    """Return the columns that tell rows apart, besides those named."""
    return [n for n in PLACES if n not in without and len(values(rows, n)) > 1]


def said(row: Row, names: Sequence[str]) -> str:
    """Return the values of some columns as a title: `x + y, r = 0.3`."""
    return ", ".join(text for text in (called(name, row.get(name)) for name in names) if text)


def called(name: str, value: Any) -> str:
    """Return one value with what it needs to be understood."""
    if value is None:
        return ""
    shown = f"{value:g}" if isinstance(value, int | float) else str(value)
    return f"{_SHORT[name]} = {shown}" if name in _SHORT else shown


def with_rows(results: Results, name: str) -> list[dict[str, Any]]:
    """Return a long table, each row with the columns of the run that it is of.

    The task of a long row, where it has one, stands before that of its run.
    """
    found = []
    for row in results.columns(name):
        run = {key: results.rows[row["row"]].get(key) for key in (*PLACES, "seed", "status")}
        found.append(run | {k: v for k, v in row.items() if k != "task"}
                     | {"task": row.get("task")})  # fmt: skip
    return found


def middle(numbers: Sequence[float]) -> float | None:
    """Return the median, or None of nothing."""
    return statistics.median(numbers) if numbers else None


def ended(rows: Iterable[Row]) -> str:
    """Say how the seeds of some rows ended: `grokked`, `undecided`, or `2 of 3 grokked`."""
    states = [row["status"] for row in {row["seed"]: row for row in rows}.values()]
    if len(set(states)) == 1:
        return states[0]
    return f"{states.count('grokked')} of {len(states)} grokked"
