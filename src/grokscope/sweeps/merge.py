"""Taking over runs that were trained elsewhere: another sweep, or plain run folders."""

import contextlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from grokscope.config.run import RunConfig
from grokscope.disk.atomic import disk_errors, make_folder, names_in, path_in_words
from grokscope.disk.folder import MANIFEST_NAME, RunFolder
from grokscope.disk.lock import LOCK_NAME, is_locked
from grokscope.disk.manifest import Manifest
from grokscope.disk.sweep_folder import RUNS_NAME, SweepFolder, forget_failure, is_sweep
from grokscope.disk.transfer import weights_taken, weights_to_take
from grokscope.errors import GrokscopeError, RunFolderError
from grokscope.runner.identity import identity
from grokscope.sweeps.job import ENDED, Job, is_done, verify_run

_NEW: Final = ".merging-"
_OLD: Final = ".replaced-"


@dataclass
class Merged:
    """What became of the runs of another folder."""

    names: list[str] = field(default_factory=list)
    """Those taken, by the names that they have in this sweep."""
    here: int = 0
    """Runs that this sweep has already, as far or further."""
    unfinished: int = 0
    """Runs of this sweep that still train there, or were interrupted."""
    others: int = 0
    """Runs that this sweep does not have."""
    errors: list[str] = field(default_factory=list)
    """Folders that could not be read or copied, with the reason."""
    done: list[str] = field(default_factory=list)
    """Those of `names` that have nothing left to train."""


def merge_runs(
    jobs: Sequence[Job], sweep: SweepFolder, source: Path, *, copy: bool = True
) -> Merged:
    """Copy those runs of `source` that are jobs of the sweep, have ended, and are not done here.

    They are told by their configuration, whatever their folders are called, and by the weights
    that they took over, wherever those came from; `source` is only read. A run that ended
    undecided with fewer steps than the sweep wants is taken, and goes on.

    **Arguments:**

    - `source`: a sweep, or a folder of run folders.
    - `copy`: False writes nothing, and only says what would be taken.

    **Raises:** `RunFolderError` when `source` cannot be read or is the sweep itself.
    """
    if source.resolve() == sweep.path.resolve():
        raise RunFolderError("a sweep cannot be merged into itself", got=str(source))
    if copy:
        make_folder(sweep.runs)
        remove_unfinished_merge(sweep)
    by_key, found = {_job_key(job.config): job for job in jobs}, Merged()
    folder = source / RUNS_NAME if is_sweep(source) else source
    for name in names_in(folder):
        if name.startswith(".") or not (folder / name / MANIFEST_NAME).exists():
            continue
        try:
            _consider(folder / name, by_key, sweep, found, copy)
        except GrokscopeError as error:
            found.errors.append(error.line)
    return found


def remove_unfinished_merge(sweep: SweepFolder) -> None:
    """Remove what a killed merge left behind."""
    for name in names_in(sweep.runs, missing_ok=True):
        if name.startswith(_OLD) and not (sweep.runs / name.removeprefix(_OLD)).exists():
            (sweep.runs / name).rename(sweep.runs / name.removeprefix(_OLD))
        elif name.startswith((_NEW, _OLD)):
            shutil.rmtree(sweep.runs / name)


def _consider(
    run: Path, by_key: Mapping[str, Job], sweep: SweepFolder, found: Merged, copy: bool
) -> None:
    locked = is_locked(run)
    manifest = RunFolder.open(run).manifest
    config = RunConfig.from_json(manifest.config)
    job = by_key.get(identity(config, weights_taken(manifest)))
    if job is None:
        found.others += 1
    elif locked or manifest.status not in ENDED:
        found.unfinished += 1
    elif job.name in found.done or _no_further(manifest, job, sweep.runs / job.name):
        found.here += 1
    else:
        _verify(run)
        if copy:
            _copy(run, sweep.runs, job.name)
            forget_failure(sweep.path, job.name)
        found.names.append(job.name)
        if is_done(manifest, job.config):
            found.done.append(job.name)


def _job_key(config: RunConfig) -> str:
    """Return the key of the run that a configuration makes; its source may not be there yet."""
    try:
        return identity(config, weights_to_take(config))
    except GrokscopeError:
        return identity(config)


def _no_further(theirs: Manifest, job: Job, ours: Path) -> bool:
    """Whether the run that lies here is done, or theirs would not bring it further."""
    if not (ours / MANIFEST_NAME).exists():
        return False
    manifest = RunFolder.open(ours).manifest
    return is_locked(ours) or is_done(manifest, job.config) or not is_done(theirs, job.config)


def _copy(run: Path, runs: Path, name: str) -> None:
    """Copy a run folder whole or not at all; what lay there makes room only for a whole one."""
    new, old, here = runs / f"{_NEW}{name}", runs / f"{_OLD}{name}", runs / name
    with disk_errors(here), contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, new, ignore_errors=True)
        shutil.copytree(run, new, ignore=shutil.ignore_patterns(LOCK_NAME, ".*.tmp-*"))
        if (run / MANIFEST_NAME).read_bytes() != (new / MANIFEST_NAME).read_bytes():
            raise RunFolderError(f"{path_in_words(run)} was changed while it was copied")
        _verify(new)
        if here.exists():
            here.rename(old)
        new.rename(here)
        shutil.rmtree(old, ignore_errors=True)


def _verify(run: Path) -> None:
    """Raise `RunFolderError` where a run folder is damaged, also in what resuming needs."""
    verify_run(run)
    RunFolder.open(run).load_state()
