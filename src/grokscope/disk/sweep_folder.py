"""The folder of a sweep: what lies in it, its index of runs, and the record of what failed."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from grokscope.disk.atomic import (
    absolute_path,
    make_folder,
    names_in,
    path_in_words,
    read_bytes,
    remove_files,
    utf8_bytes,
    write_bytes,
)
from grokscope.disk.curves import Recorded
from grokscope.disk.folder import MANIFEST_NAME, METRICS_NAME, RunFolder
from grokscope.disk.lock import LockedFolder, is_locked
from grokscope.disk.manifest import Manifest, differing, now, settings_of
from grokscope.disk.metrics import METRIC_SCHEMA, last_part, read_parts
from grokscope.errors import DiskError, RunFolderError, UsageError, quote

SPEC_NAME: Final = "sweep.toml"
RUNS_NAME: Final = "runs"
FAILURES_NAME: Final = "failures"
LOGS_NAME: Final = "logs"
INDEX_NAME: Final = "index.parquet"


def is_sweep(path: Path) -> bool:
    """Whether a sweep lies in `path`."""
    try:
        return (path / SPEC_NAME).is_file()
    except OSError:
        return False


def record_failure(folder: Path, name: str, error: str) -> None:
    """Keep the error of a run that failed; it is only told where the disk is full, or the sweep
    is no longer there."""
    text = json.dumps({"name": name, "error": error, "at": now()}, ensure_ascii=False)
    with contextlib.suppress(DiskError):
        write_bytes(_failure(folder, name), utf8_bytes(f"{text}\n"), inside=folder)


def forget_failure(folder: Path, name: str) -> None:
    """Remove what was kept of a failure, when the run is tried again or done."""
    if _failure(folder, name).exists():
        remove_files([_failure(folder, name)])


def failures(folder: Path) -> dict[str, str]:
    """Return the errors of the runs that failed, by name."""
    found = {}
    for file in names_in(folder / FAILURES_NAME, missing_ok=True):
        if file.endswith(".json") and not file.startswith("."):
            found[file.removesuffix(".json")] = _error_in(folder / FAILURES_NAME / file)
    return found


def _error_in(path: Path) -> str:
    try:
        return str(json.loads(path.read_text())["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return "failed, and the record of it cannot be read"


def _failure(folder: Path, name: str) -> Path:
    return folder / FAILURES_NAME / f"{name}.json"


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


def build_index(path: str | Path) -> pa.Table:
    """Return one row per run of a sweep, or of any folder of runs; several seeds have a row each.

    Columns: name, operation, p, train_fraction, seed; every setting that differs between the
    runs, lists as text (`steps` as `max_steps`); status, memorised_at, grokked_at, diverged_at,
    steps, the last train, test and unleaked accuracy, training_seconds, error. A run that failed
    or cannot be read has its error and nulls.

    **Raises:** `RunFolderError` when the folder itself cannot be read.
    """
    return to_table([row for run, error in runs_in(path).items() for row in rows_of(run, error)])


def runs_in(path: str | Path) -> dict[Path, str | None]:
    """Return the run folders of a sweep, or of any folder of runs, by name, with their errors.

    Of a sweep, also those that failed before they had a folder.

    **Raises:** `RunFolderError` when the folder itself cannot be read.
    """
    path = Path(path)
    errors = failures(path) if is_sweep(path) else {}
    runs = path / RUNS_NAME if is_sweep(path) else path
    names = [
        name
        for name in names_in(runs, missing_ok=is_sweep(path))
        if not name.startswith(".") and (name in errors or (runs / name / MANIFEST_NAME).exists())
    ]
    names += [name for name in errors if name not in names]
    return {runs / name: errors.get(name) for name in names}


def to_parquet(table: pa.Table) -> bytes:
    """Return a table as the bytes of a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def _failed(name: str, error: str | None) -> dict[str, Any]:
    return {"name": name, "status": "failed", "error": error}


def rows_of(run: Path, error: str | None = None) -> list[dict[str, Any]]:
    """Return the rows of one run folder, one per seed, with all its settings; see `build_index`.

    **Arguments:** the folder; what is known of a failure, which an unfinished run then has.
    """
    if error is not None and not (run / MANIFEST_NAME).exists():
        return [_failed(run.name, error)]
    locked = is_locked(run)
    try:
        manifest = RunFolder.open(run).manifest
        return [_row(run, manifest, seed, locked, error) for seed in manifest.seeds]
    except RunFolderError as damage:
        return [_failed(run.name, error or str(damage))]
    # A manifest or part that is intact but of another shape than ours.
    except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as damage:
        reason = f"{path_in_words(run)} cannot be read as a run: {quote(str(damage))}"
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
        **settings_of(manifest.config),
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
    curves = Recorded(parts).curves()
    found = {name: curves.get((name, None), {}).get(seed) for name in _ACCURACIES}
    return {name: None if c is None else float(c.values[-1]) for name, c in found.items()}


