"""Train one run into a folder: step, record, save, and say how it ended."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

from grokscope.config.run import RunConfig
from grokscope.disk.atomic import path_for_shell, path_in_words
from grokscope.disk.folder import RunFolder
from grokscope.errors import (
    AFTER_DIVERGENCE,
    DivergedError,
    FilesRemovedError,
    FolderMovedError,
    GrokscopeError,
    RunInterruptedError,
)
from grokscope.numerics import computing
from grokscope.runner.check import Checked, check
from grokscope.runner.interrupt import StopRequest, stop_requests
from grokscope.runner.opening import open_run, other_bits
from grokscope.runner.program import step
from grokscope.runner.progress import Beginning, Callbacks, Evaluation, overall_status
from grokscope.runner.training_run import TrainingRun, pair_counts
from grokscope.tasks import one_sided


def train_run(
    config: RunConfig,
    out: Path,
    *,
    resume: bool = False,
    callbacks: Callbacks | None = None,
    lock: bool = True,
) -> RunFolder:
    """Train all seeds of `config`, keeping everything in the folder `out`.

    **Arguments:**

    - `config`: what to train; to resume, that of the folder, with `steps` possibly raised.
    - `out`: a new folder, or to resume, that of the run.
    - `resume`: go on with the run in `out`; where there is none, begin it.
    - `callbacks`: are told how it goes.
    - `lock`: False trains also where the file system has no locks.

    **Raises:** `UsageError` for a configuration or folder that cannot be used; `DiskError` when
    something cannot be written, or the folder is moved; `DivergedError` and
    `RunInterruptedError` after saving.
    """
    return train_checked(check(config), out, resume=resume, callbacks=callbacks, lock=lock)


@computing()
def train_checked(
    checked: Checked,
    out: Path,
    *,
    resume: bool = False,
    callbacks: Callbacks | None = None,
    lock: bool = True,
) -> RunFolder:
    """Train as `train_run` does, a configuration that has been checked."""
    callbacks = callbacks or Callbacks()
    folder, resuming = open_run(checked, out, resume=resume, lock=lock)
    with folder.lock(), stop_requests() as stop, failed_on_error(folder):
        if resuming and (line := other_bits(folder)) is not None:
            callbacks.warn(line)
        return _train(folder, checked, callbacks, stop)


def _train(
    folder: RunFolder, checked: Checked, callbacks: Callbacks, stop: StopRequest
) -> RunFolder:
    """Train what is left of a run, whose lock the caller holds."""
    p = checked.task.p
    callbacks.preparing(f"{folder.manifest.operation} mod {p}: its structure and first weights")
    training = load_training(folder, checked)
    for line in one_sided(training.task):
        callbacks.warn(line)
    callbacks.begin(_beginning(training))
    callbacks.preparing(f"compiling, and measuring the network on all {p**2:,} pairs")
    clock = _Clock()
    begin_training(training)
    while training.active and not stop and not folder.moved:
        (result,) = step([training])
        training.record(result)
        if training.save_is_due:
            training.save()
        callbacks.evaluated(_evaluation(training, clock))
    return finish_training(training)


def load_training(folder: RunFolder, checked: Checked) -> TrainingRun:
    """Return the training of a folder, at its last save; the caller holds its lock."""
    training = TrainingRun(checked, folder)
    training.restore()
    folder.write_manifest(dataclasses.replace(folder.manifest, status="running"))
    return training


def begin_training(training: TrainingRun) -> None:
    """Record the initial weights, unless the run has been saved before."""
    if not training.folder.has_state:
        (result,) = step([training], n_steps=0)
        training.record(result)
        training.save()


def finish_training(training: TrainingRun) -> RunFolder:
    """Save, write the manifest, and raise where the run is not whole, or ended otherwise."""
    interrupted = training.active
    if interrupted:
        training.save()
    folder = training.folder
    status = "interrupted" if interrupted else overall_status(training.seeds)
    manifest = dataclasses.replace(
        folder.manifest,
        status=status,
        results=training.results(),
        times=folder.manifest.times | {"training_seconds": round(training.training_seconds, 3)},
    )
    folder.write_manifest(manifest)
    if folder.removed:
        raise _removal(training)
    if interrupted:
        raise _interruption(training)
    if status == "diverged":
        steps = [(seed.seed, seed.diverged_at) for seed in training.seeds]
        at = ", ".join(f"seed {seed} at step {step}" for seed, step in steps if step is not None)
        raise DivergedError(
            f"the loss is no longer finite ({at}); the run is saved as diverged",
            next_step=AFTER_DIVERGENCE,
        )
    return folder


def _removal(training: TrainingRun) -> FilesRemovedError:
    """Return what says that some of a run that was saved is not there any more."""
    first, *others = training.folder.removed
    more = f" and {len(others)} more" if others else ""
    ended = "interrupted" if training.active else "ended"
    return FilesRemovedError(
        f"{ended} at step {training.step}; files that were saved have been removed from "
        f"{path_in_words(training.folder.path)} while it trained: {first}{more}; all else is saved",
        next_step="restore them from a copy, or train again with another --out",
    )


def _interruption(training: TrainingRun) -> GrokscopeError:
    """Return what says that a run, which is saved, stopped before its end."""
    folder = training.folder
    go_on = f"go on with: grokscope train --resume --out {path_for_shell(folder.path)}"
    if folder.moved:
        return FolderMovedError(
            "the run's folder was moved while it trained, and lies in "
            f"{path_in_words(folder.path)}; "
            f"stopped at step {training.step}, everything is saved there",
            next_step=go_on,
        )
    return RunInterruptedError(
        f"interrupted at step {training.step}; everything is saved", next_step=go_on
    )


@contextlib.contextmanager
def failed_on_error(folder: RunFolder) -> Iterator[None]:
    """Mark a run that an error ends as failed; what was saved is kept and can go on."""
    try:
        yield
    except Exception:
        mark_failed(folder)
        raise


def mark_failed(folder: RunFolder) -> None:
    """Say that a run does not train any more, where the folder still says that it does."""
    if folder.manifest.status == "running":
        with contextlib.suppress(GrokscopeError):  # a full disk, a folder that is gone
            folder.write_manifest(dataclasses.replace(folder.manifest, status="failed"))


class _Clock:
    """Steps per second since the first chunk, which also compiles."""

    def __init__(self) -> None:
        self._start: tuple[int, float] | None = None

    def rate(self, step: int) -> float:
        now = time.perf_counter()
        if self._start is None:
            self._start = (step, now)
            return float("nan")
        return (step - self._start[0]) / (now - self._start[1])


def _beginning(training: TrainingRun) -> Beginning:
    return Beginning(
        config=training.config,
        operation=training.task.canonical,
        path=training.folder.path,
        step=training.step,
        **pair_counts(training.splits[0][0]),
    )


def _evaluation(training: TrainingRun, clock: _Clock) -> Evaluation:
    values = {
        column.name(training.operations): of_seeds.tolist()
        for column, of_seeds in training.latest.items()
    }
    return Evaluation(training.step, training.seeds, values, clock.rate(training.step))
