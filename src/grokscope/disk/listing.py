"""The runs that somebody names, and the runs in a folder, one line each."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from grokscope.disk.atomic import absolute_path, names_in, path_in_words, path_of
from grokscope.disk.curves import Recorded
from grokscope.disk.explanations import kept_documents
from grokscope.disk.folder import (
    CHECKPOINTS_NAME,
    MANIFEST_NAME,
    METRICS_NAME,
    STATE_NAME,
    RunFolder,
)
from grokscope.disk.lock import is_locked
from grokscope.disk.manifest import all_settings, differing, sort_key
from grokscope.disk.sweep_folder import is_sweep, runs_in
from grokscope.disk.transfer import transfer_words
from grokscope.errors import RunFolderError, UsageError, line_of, quote


@dataclass(frozen=True)
class Selection:
    """Some runs, each once, in the order in which they were named."""

    runs: dict[Path, str | None]
    """Their folders; of a run of a sweep that failed, with the error."""
    sweep: Path | None = None
    """The sweep, where one alone was named."""

    @property
    def is_one_run(self) -> bool:
        """Whether a single run was named, and not as the only one of a sweep."""
        return len(self.runs) == 1 and self.sweep is None


def paths_of(runs: Any) -> list[Path]:
    """Return the folders of runs and sweeps: of one, or of a list of them.

    **Arguments:** a path, a folder that was opened, or what a training returned; or several.

    **Raises:** `UsageError` for anything else.
    """
    several = isinstance(runs, list | tuple | Iterator)
    return [path_of(run) for run in (runs if several else [runs])]


def select(paths: Iterable[Path]) -> Selection:
    """Return the runs in these folders; one that is named twice is there once.

    **Raises:** `RunFolderError` for a folder that is neither a run nor a sweep, and for a sweep
    without runs; `UsageError` for no folder.
    """
    named = list(paths)
    if not named:
        raise UsageError("no run is named", next_step="name one or more runs or sweeps")
    found: dict[Path, tuple[Path, str | None]] = {}
    for path in named:
        for run, error in _runs(path).items():
            found.setdefault(run.resolve(), (run, error))
    alone = len({path.resolve() for path in named}) == 1 and is_sweep(named[0])
    return Selection(dict(found.values()), named[0] if alone else None)


def in_order(runs: Sequence[Path]) -> list[Path]:
    """Return run folders by the settings that differ between them; those without any last."""
    found = {run: _settings(run) for run in runs}
    known = [settings for settings in found.values() if settings is not None]
    names = differing(known)

    def place(run: Path) -> tuple[bool, list[tuple[int, float, str]]]:
        settings = found[run]
        return settings is None, [] if settings is None else [
            sort_key(settings.get(n)) for n in names
        ]

    return sorted(runs, key=place)


def _settings(run: Path) -> dict[str, Any] | None:
    try:
        return all_settings(RunFolder.open(run).manifest)
    except (RunFolderError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _runs(path: Path) -> dict[Path, str | None]:
    if is_sweep(path):
        runs = runs_in(path)
        if not runs:
            raise RunFolderError(
                f"{path_in_words(path)} has no runs yet", next_step="grokscope sweep trains them"
            )
        return {run: runs[run] for run in in_order(list(runs))}
    if MANIFEST_NAME not in names_in(path):
        raise RunFolderError(
            f"{path_in_words(path)} is not a run folder: it has no {MANIFEST_NAME}",
            next_step="`grokscope runs DIR` lists the runs in a folder",
        )
    return {path: None}


_DEEPEST: Final = 3
"""Folders below the one that is listed, in which runs are looked for."""
KILLED: Final = "interrupted (killed)"


@dataclass(frozen=True)
class RunSummary:
    """One run of a listing; a damaged one has only `path` and `error`."""

    path: Path
    error: str | None = None
    operation: str = ""
    p: int | None = None
    train_fraction: float | None = None
    label_noise: float = 0.0
    """Share of the training answers that are wrong; train accuracy counts them as right."""
    seeds: tuple[int, ...] = ()
    transfer: str | None = None
    """Which weights were taken over from which run, in words."""
    state: str = ""
    """The manifest's status; `running` only while a process holds the lock, if there are locks."""
    step: int | None = None
    """Last evaluated step."""
    grokked_at: dict[int, int | None] = field(default_factory=dict)
    """Per seed; None where it is not confirmed."""
    train_accuracy: float | None = None
    test_accuracy: float | None = None
    unleaked_accuracy: float | None = None
    ffs: dict[str, float] = field(default_factory=dict)
    """Per matrix, W_E and W_L."""
    fcr: dict[str, float] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    """Every setting by name, with the operation and the seeds."""
    explained: list[dict[str, Any]] = field(default_factory=list)
    """What is kept of each seed's last checkpoint: seed, operation, verdict, keys of W_E, W_L."""
    age: float | None = None
    """Seconds since the manifest was last written."""


