"""The engine for many machines: each batch is a Ray task that outlives its worker and its node."""

import dataclasses
import queue
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grokscope.config.validate import check_number
from grokscope.disk.folder import MANIFEST_NAME
from grokscope.disk.sweep_folder import RUNS_NAME
from grokscope.errors import GrokscopeError, UsageError
from grokscope.sweeps.batch import Batch, Outcome
from grokscope.sweeps.engines.cores import Cores
from grokscope.sweeps.engines.engine import Watch
from grokscope.sweeps.engines.process import Process
from grokscope.sweeps.engines.ray_cluster import import_ray
from grokscope.sweeps.job import INTERRUPTED, Job, status_if_done

_DRIVER: Final = "grokscope.sweeps.engines.ray_driver"
_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True)
class Settings:
    """What a Ray engine is made from.

    **Arguments:**

    - `address`: of the user's cluster; without it a local one is started.
    - `cpus`: cores of a task, to which its worker is pinned.
    - `gpus`: GPUs of a task; 0.5 where two tasks share one.
    - `retries`: how often a batch is tried again after its worker or node was lost; −1 for ever.
    - `storage`: URL that all nodes reach, where the runs are kept; without it the sweep's folder
      has to be on a disk that all nodes share.
    """

    address: str | None = None
    cpus: int = 1
    gpus: float = 0
    retries: int = 3
    storage: str | None = None

    def __post_init__(self) -> None:
        if self.cpus < 1:
            raise UsageError("cpus is not usable", got=self.cpus, allowed="1 or more")
        allowed = "0, a part of one, or a whole number"
        check_number("gpus", self.gpus, allowed, least=0)
        if self.gpus > 1 and self.gpus != int(self.gpus):
            raise UsageError("gpus is not usable", got=self.gpus, allowed=allowed)
        if self.retries < -1:
            raise UsageError("retries is not usable", got=self.retries, allowed="-1 or more")


class RayEngine:
    """Trains batches on a Ray cluster.

    **Arguments:**

    - `settings`: those of `Settings`.

    **Raises:** `UsageError` where Ray is not installed or a setting cannot be used.
    """

    name = "ray"
    memory_mib: int | None = None
    """Ray does not say how much memory the GPUs of a cluster have."""

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(**settings)
        import_ray()
        self._driver: _Driver | None = None

    @property
    def slots(self) -> int:
        """How many batches the cluster trains at the same time; raises as `run`."""
        return self._connected().slots

    def run(
        self, batches: Sequence[Batch], folder: Path, *, watch: Watch | None = None
    ) -> list[Outcome]:
        """Train every batch; see `Engine.run`.

        **Raises:** `UsageError` where the cluster or the folder do not fit; `GrokscopeError`
        where there is no cluster, or it ends.
        """
        if not batches:
            return []
        driver = self._connected()
        try:
            found = driver.train(batches, folder.resolve(), watch)
        finally:
            self._driver = None
            driver.process.dismiss()
            driver.process.ended()  # it first closes what it opened, a local cluster for instance
        jobs = [job for batch in batches for job in batch.jobs if job.name not in found]
        rest = [_interrupted(folder, job) for job in jobs]
        return [*found.values(), *(outcome for outcome in rest if outcome is not None)]

    def _connected(self) -> "_Driver":
        if self._driver is None:
            self._driver = _Driver(self.settings)
        return self._driver


class _Driver:
    """The process that talks to Ray, seen from here."""

    def __init__(self, settings: Settings) -> None:
        self._heard: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.process = Process(_DRIVER, Cores(()), None, lambda _, said: self._heard.put(said))
        self.process.say(dataclasses.asdict(settings))
        self.slots: int = self._next(None)["slots"]

    def train(
        self, batches: Sequence[Batch], folder: Path, watch: Watch | None
    ) -> dict[str, Outcome]:
        """Return the outcomes by name; of a stop, those that were there before it."""
        documents = [batch.to_json() for batch in batches]
        self.process.say({"batches": documents, "folder": str(folder)})
        outcomes: dict[str, Outcome] = {}
        stopping = False
        while True:
            if watch is not None and not stopping and watch():
                stopping = True
                self.process.stop()
            try:
                said = self._next(_LOOK_SECONDS)
            except queue.Empty:
                continue
            if "ended" in said:
                return outcomes
            outcome = Outcome(**said["outcome"])
            outcomes[outcome.name] = outcome

    def _next(self, seconds: float | None) -> dict[str, Any]:
        """Return what the process says next; raises what it refuses, and `queue.Empty`."""
        said = self._heard.get(timeout=seconds)
        if said is None:
            raise GrokscopeError(
                f"the connection to Ray ended ({self.process.ended()}); everything is saved",
                next_step="repeat the command to go on; Ray's logs lie in /tmp/ray/session_latest",
            )
        if "refused" in said:
            kind = UsageError if said["exit_code"] == UsageError.exit_code else GrokscopeError
            raise kind(said["refused"])
        return said


def _interrupted(folder: Path, job: Job) -> Outcome | None:
    """Return how far a job without an outcome got before the stop; None if it had not begun."""
    run = folder / RUNS_NAME / job.name
    if not (run / MANIFEST_NAME).exists():
        return None
    return Outcome(job.name, status_if_done(run, job.config) or INTERRUPTED)
