"""Jobs that train side by side in one program: one that ends makes room for the next."""

import contextlib
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

from grokscope.disk.sweep_folder import RUNS_NAME
from grokscope.errors import DivergedError, FolderGoneError, RunInterruptedError
from grokscope.runner.check import check
from grokscope.runner.interrupt import StopRequest
from grokscope.runner.loop import (
    begin_training,
    failed_on_error,
    finish_training,
    load_training,
    mark_failed,
)
from grokscope.runner.opening import open_run
from grokscope.runner.program import pad_runs, run_axis, signature, step
from grokscope.runner.training_run import TrainingRun
from grokscope.sweeps.batch import Batch
from grokscope.sweeps.job import INTERRUPTED, Job

OnEnd = Callable[[Job, str | Exception], None]
"""Is called with how a job ended: its status, or what was wrong."""


class _Slot:
    """One job in training, with the lock of its folder.

    **Raises:** whatever opening the folder raises; then nothing stays locked.
    """

    def __init__(self, job: Job, sweep: Path, examples: int | None, *, lock: bool) -> None:
        self.job, run = job, sweep / RUNS_NAME / job.name
        with contextlib.ExitStack() as stack:
            checked = check(job.config)
            folder, _ = open_run(checked, run, resume=True, lock=lock, inside=sweep)
            stack.enter_context(folder.lock())
            stack.enter_context(failed_on_error(folder))
            self.training: TrainingRun = load_training(folder, checked)
            if examples is not None:
                pad_runs(self.training, examples)
            begin_training(self.training)
            self._lock = stack.pop_all()

    @property
    def over(self) -> bool:
        """Whether there is nothing left to train, or its folder is no longer there."""
        try:
            return not self.training.active or self.training.folder.moved
        except FolderGoneError:
            return True

    def unlock(self) -> None:
        """Unlock the folder."""
        self._lock.close()

    def end(self) -> str:
        """Say in the folder how the run ended, or that it is interrupted; return the status."""
        with contextlib.closing(self._lock):
            if not self.training.is_whole:  # the last save goes on
                return INTERRUPTED
            try:
                return finish_training(self.training).manifest.status
            except DivergedError:
                return "diverged"
            except RunInterruptedError:
                return INTERRUPTED


def train_side_by_side(
    jobs: Sequence[Job], sweep: Path, batch: Batch, on_end: OnEnd, stop: StopRequest
) -> None:
    """Train every job into the folder of a sweep, as many at a time as `batch` says.

    Jobs of one `signature` share a program. Others wait until those are done. On a GPU the
    training sets are filled up to a common size, with examples that weigh nothing; on a CPU a
    run has the bits that it would have alone.

    **Arguments:**

    - `jobs`: those of `batch` that are not done.
    - `on_end`: is called once for each job, unless it had not begun when `stop` was asked for.
    """
    waiting = deque(jobs)
    examples = _common_size(jobs) if run_axis() == "vmap" and batch.size > 1 else None
    while waiting and not stop:
        others = _SideBySide(sweep, batch, examples, on_end, stop).train(waiting)
        waiting = deque(others)


class _SideBySide:
    """The jobs of one signature that train together.

    A slot whose job has ended stays until the next one takes it: another number of slots is
    another program to compile. When half of them are empty and nobody waits, they are removed.
    """

    def __init__(
        self, sweep: Path, batch: Batch, examples: int | None, on_end: OnEnd, stop: StopRequest
    ) -> None:
        self._sweep, self._batch, self._examples = sweep, batch, examples
        self._on_end, self._stop = on_end, stop
        self._signature: Hashable = None
        self._slots: list[_Slot] = []
        self._busy: list[_Slot] = []

    def train(self, waiting: deque[Job]) -> list[Job]:
        """Train all waiting jobs that fit, and return the others."""
        others: list[Job] = []
        try:
            self._fill(waiting, others)
            while self._busy and not self._stop:
                self._advance()
                self._fill(waiting, others)
        finally:
            for slot in list(self._busy):
                self._end(slot)
        return others

    def _advance(self) -> None:
        """Train to the next evaluation; a job whose numbers cannot be kept leaves the others."""
        slots = list(self._slots)
        for slot, result in zip(slots, step([slot.training for slot in slots]), strict=True):
            if slot not in self._busy:
                continue
            try:
                slot.training.record(result)
                if slot.training.save_is_due:
                    slot.training.save()
            except Exception as error:
                self._remove(slot, error)
        for slot in [slot for slot in self._busy if slot.over]:
            self._end(slot)

    def _fill(self, waiting: deque[Job], others: list[Job]) -> None:
        """Let waiting jobs in while there is room."""
        while waiting and len(self._busy) < self._batch.size and not self._stop:
            job = waiting.popleft()
            try:
                slot = _Slot(job, self._sweep, self._examples, lock=self._batch.lock)
            # Whatever is wrong with one job, the others train.
            except Exception as error:
                self._on_end(job, error)
                continue
            own = signature(slot.training)
            if self._signature not in (None, own):
                slot.unlock()
                others.append(job)
                continue
            self._signature = own
            self._put(slot)
        if 2 * len(self._busy) <= len(self._slots):
            self._slots = list(self._busy)

    def _put(self, slot: _Slot) -> None:
        """Take a job in, in place of one that has ended where there is one."""
        self._busy.append(slot)
        if not slot.training.active:
            self._end(slot)
            return
        empty = [i for i, other in enumerate(self._slots) if other not in self._busy]
        if empty:
            self._slots[empty[0]] = slot
        else:
            self._slots.append(slot)

    def _end(self, slot: _Slot) -> None:
        """Close a job that has ended or must stop, and say how."""
        self._busy.remove(slot)
        try:
            self._on_end(slot.job, slot.end())
        except Exception as error:
            self._on_end(slot.job, error)

    def _remove(self, slot: _Slot, error: Exception) -> None:
        """Take out a job whose numbers could not be kept."""
        self._busy.remove(slot)
        self._slots.remove(slot)
        mark_failed(slot.training.folder)
        slot.unlock()
        self._on_end(slot.job, error)


def _common_size(jobs: Sequence[Job]) -> int:
    """Return the examples of the largest training set."""
    splits = [check(job.config).splits[0] for job in jobs]
    return max(sum(len(split.train_index) for split in of_tasks) for of_tasks in splits)