def no_folder_error(folder: Any) -> RunFolderError:
    """Return the error of a folder of runs that is not there."""
    return RunFolderError(
        "there is no such folder of runs",
        got=str(folder),
        next_step='grokscope train "x + y" makes one',
    )


def list_runs(folder: Any, read: Callable[[Path], RunSummary] | None = None) -> list[RunSummary]:
    """Return the runs in `folder` and in the sweeps and folders below it, those inside it first.

    None where there is no such folder. Runs of one folder are in the order of their names, those
    of a sweep by the settings that differ.

    **Arguments:**

    - `folder`: where to look.
    - `read`: leads the path of a run to its line, by default `summary_of`.

    **Raises:** `RunFolderError` when `folder` itself cannot be read.
    """
    folder = absolute_path(path_of(folder))
    names_in(folder, missing_ok=True)
    return _inside(folder, _DEEPEST, read or summary_of)


def _inside(folder: Path, deep: int, read: Callable[[Path], RunSummary]) -> list[RunSummary]:
    if is_sweep(folder):
        runs = runs_in(folder)
        found = [read(path) for path in in_order(list(runs)) if path.exists()]
        return found + [RunSummary(path, e) for path, e in runs.items() if not path.exists()]
    paths = sorted((folder / n for n in names_in(folder, missing_ok=True)), key=_by_name)
    found = [read(path) for path in paths if _looks_like_a_run(path)]
    for path in paths if deep else []:
        if not path.name.startswith(".") and path.is_dir() and not _looks_like_a_run(path):
            found += _inside(path, deep - 1, read)
    return found


def _by_name(path: Path) -> list[tuple[int, int, str]]:
    """Return a key that sorts `run-2` before `run-10`."""
    parts = re.findall(r"[0-9]+|[^0-9]+", path.name)
    return [(0, int(p), "") if p.isascii() and p.isdigit() else (1, 0, p) for p in parts]


def _looks_like_a_run(path: Path) -> bool:
    try:
        names = names_in(path) if path.is_dir() else []
    except (OSError, RunFolderError):
        return True  # listed with the reason why it cannot be read
    return not {MANIFEST_NAME, METRICS_NAME, CHECKPOINTS_NAME, STATE_NAME}.isdisjoint(names)


def summary_of(path: Path) -> RunSummary:
    """Return the line of one run; of one that is damaged the reason."""
    # The lock before the manifest: a run that ends in between then shows its end.
    locked = is_locked(path)
    try:
        return _readable(RunFolder.open(path), locked)
    except RunFolderError as error:
        return RunSummary(path, error=error.line)
    # A manifest or part that is intact but of another shape than ours.
    except (pa.ArrowException, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{path_in_words(path)} cannot be read as a run: {quote(line_of(error))}"
        return RunSummary(path, error=reason)


def _readable(run: RunFolder, locked: bool | None) -> RunSummary:
    manifest, task = run.manifest, run.manifest.config["task"]
    values, step = _final_values(run)
    killed = manifest.status == "running" and locked is False
    return RunSummary(
        path=run.path,
        operation=manifest.operation,
        p=task["p"],
        train_fraction=task["train_fraction"],
        label_noise=task.get("label_noise", 0.0),
        seeds=tuple(manifest.seeds),
        transfer=transfer_words(manifest),
        state=KILLED if killed else manifest.status,
        step=step,
        grokked_at={result["seed"]: result["grokked_at"] for result in manifest.results},
        train_accuracy=values.get(("train_accuracy", None)),
        test_accuracy=values.get(("test_accuracy", None)),
        unleaked_accuracy=values.get(("unleaked_accuracy", None)),
        ffs=_per_matrix(values, "ffs"),
        fcr=_per_matrix(values, "fcr"),
        settings=all_settings(manifest),
        explained=[_in_short(e) for seed in manifest.seeds for e in kept_documents(run, seed)],
        age=_seconds_since(manifest.times["updated"]),
    )


def _in_short(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "seed": document["seed"],
        "operation": document["operation"],
        "verdict": document["verdict"],
        "keys_W_E": document["embedding"]["key_frequencies"],
        "keys_W_L": document["readout"]["key_frequencies"],
    }


def _final_values(run: RunFolder) -> tuple[dict[tuple[str, str | None], float], int | None]:
    """Return the last value of each measure, the mean over the seeds that have one, and its step.

    Of the whole network, and of measures in the additive basis.
    """
    curves = Recorded(run.metrics()).curves()
    steps = [int(c.steps[-1]) for of_seeds in curves.values() for c in of_seeds.values()]
    lasts = {key: [float(c.values[-1]) for c in found.values()] for key, found in curves.items()}
    known = {key: [v for v in found if not math.isnan(v)] for key, found in lasts.items()}
    values = {key: sum(found) / len(found) for key, found in known.items() if found}
    return values, max(steps, default=None)


def _per_matrix(values: Mapping[tuple[str, str | None], float], key: str) -> dict[str, float]:
    return {
        matrix: value
        for (measure, matrix), value in sorted(values.items(), key=str)
        if measure == key and matrix
    }


def _seconds_since(moment: str) -> float:
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())
