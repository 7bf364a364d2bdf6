"""The process that talks to Ray: hands batches out as tasks, and again where one was lost.

It is a process of its own because Ray writes to standard output as it likes, and ends the whole
process when its cluster does.
"""

import contextlib
import dataclasses
import json
import os
import secrets
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from grokscope.disk.atomic import make_folder, write_bytes
from grokscope.disk.folder import MANIFEST_NAME
from grokscope.disk.lock import exclusive
from grokscope.disk.manifest import now
from grokscope.disk.sweep_folder import LOGS_NAME, RUNS_NAME, forget_failure
from grokscope.errors import GrokscopeError, UsageError
from grokscope.runner.interrupt import StopRequest, stop_requests
from grokscope.sweeps.batch import Batch, Outcome, record_failed_job
from grokscope.sweeps.engines.process import Conversation
from grokscope.sweeps.engines.ray_cluster import connected, slots, worker_environment
from grokscope.sweeps.engines.ray_task import PLACE, TOKEN_NAME, run_url, train
from grokscope.sweeps.job import INTERRUPTED, Job, status_if_done
from grokscope.sweeps.mirror import Mirror

LOG_NAME: Final = "ray.log"
_LOOK_SECONDS: Final = 0.2
_SAVE_SECONDS: Final = 60.0

OnOutcome = Callable[[Outcome], None]


def main() -> None:
    """Connect, say how many batches fit, and train those that are then handed over."""
    conversation = Conversation()
    settings = conversation.next()
    if settings is None:
        return
    try:
        with connected(settings["address"]) as ray:
            conversation.say({"slots": _slots(ray, settings)})
            order = conversation.next()
            if order is not None:
                _train(ray, settings, order, conversation)
    except GrokscopeError as error:
        conversation.say({"refused": error.line, "exit_code": error.exit_code})


def _slots(ray: Any, settings: dict[str, Any]) -> int:
    cpus, gpus = settings["cpus"], settings["gpus"]
    found = slots(ray.nodes(), cpus, gpus)
    if found == 0:
        wanted = f"{cpus} CPU" + (f" and {gpus:g} GPU" if gpus else "")
        raise UsageError(
            "no node of the cluster is large enough for a task",
            got=wanted,
            next_step="ask for less, or add a node",
        )
    return found


def _train(
    ray: Any, settings: dict[str, Any], order: dict[str, Any], conversation: Conversation
) -> None:
    folder = Path(order["folder"])
    _log_to(folder / LOGS_NAME / LOG_NAME)

    def on_outcome(outcome: Outcome) -> None:
        conversation.say({"outcome": dataclasses.asdict(outcome)})

    with stop_requests() as stop, _shared(folder) as token:
        training = _Training(ray, settings, folder, token, on_outcome)
        training.run([Batch.from_json(batch) for batch in order["batches"]], stop)
    conversation.say({"ended": True})


def _log_to(path: Path) -> None:
    """Send what this process, Ray and its parts print to a file."""
    make_folder(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)


def _log(line: str) -> None:
    print(f"{now()} {line}", file=sys.stderr, flush=True)


