"""What lies in the folder of a sweep, and the record of what failed.

sweep.toml               what to train
runs/NAME/               ordinary run folders
failures/NAME.json       runs that failed, with the error
logs/                    what the worker processes wrote to standard error
index.parquet            one row per run; can always be made again from the runs
"""

import contextlib
import json
from pathlib import Path
from typing import Final

from grokscope.errors import DiskError
from grokscope.runs.atomic import names_in, remove, utf8, write_bytes
from grokscope.runs.manifest import now

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
        write_bytes(_failure(folder, name), utf8(f"{text}\n"), inside=folder)


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
