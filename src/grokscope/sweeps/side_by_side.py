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
    failed_on_error,
    finish_training,
    load_training,
    mark_failed,
    open_run,
    start_training,
)
from grokscope.runner.program import advance_runs, pad_runs, run_axis, signature
from grokscope.runner.training_run import TrainingRun
from grokscope.sweeps.batch import Batch
from grokscope.sweeps.job import INTERRUPTED, Job

Tell = Callable[[Job, str | Exception], None]
"""Hears how a job ended: its status, or what was wrong."""


class _Slot:
    """One job in training, with the lock of its folder.

    **Raises:** whatever opening the folder raises; then nothing stays locked.
    """

    def __init__(self, job: Job, sweep: Path, examples: int | None, *, lock: bool) -> None:
        self.job, run = job, sweep / RUNS_NAME / job.name
        with contextlib.ExitStack() as stack:
            _, folder = open_run(job.config, run, resume=True, lock=lock, inside=sweep)
            stack.enter_context(folder.lock())
            stack.enter_context(failed_on_error(folder))
            self.training: TrainingRun = load_training(folder)
            if examples is not None:
                pad_runs(self.training, examples)
            start_training(self.training)
            self._lock = stack.pop_all()

    @property
    def over(self) -> bool:
        """Whether there is nothing left to train, or its folder is no longer there."""
        try:
            return not self.training.active or self.training.folder.moved
        except FolderGoneError:
            return True

    def leave(self) -> None:
        """Unlock the folder."""
        self._lock.close()

    def end(self) -> str:
        """Say in the folder how the run ended, or that it is interrupted; return the status."""
        with contextlib.closing(self._lock):
            if self.training.in_chunk:  # there is nothing whole to save: the last save goes on
                return INTERRUPTED
            try:
                return finish_training(self.training).folder.manifest.status
            except DivergedError:
                return "diverged"
            except RunInterruptedError:
                return INTERRUPTED


def train_side_by_side(
    jobs: Sequence[Job], sweep: Path, batch: Batch, tell: Tell, wish: StopRequest
) -> None:
    """Train every job into the folder of a sweep, as many at a time as `batch` says.

    Jobs of one `signature` share a program. Others wait until those are done. On a GPU the
    training sets are filled up to a common size, with examples that weigh nothing; on a CPU a
    run has the bits that it would have alone.

    **Arguments:**

    - `jobs`: those of `batch` that are not done.
    - `tell`: hears of each job once, unless it had not begun when the wish to stop came.
    """
    waiting = deque(jobs)
    examples = _common_size(jobs) if run_axis() == "vmap" and batch.size > 1 else None
    while waiting and not wish:
        table = _Table(sweep, batch, examples, tell, wish)
        others = table.serve(waiting)
        waiting = deque(others)


class _Table:
    """The jobs of one signature that train together.

    A seat whose job has ended stays until the next one takes it: another number of seats is
    another program to compile. When half of them are empty and nobody waits, they are removed.
    """

    def __init__(
        self, sweep: Path, batch: Batch, examples: int | None, tell: Tell, wish: StopRequest
    ) -> None:
        self._sweep, self._batch, self._examples = sweep, batch, examples
        self._tell, self._wish = tell, wish
        self._signature: Hashable = None
        self._seats: list[_Slot] = []
        self._busy: list[_Slot] = []

    def serve(self, waiting: deque[Job]) -> list[Job]:
        """Train all waiting jobs that fit, and return the others."""
        others: list[Job] = []
        try:
            self._fill(waiting, others)
            while self._busy and not self._wish:
                advance_runs([seat.training for seat in self._seats], self._broken)
                for seat in [seat for seat in self._busy if seat.over]:
                    self._end(seat)
                self._fill(waiting, others)
        finally:
            for seat in list(self._busy):
                self._end(seat)
        return others

    def _fill(self, waiting: deque[Job], others: list[Job]) -> None:
        """Let waiting jobs in while there is room."""
        while waiting and len(self._busy) < self._batch.size and not self._wish:
            job = waiting.popleft()
            try:
                seat = _Slot(job, self._sweep, self._examples, lock=self._batch.lock)
            # Whatever is wrong with one job, the others train.
            except Exception as error:
                self._tell(job, error)
                continue
            own = signature(seat.training)
            if self._signature not in (None, own):
                seat.leave()
                others.append(job)
                continue
            self._signature = own
            self._seat(seat)
        if 2 * len(self._busy) <= len(self._seats):
            self._seats = list(self._busy)

    def _seat(self, seat: _Slot) -> None:
        self._busy.append(seat)
        if not seat.training.active:
            self._end(seat)
            return
        empty = [i for i, other in enumerate(self._seats) if other not in self._busy]
        if empty:
            self._seats[empty[0]] = seat
        else:
            self._seats.append(seat)

    def _end(self, seat: _Slot) -> None:
        """Close a job that has ended or must stop, and tell how."""
        self._busy.remove(seat)
        try:
            self._tell(seat.job, seat.end())
        except Exception as error:
            self._tell(seat.job, error)

    def _broken(self, training: TrainingRun, error: Exception) -> None:
        """Take out a job whose numbers could not be kept; the others go on."""
        seat = next(seat for seat in self._busy if seat.training is training)
        self._busy.remove(seat)
        self._seats.remove(seat)
        mark_failed(training.folder)
        seat.leave()
        self._tell(seat.job, error)


def _common_size(jobs: Sequence[Job]) -> int:
    """Return the examples of the largest training set."""
    splits = [check(job.config)[1][0] for job in jobs]
    return max(sum(len(split.train_index) for split in of_tasks) for of_tasks in splits)
