"""Train a sweep into its folder: what is done stays, what is left is trained, all is recorded."""

import dataclasses
import math
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from grokscope.disk.atomic import names_in, path_for_shell, path_in_words, path_of, remove_files
from grokscope.disk.lock import is_locked
from grokscope.disk.names import slug
from grokscope.disk.sweep_folder import SPEC_NAME, SweepFolder, forget_failure, is_sweep
from grokscope.errors import FolderMovedError, RunInterruptedError, TimeIsUpError
from grokscope.runner.interrupt import stop_requests
from grokscope.sweeps.batch import make_batches
from grokscope.sweeps.engines.engine import Engine
from grokscope.sweeps.job import Job
from grokscope.sweeps.merge import Merged, merge_runs
from grokscope.sweeps.spec import Spec
from grokscope.sweeps.states import States

_SECONDS_BETWEEN_POLLS: Final = 1.0
_PATIENCE_WITH_ORPHANS: Final = 60.0


class SweepCallbacks:
    """Is told how a sweep goes; a subclass overrides the methods that it needs."""

    def merged(self, source: Path, merged: Merged) -> None:
        """Runs of another folder were taken over."""

    def begin(self, states: States) -> None:
        """Training is about to start."""

    def polled(self, states: States) -> None:
        """About once a second: the states are fresh."""


@dataclass(frozen=True)
class Plan:
    """What a sweep has to do.

    **Arguments:**

    - `states`: of all its runs.
    - `left`: the jobs that are not done, each with the steps that it may still take.
    - `merged`: per folder to be merged, what would be taken over.
    """

    states: States
    left: list[tuple[Job, int]] = field(default_factory=list)
    merged: dict[Path, Merged] = field(default_factory=dict)


def plan(spec: Spec, out: Path, merge: Sequence[Path] = ()) -> Plan:
    """Return what is done in the folder `out` and what is left; writes nothing.

    **Arguments:**

    - `merge`: folders whose runs would be taken over first; those that are done count as done.

    **Raises:** `RunFolderError` when one of them cannot be read.
    """
    jobs, states = spec.jobs(), States(spec.points, out)
    merged = {source: merge_runs(jobs, SweepFolder(out), source, copy=False) for source in merge}
    done = {name for merged in merged.values() for name in merged.done}
    left = []
    for job in jobs:
        state = states.now[job.name]
        if job.name not in done and (not state.ended or state.status == "failed"):
            left.append((job, max(0, job.config.schedule.steps - (state.step or 0))))
    return Plan(states, left, merged)


def run_sweep(
    spec: Spec,
    out: Path,
    *,
    engine: Engine,
    batch_size: int | None = None,
    merge: Sequence[Path] = (),
    train: bool = True,
    lock: bool = True,
    without: Container[str] = (),
    until: float = math.inf,
    callbacks: SweepCallbacks | None = None,
) -> SweepFolder:
    """Train all runs of `spec` that are not done in the folder `out`, and return the folder.

    May be killed at any time and repeated. Runs that `spec` no longer has are kept. A run that
    fails is recorded in the folder, and tried again the next time.

    **Arguments:**

    - `out`: a new folder, or that of a sweep, whose description is then replaced.
    - `engine`: trains the batches.
    - `batch_size`: how many runs train side by side in one process; None lets the device say.
    - `merge`: folders whose runs are taken over first; see `merge_runs`.
    - `train`: False only takes over and makes the index.
    - `lock`: False trains also where the file system has no locks.
    - `without`: names of jobs that are not trained now.
    - `until`: the moment of `time.monotonic` at which to save and stop.
    - `callbacks`: are told how it goes.

    **Raises:** `UsageError` for a folder that cannot be used; `DiskError`, also when the folder
    is moved; `RunInterruptedError` after saving.
    """
    callbacks = callbacks or SweepCallbacks()
    # whatever is wrong is said before anything is written
    spec.jobs()
    for source in merge:
        names_in(source)
    sweep = SweepFolder.create(out, lock=lock)
    with sweep.lock(), stop_requests() as stop:
        remove_files(list(sweep.path.glob(".*.tmp-*")))
        sweep.write_spec(spec.text)
        for source in merge:
            callbacks.merged(source, merge_runs(spec.jobs(), sweep, source))
        if train:
            _train(
                spec,
                sweep,
                engine,
                batch_size,
                callbacks,
                lambda: bool(stop) or sweep.moved or time.monotonic() >= until,
                lock=lock,
                without=without,
            )
        sweep.write_index()
        go_on = f"go on with: grokscope sweep {path_for_shell(sweep.path)}"
        if sweep.moved:
            raise FolderMovedError(
                "the sweep's folder was moved while it trained, and lies in "
                f"{path_in_words(sweep.path)}; everything is saved there",
                next_step=go_on,
            )
        if stop:
            raise RunInterruptedError("interrupted; everything is saved", next_step=go_on)
        if time.monotonic() >= until:
            raise TimeIsUpError("the time is up; everything is saved", next_step=go_on)
    return sweep


def _train(
    spec: Spec,
    sweep: SweepFolder,
    engine: Engine,
    batch_size: int | None,
    callbacks: SweepCallbacks,
    stop: Callable[[], bool],
    *,
    lock: bool,
    without: Container[str],
) -> None:
    """Hand what is left to the engine, and let the callbacks see how it goes."""
    todo = plan(spec, sweep.path)
    jobs = [job for job, _ in todo.left if job.name not in without]
    for job in jobs:
        forget_failure(sweep.path, job.name)
    todo.states.restart()
    callbacks.begin(todo.states)
    _wait_for_orphans(jobs, sweep, stop)
    batches = make_batches(jobs, slots=engine.slots, size=batch_size, memory_mib=engine.memory_mib)
    batches = [dataclasses.replace(batch, lock=lock) for batch in batches]
    last = time.monotonic()

    def watch() -> bool:
        nonlocal last
        if time.monotonic() - last >= _SECONDS_BETWEEN_POLLS:
            todo.states.poll()
            callbacks.polled(todo.states)
            last = time.monotonic()
        return stop()

    if batches and not stop():
        engine.run(batches, sweep.path, watch=watch)
    todo.states.poll()
    callbacks.polled(todo.states)


def _wait_for_orphans(jobs: Sequence[Job], sweep: SweepFolder, stop: Callable[[], bool]) -> None:
    """Wait for workers of a sweep that was killed: they notice, save and stop."""
    end = time.monotonic() + _PATIENCE_WITH_ORPHANS
    waiting = [sweep.runs / job.name for job in jobs if is_locked(sweep.runs / job.name)]
    while waiting and time.monotonic() < end and not stop():
        time.sleep(0.2)
        waiting = [run for run in waiting if is_locked(run)]


SWEEPS: Final = Path("sweeps")


def read_spec(path: Any) -> tuple[Spec, Path]:
    """Return the description in a file, or of a sweep's folder, and where it is trained.

    **Raises:** `UsageError` when it cannot be read.
    """
    path = path_of(path)
    if path.is_dir():
        SweepFolder.open(path)
        return Spec.from_file(path / SPEC_NAME), path
    own = path.name == SPEC_NAME and is_sweep(path.parent) and (path.parent / "runs").is_dir()
    return Spec.from_file(path), path.parent if own else SWEEPS / slug(path.stem)
