"""Results that add up: what any machine has computed is kept, cell by cell.

An experiment is one CSV file of sorted rows, each with where and when it was computed, so that
what two people computed is merged as text; and beside it one compressed file per cell with what
figures need. Neither needs the runs again.
"""

import csv
import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from grokscope.disk.atomic import path_in_words, read_bytes, utf8_bytes, write_bytes
from grokscope.errors import RunFolderError
from grokscope.paper.table_text import from_csv, to_csv

ENDED: Final = ("grokked", "undecided", "diverged", "counted")
"""States of what is kept: a run that is still under way may end in any way."""
_OUTCOME: Final = ("status", "memorised_at", "grokked_at")
_FAR: Final = ("steps", "best_test_accuracy")
"""What also counts where it has not grokked; how long a run goes on afterwards does not."""


@dataclass(frozen=True, eq=False)
class CellResult:
    """What is known of one cell.

    **Arguments:**

    - `rows`: of the run; of a mixture one more per operation. All name their `cell`.
    - `series`: long tables by name, for figures.
    """

    rows: list[dict[str, Any]]
    series: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """Orders results of one cell: one that ended first, one that grokked, the longer one."""
        whole = self.rows[0]
        ended, grokked = whole["status"] in ENDED, whole["status"] == "grokked"
        return ended, grokked, 0 if grokked else whole.get("steps") or 0

    @property
    def outcome(self) -> str:
        """What two computations of a cell should agree in, as it is kept."""
        row = self.rows[0]
        names = _OUTCOME if row["status"] == "grokked" else (*_OUTCOME, *_FAR)
        return to_csv([{name: row.get(name) for name in names}])


Cells = Mapping[str, CellResult]
"""Results by the identity of their cell."""


def cell_id(key: str) -> str:
    """Return a short name for what is equal for all runs of a cell."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def better_of(kept: Cells, more: Cells) -> tuple[dict[str, CellResult], list[str]]:
    """Return all cells, of each the result that is farthest, and a line for each clash.

    A clash is one cell computed twice, equally far, with two outcomes, as other processors may
    give them; the first one stays.
    """
    found, clashes = dict(kept), []
    for cell, result in more.items():
        known = found.get(cell)
        if known is None or result.rank > known.rank:
            found[cell] = result
        elif result.rank == known.rank and result.outcome != known.outcome:
            clashes.append(_clash_in_words(known.rows[0], result.rows[0]))
    return found, clashes


def _clash_in_words(kept: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    place = ", ".join(
        f"{name} {kept[name]}"
        for name in ("operation", "start", "p", "train_fraction", "seed")
        if kept.get(name) is not None
    )
    return (
        f"computed twice: {place}: kept {_outcome_in_words(kept)}; left out"
        f" {_outcome_in_words(other)}"
    )


def _outcome_in_words(row: Mapping[str, Any]) -> str:
    at = f" at {row['grokked_at']}" if row.get("grokked_at") is not None else ""
    where = ", ".join(str(row[name]) for name in ("processor", "commit") if row.get(name))
    return f"{row['status']}{at} after {row.get('steps')} steps ({where or 'unknown machine'})"


def read_cells(folder: Path, name: str) -> dict[str, CellResult]:
    """Return what is kept of an experiment; {} where there is nothing.

    Rows of one cell from a merge of two files count as computed twice.

    **Raises:** `RunFolderError` when it cannot be read.
    """
    path = Path(folder) / f"{name}.csv"
    if not path.exists():
        return {}
    try:
        rows = from_csv(read_bytes(path))
        return _cells(rows, Path(folder) / name)
    except (ValueError, KeyError, OSError, EOFError, csv.Error) as error:
        raise RunFolderError(
            f"{path_in_words(path)} cannot be read: it is damaged, or of an earlier version",
            got=str(error),
            next_step="move it away; the runs, where they are at hand, give it again",
        ) from error


def _cells(rows: Iterable[dict[str, Any]], folder: Path) -> dict[str, CellResult]:
    """Return rows by their cells, each with its long tables."""
    found: dict[str, CellResult] = {}
    current: CellResult | None = None
    for row in rows:
        if row.get("task") is not None and current is not None:
            if row["cell"] != current.rows[0]["cell"]:
                raise ValueError(f"a row of {row['task']} does not follow its run")
            current.rows.append(row)
            continue
        current = CellResult([row], _read_series(folder / _series_name(row["cell"])))
        found, _ = better_of(found, {row["cell"]: current})
    return found


def add_cells(folder: Path, name: str, more: Cells) -> list[str]:
    """Add results that have ended to those that are kept, and return a line for each clash.

    **Raises:** `RunFolderError` where what is kept cannot be read, `DiskError` where it cannot
    be written.
    """
    ended = {cell: result for cell, result in more.items() if result.rows[0]["status"] in ENDED}
    kept = read_cells(folder, name)
    found, clashes = better_of(kept, ended)
    for cell, result in found.items():
        if result is not kept.get(cell) and result.series:
            write_bytes(Path(folder) / name / _series_name(cell), _packed(result.series))
    rows = [row for result in sorted(found.values(), key=_order) for row in result.rows]
    if rows:
        write_bytes(Path(folder) / f"{name}.csv", utf8_bytes(to_csv(rows)))
    return clashes


def _order(result: CellResult) -> tuple[Any, ...]:
    row = result.rows[0]
    numbers = tuple(row.get(name) or 0 for name in ("p", "train_fraction", "seed"))
    return row["operation"], row.get("start") or "", *numbers, row["cell"]


def _series_name(cell: str) -> str:
    return f"{cell}.json.gz"


def _packed(series: Mapping[str, list[dict[str, Any]]]) -> bytes:
    """Return long tables as columns, compressed to the same bytes every time."""
    columns = {
        name: {key: [row[key] for row in rows] for key in rows[0]}
        for name, rows in series.items()
        if rows
    }
    text = json.dumps(columns, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), mtime=0)


def _read_series(path: Path) -> dict[str, list[dict[str, Any]]]:
    if not path.exists():
        return {}
    columns = json.loads(gzip.decompress(read_bytes(path)))
    return {
        name: [dict(zip(of, row, strict=True)) for row in zip(*of.values(), strict=True)]
        for name, of in columns.items()
    }
