"""The table of what was found against what is known, in words."""

import io
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from grokscope.explanation.rendering import rendered, table_of
from grokscope.validation.scored import Scored

HEADER: Final[tuple[str, ...]] = (
    "network",
    "known",
    "found",
    "right",
    "keys",
    "precision",
    "recall",
    "gradient symmetricity",
    "distance irrelevance",
    "circularity",
)
_UNKNOWN: Final = "–"
_WIDTH: Final = 200


def title(rows: Sequence[Scored]) -> str:
    """Return how many verdicts are right."""
    right = sum(row.right for row in rows)
    return f"{len(rows)} networks with known answers: {right} verdicts are right"


def in_words(row: Scored) -> tuple[str, ...]:
    """Return a row as texts; numbers stand as found, then as known where that is known."""
    known = row.known
    levels = f" ({', '.join(row.levels)})" if row.levels else ""
    return (
        row.name,
        " or ".join(known.verdicts),
        f"{row.verdict}{levels}",
        "yes" if row.right else "NO",
        str(len(row.keys)) + ("" if known.keys is None else f" of {len(known.keys)}"),
        _number(row.precision),
        _number(row.recall),
        _beside(row.gradient_symmetricity, known.gradient_symmetricity),
        _beside(row.distance_irrelevance, known.distance_irrelevance),
        _beside(row.circularity, known.circularity),
    )


def as_text(rows: Sequence[Scored]) -> str:
    """Return the table for a terminal."""
    table = table_of(HEADER, [in_words(row) for row in rows])
    return rendered([Text(title(rows)), table], Console(file=io.StringIO(), width=_WIDTH))


def _number(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.2f}"


def _beside(found: float | None, known: float | None) -> str:
    return _number(found) if known is None else f"{_number(found)} ({_number(known)})"
