"""Several jobs for one process, and how they are trained."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grokscope.errors import GrokscopeError, RunFolderError, printable
from grokscope.experiments.sweeps.done import INTERRUPTED, status_if_done
from grokscope.experiments.sweeps.job import Job
from grokscope.numerics import computing
from grokscope.runs.handle import FolderHandle
from grokscope.runs.sweep_parts import RUNS_NAME, forget_failure, record_failure

FAILED: Final = "failed"
__all__ = ["FAILED", "INTERRUPTED", "Batch", "Outcome", "failed", "run_batch"]


@dataclass(frozen=True)
class Batch:
    """Jobs whose programs have the same shapes.

    **Arguments:**

    - `jobs`: what to train, in this order.
    - `size`: how many train side by side; one that ends makes room for the next.
    - `lock`: False trains also where the file system has no locks.
    """

    jobs: tuple[Job, ...]
    size: int = 1
    lock: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON, from which `from_json` makes the batch again."""
        jobs = [job.to_json() for job in self.jobs]
        return {"jobs": jobs, "size": self.size, "lock": self.lock}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Batch":
        """Rebuild from `to_json`."""
        jobs = tuple(map(Job.from_json, document["jobs"]))
        return cls(jobs, document["size"], document["lock"])


@dataclass(frozen=True)
class Outcome:
    """How one job ended.

    **Arguments:**

    - `name`: the job's.
    - `status`: `grokked`, `undecided`, `diverged`, `failed`, or `interrupted` (saved, to go on).
    - `error`: one line, only where it failed.
    """

    name: str
    status: str
    error: str | None = None


@computing()
def run_batch(
    batch: Batch, folder: Path, news: Callable[[Outcome], None] | None = None
) -> list[Outcome]:
    """Train the jobs of a batch, each into an ordinary run folder, `folder/runs/NAME`.

    What lies there is resumed, and skipped when it is done. A job that fails is recorded in
    the sweep and the others go on. A signal, or a move of the sweep, ends the batch after saving:
    what was in progress is `interrupted`, and jobs that had not begun have no outcome.

    **Arguments:**

    - `batch`: what to train.
    - `folder`: the sweep's; it has to be there.
    - `news`: is told each outcome at once.
    """
    from grokscope.experiments.interrupt import listening
    from grokscope.experiments.sweeps.side_by_side import train_side_by_side

    outcomes: list[Outcome] = []

    def tell(job: Job, how: str | Exception) -> None:
        if place.lost:
            wish.express()
            outcomes.append(Outcome(job.name, INTERRUPTED))
        elif isinstance(how, str):
            forget_failure(folder, job.name)
            outcomes.append(Outcome(job.name, how))
        else:
            outcomes.append(failed(job.name, how, folder))
        if news is not None:
            news(outcomes[-1])

    with FolderHandle(folder) as place, listening() as wish:
        left = [job for job in batch.jobs if not _told_as_done(job, folder, tell)]
        train_side_by_side(left, folder, batch, tell, wish)
    return outcomes


def _told_as_done(job: Job, folder: Path, tell: Callable[[Job, str | Exception], None]) -> bool:
    """Tell how a job ended that has nothing left to train, or why its folder cannot be read."""
    try:
        done = status_if_done(folder / RUNS_NAME / job.name, job.config)
    except RunFolderError as error:
        tell(job, error)
        return True
    if done is not None:
        tell(job, done)
    return done is not None


def failed(name: str, error: BaseException | str, folder: Path) -> Outcome:
    """Record that a job failed, and return the outcome that says so."""
    if isinstance(error, GrokscopeError | str):
        line = str(error)
    else:
        line = f"{type(error).__name__}: {' '.join(str(error).split())}"[:_LONGEST_ERROR]
    line = printable(line)
    record_failure(folder, name, line)
    return Outcome(name, FAILED, line)


_LONGEST_ERROR: Final = 300
