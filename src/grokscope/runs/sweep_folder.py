"""The folder of a sweep: its description, its runs, and what failed.

sweep.toml               what to train
runs/NAME/               ordinary run folders
failures/NAME.json       runs that failed, with the error
logs/                    what the worker processes wrote to standard error
index.parquet            one row per run; can always be made again from the runs
"""

import contextlib
import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import pyarrow as pa

from grokscope.errors import DiskError, RunFolderError
from grokscope.runs.atomic import make_folder, names_in, read_bytes, remove, shown, write_bytes
from grokscope.runs.lock import exclusive
from grokscope.runs.manifest import now

SPEC_NAME: Final = "sweep.toml"
RUNS_NAME: Final = "runs"
FAILURES_NAME: Final = "failures"
LOGS_NAME: Final = "logs"
INDEX_NAME: Final = "index.parquet"


class SweepFolder:
    """A sweep on the disk; made by `create` or `open`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: str | Path) -> "SweepFolder":
        """Return the sweep in `path`, made when there is nothing yet.

        **Raises:** `RunFolderError` where something else lies there; `DiskError` when it cannot
        be written.
        """
        path = Path(path)
        for part in (path, *path.parents):
            if part.is_file():
                raise RunFolderError(f"{shown(part)} is a file, not a folder",
                                     next_step="choose another --out")  # fmt: skip
        make_folder(path)
        names = [name for name in names_in(path) if not name.startswith(".")]
        if names and SPEC_NAME not in names:
            raise RunFolderError(f"{shown(path)} is not empty and not a sweep", got=names[0],
                                 next_step="choose another --out")  # fmt: skip
        return cls(path)

    @classmethod
    def open(cls, path: str | Path) -> "SweepFolder":
        """Return the sweep in `path`; raises `RunFolderError` when there is none."""
        path = Path(path)
        if not is_sweep(path):
            raise RunFolderError(f"{shown(path)} is not a sweep: it has no {SPEC_NAME}",
                                 next_step="grokscope sweep SPEC.toml makes one")  # fmt: skip
        return cls(path)

    def lock(self) -> AbstractContextManager[None]:
        """Return the lock to hold while writing; see `exclusive`."""
        return exclusive(self.path)

    @property
    def runs(self) -> Path:
        """The folder of the run folders."""
        return self.path / RUNS_NAME

    @property
    def spec_text(self) -> str:
        """The description, as TOML; raises `RunFolderError` when it cannot be read."""
        return read_bytes(self.path / SPEC_NAME).decode(errors="replace")

    def write_spec(self, text: str) -> None:
        """Replace the description; raises `DiskError`."""
        write_bytes(self.path / SPEC_NAME, text.encode())

    @property
    def failures(self) -> dict[str, str]:
        """The errors of the runs that failed, by name."""
        return failures(self.path)

    def index(self) -> pa.Table:
        """Return one row per run, made from the run folders; see `build_index`."""
        from grokscope.runs.sweep_index import build_index

        return build_index(self.path)

    def write_index(self) -> Path:
        """Write `index.parquet` and return its path; raises `DiskError`."""
        from grokscope.runs.sweep_index import to_parquet

        write_bytes(self.path / INDEX_NAME, to_parquet(self.index()))
        return self.path / INDEX_NAME


def is_sweep(path: Path) -> bool:
    """Whether a sweep lies in `path`."""
    try:
        return (path / SPEC_NAME).is_file()
    except OSError:
        return False


def record_failure(folder: Path, name: str, error: str) -> None:
    """Keep the error of a run that failed; on a full disk it is only told, not kept."""
    text = json.dumps({"name": name, "error": error, "at": now()}, ensure_ascii=False)
    with contextlib.suppress(DiskError):
        write_bytes(_failure(folder, name), f"{text}\n".encode())


def forget_failure(folder: Path, name: str) -> None:
    """Remove what was kept of a failure, when the run is tried again or done."""
    if _failure(folder, name).exists():
        remove([_failure(folder, name)])


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
