"""Explain many runs: what is kept is read, the rest is made, and all of it becomes one table."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv

from grokscope.disk.atomic import write_bytes
from grokscope.disk.folder import RunFolder
from grokscope.disk.listing import Selection
from grokscope.disk.sweep_folder import rows_of, to_parquet, to_table
from grokscope.errors import GrokscopeError, UsageError, quote
from grokscope.explanation.of_run import explain_networks as explain_run
from grokscope.explanation.result import Explanation
from grokscope.explanation.store import COLUMNS, read_or_explain, row_of
from grokscope.progress import part_of

MOST_LINES: Final = 20
"""Explanations that are shown of many."""
TABLE_NAME: Final = "explanations"
Row = dict[str, Any]
Hear = Callable[[list[Row]], None]
"""Told the rows of each run and seed as soon as they are known."""
_BROKEN: Final = (GrokscopeError, ArithmeticError, ValueError, KeyError, TypeError)
"""What a run that is damaged, or of another shape than ours, may raise."""


class Explanations(list[Explanation]):
    """Explanations of several networks, with a table of all that were asked for.

    **Arguments:** the rows, each with its explanation where there is one.
    """

    def __init__(self, rows: Sequence[tuple[Row, Explanation | None]]) -> None:
        super().__init__(found for _, found in rows if found is not None)
        self.rows = [row for row, _ in rows]

    def __repr__(self) -> str:
        """Return a line per explanation, 20 at most."""
        lines = [repr(found) for found in self[:MOST_LINES]]
        more = len(self) - len(lines)
        return "\n".join([*lines, f"… and {more} more; .table has all"] if more else lines) or "[]"

    def _repr_html_(self) -> str:
        """Return the page of one explanation for a notebook; of several a line each."""
        if len(self) == 1:
            return self[0]._repr_html_()
        return f"<pre>{escape(repr(self))}</pre>"

    @property
    def table(self) -> pa.Table:
        """One row per network: those of the sweep's index, then `COLUMNS`, then the run's path."""
        return to_table(self.rows, (*COLUMNS, ("run", pa.string())))

    def write(self, folder: Path) -> list[Path]:
        """Write the table as Parquet and CSV, each whole or not at all; raises `DiskError`."""
        table = self.table
        files = {".parquet": to_parquet(table), ".csv": _csv(table)}
        paths = [Path(folder) / f"{TABLE_NAME}{end}" for end in files]
        for path, data in zip(paths, files.values(), strict=True):
            write_bytes(path, data)
        return paths


def explain_many(
    selection: Selection,
    *,
    seeds: Sequence[int] | None = None,
    keep: bool = True,
    fresh: bool = False,
    hear: Hear = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
    **options: Any,
) -> Explanations:
    """Explain the networks of many runs; what cannot be explained has a row that says why.

    What is kept of the last checkpoint is not made again, and what is made is kept.

    **Arguments:**

    - `selection`: the runs.
    - `seeds`: which seeds; by default all.
    - `keep`: whether to read and keep explanations; False makes all of them with `options`.
    - `fresh`: make anew also what is kept.
    - `hear`: see `Hear`.
    - `warn`: told where a run's explanation could not be kept.
    - `options`: `step`, `by` and what else `explain` takes of one run.
    """
    found: list[tuple[Row, Explanation | None]] = []
    n = len(selection.runs)
    for i, (path, error) in enumerate(selection.runs.items(), 1):
        with part_of(f"run {i} of {n}") if n > 1 else contextlib.nullcontext():
            for base in rows_of(path, error):
                if seeds is not None and base.get("seed") not in seeds:
                    continue
                base["run"] = str(path)
                new = _explained(path, base, keep, fresh, warn, options)
                found += new
                hear([row for row, _ in new])
    if not found:
        raise UsageError("no run has such a seed", got=" ".join(map(str, seeds or ())))
    return Explanations(found)


def _explained(
    path: Path,
    base: Row,
    keep: bool,
    fresh: bool,
    warn: Callable[[str], None],
    options: dict[str, Any],
) -> list[tuple[Row, Explanation | None]]:
    """Return the rows of one seed of a run with their explanations, or one that says why not."""
    try:
        if base.get("p") is None:
            raise UsageError(base["error"])
        explained = (
            read_or_explain(RunFolder.open(path), base["seed"], warn, fresh=fresh)
            if keep
            else explain_run(path, seeds=[base["seed"]], **options)
        )
        return list(with_rows(base, explained))
    except _BROKEN as broken:
        return [(base | {"why_not": _reason(base, broken)}, None)]


def with_rows(
    base: Row, explained: Sequence[Explanation]
) -> Iterator[tuple[Row, Explanation | None]]:
    """Yield each explanation of a seed with its row of the table, `base` being the run's."""
    for found in explained:
        mixture = found.operation if len(explained) > 1 else None
        yield base | row_of(found) | {"mixture_operation": mixture}, found


def _reason(base: Row, broken: Exception) -> str:
    """Return in one line why a network could not be explained."""
    if isinstance(broken, GrokscopeError):
        why = broken.line
    else:
        why = f"{type(broken).__name__}: {quote(str(broken))}"
    diverged = base.get("status") == "diverged" and "diverged" not in why
    return f"it diverged; {why}" if diverged else why


def _csv(table: pa.Table) -> bytes:
    """Return a table as CSV, with lists as numbers that blanks part."""
    for i, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            texts = [
                None if v is None else " ".join(f"{x:.6g}" for x in v)
                for v in table[field.name].to_pylist()
            ]
            table = table.set_column(i, field.name, pa.array(texts, pa.string()))
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, sink)
    return sink.getvalue().to_pybytes()
