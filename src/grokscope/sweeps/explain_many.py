"""Explain many runs: what is kept is read, the rest is made, and all of it becomes one table."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv

from grokscope.config.arguments import plain_arguments
from grokscope.disk.atomic import write_bytes
from grokscope.disk.folder import RunFolder
from grokscope.disk.listing import Selection, paths_of, select
from grokscope.disk.sweep_folder import rows_of, to_parquet, to_table
from grokscope.disk.tables import require_tables
from grokscope.errors import GrokscopeError, UsageError, quote
from grokscope.explanation.circuit import Effort
from grokscope.explanation.of_file import explain_file
from grokscope.explanation.of_run import explain_networks as explain_run
from grokscope.explanation.result import Explanation
from grokscope.explanation.store import COLUMNS, read_or_explain, row_of
from grokscope.progress import part_of, showing

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
                new = _explained(path, base, keep=keep, warn=warn, options=options)
                found += new
                hear([row for row, _ in new])
    if not found:
        raise UsageError("no run has such a seed", got=" ".join(map(str, seeds or ())))
    return Explanations(found)


def _explained(
    path: Path, base: Row, *, keep: bool, warn: Callable[[str], None], options: dict[str, Any]
) -> list[tuple[Row, Explanation | None]]:
    """Return the rows of one seed of a run with their explanations, or one that says why not."""
    try:
        if base.get("p") is None:
            raise UsageError(base["error"])
        explained = (
            read_or_explain(RunFolder.open(path), base["seed"], warn)
            if keep
            else explain_run(path, seeds=[base["seed"]], **options)
        )
        return list(_rows(base, explained))
    except _BROKEN as broken:
        return [(base | {"why_not": _reason(base, broken)}, None)]


@plain_arguments
def explain(
    runs: Any,
    *,
    seeds: Sequence[int] | None = None,
    step: int | None = None,
    by: str | None = None,
    effort: Effort | None = None,
    thorough: bool = True,
    operation: str | None = None,
    p: int | None = None,
    axis: int | None = None,
    tables: Sequence[str] = (),
    quiet: bool = False,
) -> Explanations:
    """Say which algorithm the networks of one run, or of many, found, with causal evidence.

    A file with tables is explained as `grokscope.explanation.of_file.explain_file` does. Of several
    runs, what `explanation.json` keeps of the last checkpoint is not made again, what is made is
    kept, and the table is written into the sweep, where one sweep is named.

        >>> gs.explain("runs/x-y-p23", seeds=[0], quiet=True)[0].operation
        'x*y'

    **Arguments:**

    - `runs`: what `gs.train` or `gs.sweep` returns, the path of a run or a sweep, or a list of
      them; or the path of a file.
    - `seeds`: which seeds; by default all.
    - `step`: which checkpoint; by default the last of each seed.
    - `by`: the operation whose structure is used; by default its own. Another one is a control:
      nothing should be found.
    - `effort`: how often nulls and controls are drawn.
    - `thorough`: whether to run the analyses that the verdict does not need.
    - `operation`, `p`, `axis`, `tables`: of a file: what was trained, the modulus, which axis holds
      the residues, and which tables are meant.
    - `quiet`: do not show what is being done.

    **Returns:** a list of the explanations, in the order of the runs, their seeds and operations,
    whose `table` has a row for each network, also for those that could not be explained.

    **Raises:** `UsageError` for a folder, seed or step that is not there; of several runs, one
    that is broken only has a row that says so.
    """
    options = {"step": step, "by": by, "effort": effort, "thorough": thorough}
    with showing(quiet=quiet):
        several, paths = isinstance(runs, list | tuple), paths_of(runs)
        if not several and paths[0].is_file():
            return _of_file(paths[0], operation, p=p, axis=axis, tables=tables, by=by)
        selection = select(paths)
        if selection.is_one_run and not several:
            (path,) = selection.runs
            made = explain_run(path, seeds=seeds, **options)
            bases = {base["seed"]: base | {"run": str(path)} for base in rows_of(path)}
            return Explanations(
                [
                    pair
                    for seed, base in bases.items()
                    for pair in _rows(base, [e for e in made if e.seed == seed])
                ]
            )
        plain = (step, by, effort, thorough) == (None, None, None, True)
        found = explain_many(selection, seeds=seeds, keep=plain, **options)
        if selection.sweep is not None and seeds is None and plain:
            found.write(selection.sweep)
        return found


def _of_file(path: Path, operation: str | None, **options: Any) -> Explanations:
    require_tables(path)
    if operation is None:
        raise UsageError(
            "a file needs its operation", got=str(path), allowed='for example operation="x*y"'
        )
    found = explain_file(path, operation, **options)
    return Explanations([({"run": str(path)} | row_of(e), e) for e in found])


def _rows(base: Row, explained: Sequence[Explanation]) -> Iterator[tuple[Row, Explanation | None]]:
    for found in explained:
        mixture = found.operation if len(explained) > 1 else None
        yield base | row_of(found) | {"mixture_operation": mixture}, found


def _reason(base: Row, broken: Exception) -> str:
    """Return in one line why a network could not be explained."""
    if isinstance(broken, GrokscopeError):
        why = str(broken)
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