def settings_in(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a row of `rows_of`, operation and seed among them."""
    others = {"name", *(name for name, _ in _AFTER)}
    return {name: value for name, value in row.items() if name not in others}


def to_table(
    rows: Sequence[Mapping[str, Any]], more: Sequence[tuple[str, pa.DataType]] = ()
) -> pa.Table:
    """Return rows of `rows_of` as a table, with those settings that differ between them.

    **Arguments:** the rows; further columns that they have, with their kinds.
    """
    ours = {name for name, _ in (*_BEFORE, *_AFTER, *more)}
    trained = [row for row in rows if row.get("p") is not None]
    settings = differing([{k: v for k, v in row.items() if k not in ours} for row in trained])
    rows = [{name: _as_text(value) for name, value in row.items()} for row in rows]
    columns = {name: pa.array([row.get(name) for row in rows], kind) for name, kind in _BEFORE}
    for name in settings:
        columns[name] = _column([row.get(name) for row in rows])
    after = (*_AFTER, *more)
    columns |= {name: pa.array([row.get(name) for row in rows], kind) for name, kind in after}
    return pa.table(columns)


def _as_text(value: Any) -> Any:
    """Return a value; of a text, the bytes of a path that are no text as escapes."""
    return utf8_bytes(value).decode() if isinstance(value, str) else value


def _column(values: list[Any]) -> pa.Array:
    """Return values of one setting as a column; where their kinds differ, as text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and len(kinds) == 2:
        values = [None if value is None else float(value) for value in values]
    elif len(kinds) > 1:
        values = [None if value is None else str(value) for value in values]
    return pa.array(values)


class SweepFolder(LockedFolder):
    """A sweep on the disk; made by `create` or `open`."""

    @classmethod
    def create(cls, path: str | Path, *, lock: bool = True) -> "SweepFolder":
        """Return the sweep in `path`, made when there is nothing yet.

        **Arguments:**

        - `lock`: False writes also where the file system has no locks.

        **Raises:** `RunFolderError` where something else lies there; `DiskError` when it cannot
        be written.
        """
        path = absolute_path(path)
        for part in (path, *path.parents):
            if part.is_file():
                raise RunFolderError(
                    f"{path_in_words(part)} is a file, not a folder",
                    next_step="choose another --out",
                )
        make_folder(path)
        names = [name for name in names_in(path) if not name.startswith(".")]
        if names and SPEC_NAME not in names:
            raise RunFolderError(
                f"{path_in_words(path)} is not empty and not a sweep",
                got=names[0],
                next_step="choose another --out",
            )
        return cls(path, lock=lock)

    @classmethod
    def open(cls, path: str | Path) -> "SweepFolder":
        """Return the sweep in `path`; raises `RunFolderError` when there is none."""
        path = absolute_path(path)
        if not is_sweep(path):
            raise RunFolderError(
                f"{path_in_words(path)} is not a sweep: it has no {SPEC_NAME}",
                next_step="grokscope sweep SPEC.toml makes one",
            )
        return cls(path)

    @property
    def runs(self) -> Path:
        """The folder of the run folders."""
        return self.path / RUNS_NAME

    @property
    def spec_text(self) -> str:
        """The description, as TOML; raises `RunFolderError` when it cannot be read."""
        return read_bytes(self.path / SPEC_NAME).decode(errors="replace")

    def write_spec(self, text: str) -> None:
        """Replace the description; raises `DiskError`, and `UsageError` for what is no text."""
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                "a sweep's description cannot hold a path that is not UTF-8",
                next_step="give that file or folder another name",
            ) from error
        write_bytes(self.path / SPEC_NAME, data, inside=self.path)

    @property
    def failures(self) -> dict[str, str]:
        """The errors of the runs that failed, by name."""
        return failures(self.path)

    def index(self) -> pa.Table:
        """Return one row per run, made from the run folders; see `build_index`."""
        return build_index(self.path)

    def write_index(self) -> Path:
        """Write `index.parquet` and return its path; raises `DiskError`."""
        data = to_parquet(self.index())
        write_bytes(self.path / INDEX_NAME, data, inside=self.path)
        return self.path / INDEX_NAME