class _Training:
    """Batches on their way through the cluster."""

    def __init__(
        self, ray: Any, settings: dict[str, Any], folder: Path, token: str, on_outcome: OnOutcome
    ) -> None:
        self._ray, self._settings, self._folder = ray, settings, folder
        self._on_outcome = on_outcome
        self._storage: str | None = settings["storage"]
        cpus, gpus = settings["cpus"], settings["gpus"]
        environment = worker_environment(cpus, gpus, local=settings["address"] is None)
        # retries are ours: Ray's own do not go together with a stop that saves (Ray 2.60)
        self._task = ray.remote(
            num_cpus=cpus, num_gpus=gpus, max_retries=0, runtime_env={"env_vars": environment}
        )(train)
        self._order = {
            "cpus": cpus,
            "folder": str(folder),
            "token": token,
            "storage": self._storage,
        }
        self._pending: dict[Any, Batch] = {}
        self._losses: Counter[Batch] = Counter()

    def run(self, batches: list[Batch], stop: StopRequest) -> None:
        """Train every batch, until all have ended or `stop` is asked for."""
        if self._storage is not None:
            self._send(batches)
        for batch in batches:
            self._submit(batch)
        while self._pending and not stop:
            for task in self._wait(1, _LOOK_SECONDS):
                self._ended(task, self._pending.pop(task))
        if self._pending:
            self._stop()

    def _submit(self, batch: Batch) -> None:
        text = json.dumps(self._order | {"batch": batch.to_json()})
        self._pending[self._task.remote(text)] = batch

    def _wait(self, n: int, seconds: float) -> list[Any]:
        return self._ray.wait(list(self._pending), num_returns=n, timeout=seconds)[0]

    def _ended(self, task: Any, batch: Batch) -> None:
        try:
            reply = json.loads(self._ray.get(task))
        except self._ray.exceptions.RayTaskError as error:
            raise GrokscopeError(
                f"a node of the cluster cannot train: {_last_line(error)}",
                next_step="install the same grokscope on all nodes",
            ) from error
        except self._ray.exceptions.RayError as error:
            self._lost(batch, f"{type(error).__name__}: {_first_line(error)}")
            return
        if "refused" in reply:
            raise UsageError(reply["refused"])
        if "failed" in reply:
            self._give_up(batch, reply["failed"])
            return
        outcomes = [Outcome(**outcome) for outcome in reply["outcomes"]]
        if any(outcome.status == INTERRUPTED for outcome in outcomes):
            self._lost(batch, "the worker was told to stop, and saved")
            return
        self._fetch(batch)
        for outcome in outcomes:
            self._on_outcome(outcome if self._storage is None else self._recorded(outcome))

    def _lost(self, batch: Batch, why: str) -> None:
        """Hand a batch out once more, unless that was done often enough."""
        self._losses[batch] += 1
        times, most, first = self._losses[batch], self._settings["retries"], batch.jobs[0].name
        if 0 <= most < times:
            _log(f"{first}: lost ({why}); given up")
            self._give_up(batch, f"its worker or node was lost {times} times ({why})")
            return
        _log(f"{first}: lost ({why}); it goes on elsewhere, retry {times}")
        self._submit(batch)

    def _give_up(self, batch: Batch, line: str) -> None:
        """Tell how the jobs of a batch ended that did not come back, as their folders say."""
        self._fetch(batch)
        for job in batch.jobs:
            status = status_if_done(self._folder / RUNS_NAME / job.name, job.config)
            if status is None:
                self._on_outcome(record_failed_job(job.name, line, self._folder))
            else:
                self._on_outcome(Outcome(job.name, status))

    def _recorded(self, outcome: Outcome) -> Outcome:
        """Keep in the sweep's folder what the worker could only keep in its own."""
        if outcome.error is not None:
            return record_failed_job(outcome.name, outcome.error, self._folder)
        forget_failure(self._folder, outcome.name)
        return outcome

    def _stop(self) -> None:
        """Let what is in progress be saved; the folders then say how far it got."""
        for task in self._pending:
            self._ray.cancel(task, force=False)
        self._wait(len(self._pending), _SAVE_SECONDS)
        for batch in self._pending.values():
            self._fetch(batch)

    def _send(self, batches: list[Batch]) -> None:
        """Put the runs that lie here and not in the storage there, so that they go on."""
        for job in (job for batch in batches for job in batch.jobs):
            if (self._folder / RUNS_NAME / job.name / MANIFEST_NAME).exists():
                mirror = self._mirror(job)
                if not mirror.exists():
                    mirror.push()

    def _fetch(self, batch: Batch) -> None:
        """Bring the runs of a batch from the storage to the sweep's folder."""
        if self._storage is None:
            return
        for job in batch.jobs:
            mirror = self._mirror(job)
            if mirror.exists():
                make_folder(mirror.run)
                with exclusive(mirror.run, needed=batch.lock):
                    mirror.pull()

    def _mirror(self, job: Job) -> Mirror:
        assert self._storage is not None
        return Mirror(self._folder / RUNS_NAME / job.name, run_url(self._storage, job.name))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")[:200]


def _last_line(error: Exception) -> str:
    return next(reversed([line for line in str(error).splitlines() if line.strip()]), "")[:200]


@contextlib.contextmanager
def _shared(folder: Path) -> Iterator[str]:
    """Leave a token by which workers see that `folder` is the same for them."""
    token, place = secrets.token_hex(16), folder / PLACE
    write_bytes(place / TOKEN_NAME, token.encode())
    try:
        yield token
    finally:
        shutil.rmtree(place, ignore_errors=True)
