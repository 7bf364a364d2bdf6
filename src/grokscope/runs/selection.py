"""The runs that somebody names: run folders, and sweeps, which stand for all their runs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokscope.errors import RunFolderError, UsageError
from grokscope.runs.atomic import names_in, path_of, shown
from grokscope.runs.differences import all_settings, differing, order
from grokscope.runs.folder import MANIFEST_NAME, RunFolder
from grokscope.runs.sweep_index import runs_in
from grokscope.runs.sweep_parts import is_sweep


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
        return settings is None, [] if settings is None else [order(settings.get(n)) for n in names]

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
            raise RunFolderError(f"{shown(path)} has no runs yet",
                                 next_step="grokscope sweep trains them")  # fmt: skip
        return {run: runs[run] for run in in_order(list(runs))}
    if MANIFEST_NAME not in names_in(path):
        raise RunFolderError(
            f"{shown(path)} is not a run folder: it has no {MANIFEST_NAME}",
            next_step="`grokscope runs DIR` lists the runs in a folder",
        )
    return {path: None}
