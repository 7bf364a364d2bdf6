"""The index of a sweep: one row per run and seed, made from the run folders alone."""

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from grokscope.errors import RunFolderError, quote
from grokscope.runs.atomic import names_in, shown
from grokscope.runs.folder import MANIFEST_NAME, METRICS_NAME, RunFolder
from grokscope.runs.lock import is_locked
from grokscope.runs.manifest import Manifest
from grokscope.runs.metrics import METRIC_SCHEMA, last_part, read_parts
from grokscope.runs.sweep_parts import RUNS_NAME, failures, is_sweep

_ACCURACIES: Final = ("train_accuracy", "test_accuracy", "unleaked_accuracy")
_BEFORE: Final = (
    ("name", pa.string()),
    ("operation", pa.string()),
    ("p", pa.int64()),
    ("train_fraction", pa.float64()),
    ("seed", pa.int64()),
)
_AFTER: Final = (
    ("status", pa.string()),
    ("memorised_at", pa.int64()),
    ("grokked_at", pa.int64()),
    ("diverged_at", pa.int64()),
    ("steps", pa.int64()),
    *((name, pa.float64()) for name in _ACCURACIES),
    ("training_seconds", pa.float64()),
    ("error", pa.string()),
)
_KNOWN: Final = ("expressions", *(name for name, _ in _BEFORE))


def build_index(path: str | Path) -> pa.Table:
    """Return one row per run of a sweep, or of any folder of runs; several seeds have a row each.

    Columns: name, operation, p, train_fraction, seed; every setting that differs between the
    runs, lists as text (`steps` as `max_steps`); status, memorised_at, grokked_at, diverged_at,
    steps, the last train, test and unleaked accuracy, training_seconds, error. A run that failed
    or cannot be read has its error and nulls.

    **Raises:** `RunFolderError` when the folder itself cannot be read.
    """
    path = Path(path)
    errors = failures(path) if is_sweep(path) else {}
    runs = path / RUNS_NAME if is_sweep(path) else path
    names = [
        name for name in names_in(runs, missing_ok=is_sweep(path))
        if not name.startswith(".") and (name in errors or (runs / name / MANIFEST_NAME).exists())
    ]  # fmt: skip
    rows = [row for name in names for row in _rows(runs / name, errors.get(name))]
    rows += [_failed(name, error) for name, error in errors.items() if name not in names]
    return _table(rows)


def to_parquet(table: pa.Table) -> bytes:
    """Return a table as the bytes of a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def _failed(name: str, error: str | None) -> dict[str, Any]:
    return {"name": name, "status": "failed", "error": error}


def _rows(run: Path, error: str | None) -> list[dict[str, Any]]:
    """Return the rows of one run folder, one per seed."""
    locked = is_locked(run)
    try:
        manifest = RunFolder.open(run).manifest
        return [_row(run, manifest, seed, locked, error) for seed in manifest.seeds]
    except RunFolderError as damage:
        return [_failed(run.name, error or str(damage))]
    # A manifest or part that is intact but of another shape than ours.
    except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as damage:
        reason = f"{shown(run)} cannot be read as a run: {quote(str(damage))}"
        return [_failed(run.name, error or reason)]


def _row(
    run: Path, manifest: Manifest, seed: int, locked: bool | None, error: str | None
) -> dict[str, Any]:
    result = next((r for r in manifest.results if r["seed"] == seed), {})
    status = result.get("status", manifest.status)
    if manifest.status in ("running", "interrupted"):
        running = manifest.status == "running" if locked is None else locked
        status = "running" if running else "interrupted"
        if error is not None and not locked:
            status = "failed"
    task = manifest.config["task"]
    return {
        **_settings(manifest.config),
        "name": run.name,
        "operation": manifest.operation,
        "p": task["p"],
        "train_fraction": task["train_fraction"],
        "seed": seed,
        "status": status,
        **{k: result.get(k) for k in ("memorised_at", "grokked_at", "diverged_at", "steps")},
        **_last_accuracies(run / METRICS_NAME, seed, alone=len(manifest.seeds) == 1),
        "training_seconds": manifest.times["training_seconds"],
        "error": error if status == "failed" else None,
    }


def _last_accuracies(folder: Path, seed: int, *, alone: bool) -> dict[str, float | None]:
    """Return the newest accuracies of one seed; of a single seed they are in the last part."""
    parts = last_part(folder, METRIC_SCHEMA) if alone else read_parts(folder, METRIC_SCHEMA)
    found: dict[str, float | None] = dict.fromkeys(_ACCURACIES)
    newest = -1
    for row in parts.select(["seed", "step", "measure", "operation", "value"]).to_pylist():
        whole = row["seed"] == seed and row["operation"] is None
        if whole and row["measure"] in found and row["step"] >= newest:
            newest = row["step"]
            found[row["measure"]] = row["value"]
    return found


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that have no column of their own, by name, as a column can hold them."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        flat |= value if isinstance(value, dict) else {name: value}
    flat = {k: v for k, v in flat.items() if k not in _KNOWN and k != "seeds"}
    flat["max_steps"] = flat.pop("steps")
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list | dict) else value
        for name, value in flat.items()
    }


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return the rows as a table, with those settings that differ between them."""
    ours = {name for name, _ in (*_BEFORE, *_AFTER)}
    trained = [row for row in rows if row.get("p") is not None]
    names = sorted({name for row in trained for name in row} - ours)
    differing = [name for name in names if len({repr(row.get(name)) for row in trained}) > 1]
    columns = {name: pa.array([row.get(name) for row in rows], kind) for name, kind in _BEFORE}
    for name in differing:
        columns[name] = _column([row.get(name) for row in rows])
    columns |= {name: pa.array([row.get(name) for row in rows], kind) for name, kind in _AFTER}
    return pa.table(columns)


def _column(values: list[Any]) -> pa.Array:
    """Return values of one setting as a column; where their kinds differ, as text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and len(kinds) == 2:
        values = [None if value is None else float(value) for value in values]
    elif len(kinds) > 1:
        values = [None if value is None else str(value) for value in values]
    return pa.array(values)
