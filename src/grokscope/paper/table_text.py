"""Rows as CSV: numbers, texts, truth values and nothing, which come back as they were."""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

from grokscope.errors import UsageError

_DIGITS: Final = 5
_TEXTS: Final = ("cell", "commit")
"""Columns whose texts may look like numbers."""


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows under a header of all their columns, in the order of their first occurrence.

    **Raises:** `UsageError` for a text that would be read back as something else.
    """
    header = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_text(row.get(key), key) for key in header] for row in rows)
    return out.getvalue()


def _text(value: Any, column: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    if isinstance(value, str) and _value(value, column) != value:
        raise UsageError("a text would be read back as something else", got=value)
    return str(value)


def from_csv(data: bytes) -> list[dict[str, Any]]:
    """Return the rows of `to_csv`."""
    reader = csv.DictReader(io.StringIO(data.decode()))
    return [{key: _value(text, key) for key, text in row.items()} for row in reader]


def _value(text: str, column: str) -> Any:
    """Return the number, truth value or nothing that a cell stands for, or its text."""
    if column in _TEXTS:
        return text
    if text in ("", "true", "false"):
        return {"": None, "true": True, "false": False}[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
