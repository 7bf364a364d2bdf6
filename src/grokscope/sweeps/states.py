"""How far every run of a sweep has come, read from the run folders, whichever engine trains."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from grokscope.disk.folder import MANIFEST_NAME, METRICS_NAME
from grokscope.disk.manifest import Manifest, read_manifest
from grokscope.disk.sweep_folder import RUNS_NAME, failures
from grokscope.errors import RunFolderError
from grokscope.sweeps.job import Job, status_if_done
from grokscope.sweeps.spec import Point

Status = Literal["waiting", "running", "grokked", "undecided", "diverged", "failed"]
_PART: Final = re.compile(r"part-(\d+)-")


@dataclass(frozen=True)
class State:
    """One run now.

    **Arguments:**

    - `status`: `waiting` also where a run was interrupted and will go on.
    - `step`: last saved step, where it is running or was interrupted.
    - `grokked_at`: where it grokked.
    - `error`: where it failed.
    """

    status: Status = "waiting"
    step: int | None = None
    grokked_at: int | None = None
    error: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status not in ("waiting", "running")


class States:
    """The states of all runs of a sweep; `poll` reads what has changed.

    **Arguments:**

    - `points`: the runs.
    - `folder`: the sweep's.
    """

    def __init__(self, points: Sequence[Point], folder: Path) -> None:
        self.points = points
        self.now: dict[str, State] = {point.job.name: State() for point in points}
        self._folder = folder
        self._seen: dict[str, int] = {}
        self._stale: set[str] = set()
        self.poll()
        # What seems to run before an engine has begun was killed, until its manifest changes.
        self._stale = {name for name, state in self.now.items() if state.status == "running"}
        self.now |= {n: State("waiting", self.now[n].step) for n in self._stale}
        self.restart()

    def restart(self) -> None:
        """Read everything anew and count runs per hour from here."""
        self.poll()
        self._begun = time.monotonic()
        self._ended_before = self.n_ended

    def poll(self) -> None:
        """Read what has changed since the last time."""
        errors = failures(self._folder)
        for point in self.points:
            job, before = point.job, self.now[point.job.name]
            if job.name in errors:
                self.now[job.name] = State("failed", error=errors[job.name])
                self._seen.pop(job.name, None)
            elif not before.ended or before.status == "failed":
                self._look(job)

    def _look(self, job: Job) -> None:
        run = self._folder / RUNS_NAME / job.name
        try:
            changed = (run / MANIFEST_NAME).stat().st_mtime_ns
        except OSError:
            self.now[job.name] = State()
            return
        if self._seen.get(job.name) != changed:
            self._seen[job.name] = changed
            self._stale.discard(job.name)
            self.now[job.name] = _state(run, job)
        elif self.now[job.name].status == "running" and job.name not in self._stale:
            self.now[job.name] = State("running", _last_step(run))

    @property
    def counts(self) -> Counter[str]:
        """How many runs have each status."""
        return Counter(state.status for state in self.now.values())

    @property
    def n_ended(self) -> int:
        """How many runs have come to an end, in this session or before."""
        return sum(state.ended for state in self.now.values())

    @property
    def runs_per_hour(self) -> float | None:
        """Runs that ended in this session per hour; None before the first."""
        n = self.n_ended - self._ended_before
        return 3600 * n / (time.monotonic() - self._begun) if n > 0 else None

    @property
    def seconds_left(self) -> float:
        """What is left at this speed; nan before the first run has ended."""
        rate = self.runs_per_hour
        return 3600 * (len(self.points) - self.n_ended) / rate if rate else float("nan")

    def ended_since(self, before: Iterable[str]) -> list[Point]:
        """Return the runs that have ended and are not in `before`."""
        known = set(before)
        return [p for p in self.points if self.now[p.job.name].ended and p.job.name not in known]


def _state(run: Path, job: Job) -> State:
    try:
        manifest = read_manifest(run / MANIFEST_NAME)
    except RunFolderError as error:
        return State("failed", error=error.line)
    if manifest.status == "running":
        return State("running", _last_step(run))
    try:
        done = status_if_done(run, job.config)
    except RunFolderError as error:
        return State("failed", error=error.line)
    return State("waiting", _last_step(run)) if done is None else _ended(manifest)


def _ended(manifest: Manifest) -> State:
    result = manifest.results[0] if manifest.results else {}
    status: Status = "grokked" if manifest.status == "grokked" else "undecided"
    status = "diverged" if manifest.status == "diverged" else status
    return State(status, result.get("steps"), result.get("grokked_at"))


def _last_step(run: Path) -> int | None:
    """Return the step of the last save, which stands in the name of the last part."""
    try:
        names = [path.name for path in (run / METRICS_NAME).iterdir()]
    except OSError:
        return None
    return max((int(m[1]) for name in names if (m := _PART.match(name))), default=None)
