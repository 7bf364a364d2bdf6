"""The local engine: one worker process per core, or per GPU, of this machine."""

import queue
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from grokscope.disk.atomic import make_folder
from grokscope.disk.sweep_folder import LOGS_NAME, RUNS_NAME
from grokscope.errors import GrokscopeError
from grokscope.sweeps.batch import Batch, Outcome, record_failed_job
from grokscope.sweeps.engines.cores import Cores, worker_cores
from grokscope.sweeps.engines.engine import Watch
from grokscope.sweeps.engines.process import Process
from grokscope.sweeps.job import INTERRUPTED, Job

_WORKER: Final = "grokscope.sweeps.engines.worker"
_SECONDS_BETWEEN_LOOKS: Final = 0.2
_MOST_DEATHS: Final = 2


class LocalEngine:
    """Trains batches in spawned processes, each pinned to a core of its own.

    **Arguments:**

    - `workers`: how many; by default as many as there are cores, or GPUs that JAX can use.
    """

    name = "local"

    def __init__(self, workers: int | None = None) -> None:
        self._places = worker_cores(workers)

    @property
    def slots(self) -> int:
        """The number of workers."""
        return len(self._places)

    @property
    def memory_mib(self) -> int | None:
        """Memory of the smallest GPU; None on a CPU."""
        return min((p.memory_mib for p in self._places if p.memory_mib is not None), default=None)

    def run(
        self, batches: Sequence[Batch], folder: Path, *, watch: Watch | None = None
    ) -> list[Outcome]:
        """Train every batch; see `Engine.run`."""
        make_folder(folder / LOGS_NAME)
        workers = _Workers(batches, folder)
        try:
            workers.work(self._places, watch)
        finally:
            workers.dismiss()
        return list(workers.outcomes.values())


class _Workers:
    """Workers and what each of them has in hand."""

    def __init__(self, batches: Sequence[Batch], folder: Path) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._folder = folder.absolute()
        self._waiting = deque(batches)
        self._heard: queue.SimpleQueue[tuple[Process, dict[str, Any] | None]] = queue.SimpleQueue()
        self._at: dict[Process, Cores] = {}
        self._in_hand: dict[Process, Batch] = {}
        self._deaths: Counter[str] = Counter()
        self._stopping = False

    def work(self, places: Sequence[Cores], watch: Watch | None) -> None:
        """Hand out all batches and wait until they have ended, or until `watch` asks to stop."""
        for place in places[: len(self._waiting)]:
            self._hire(place)
        while self._at:
            self._look(watch)
            try:
                worker, said = self._heard.get(timeout=_SECONDS_BETWEEN_LOOKS)
            except queue.Empty:
                continue
            self._look(watch)  # what a worker says may follow from the same cause
            self._hear(worker, said)

    def _look(self, watch: Watch | None) -> None:
        if watch is not None and not self._stopping and watch():
            self._stop()

    def dismiss(self) -> None:
        """End whatever still runs, at once."""
        for worker in self._at:
            worker.kill()

    def _hire(self, place: Cores) -> None:
        log = self._folder / LOGS_NAME / f"worker-{'-'.join(map(str, place.cores[:1])) or 0}.log"
        worker = Process(_WORKER, place, log, lambda who, said: self._heard.put((who, said)))
        self._at[worker] = place
        self._hand_out(worker)

    def _hand_out(self, worker: Process) -> None:
        """Give a worker its next batch, or let it go."""
        self._in_hand.pop(worker, None)
        if not self._waiting or self._stopping:
            worker.dismiss()
            return
        batch = self._waiting.popleft()
        self._in_hand[worker] = batch
        worker.say({"batch": batch.to_json(), "folder": str(self._folder)})

    def _hear(self, worker: Process, said: dict[str, Any] | None) -> None:
        if said is None:
            self._left(worker)
        elif "refused" in said:
            raise GrokscopeError(said["refused"])
        elif "outcome" in said:
            outcome = Outcome(**said["outcome"])
            # Interrupted by somebody else: like a death, it is tried once more.
            if outcome.status != INTERRUPTED or self._stopping:
                self.outcomes[outcome.name] = outcome
        else:
            self._hand_out(worker)

    def _stop(self) -> None:
        self._stopping = True
        for worker in self._at:
            if worker in self._in_hand:
                worker.stop()
            else:
                worker.dismiss()

    def _left(self, worker: Process) -> None:
        """A worker has ended: well, or with a batch in hand."""
        place, batch = self._at.pop(worker), self._in_hand.pop(worker, None)
        how = worker.ended()
        worker.dismiss()
        rest = [job for job in batch.jobs if job.name not in self.outcomes] if batch else []
        if self._stopping or batch is None:
            return
        again = tuple(job for job in rest if not self._given_up(job, rest, how))
        if again:
            # Memory is the usual cause of a death, so that fewer stand side by side.
            self._waiting.appendleft(replace(batch, jobs=again, size=max(1, batch.size // 2)))
        if self._waiting:
            self._hire(place)

    def _given_up(self, job: Job, rest: list[Job], how: str) -> bool:
        """Count a death against the jobs that had begun; record those that died twice."""
        begun = [other for other in rest if (self._folder / RUNS_NAME / other.name).exists()]
        if job not in (begun or rest):
            return False
        self._deaths[job.name] += 1
        if self._deaths[job.name] < _MOST_DEATHS:
            return False
        error = f"the process that trained it died twice ({how}); {LOGS_NAME} may say why"
        self.outcomes[job.name] = record_failed_job(job.name, error, self._folder)
        return True
