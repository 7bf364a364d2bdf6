"""Several jobs for one process, and how they are trained."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grokscope.config import RunConfig
from grokscope.errors import DivergedError, GrokscopeError, RunInterruptedError, printable
from grokscope.experiments.sweeps.done import status_if_done
from grokscope.experiments.sweeps.job import Job
from grokscope.runs.sweep_folder import RUNS_NAME, forget_failure, record_failure

FAILED: Final = "failed"
INTERRUPTED: Final = "interrupted"


@dataclass(frozen=True)
class Batch:
    """Jobs whose programs have the same shapes.

    **Arguments:**

    - `jobs`: what to train, in this order.
    - `size`: how many train side by side; one that ends makes room for the next.
    """

    jobs: tuple[Job, ...]
    size: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON, from which `from_json` makes the batch again."""
        return {"jobs": [job.to_json() for job in self.jobs], "size": self.size}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Batch":
        """Rebuild from `to_json`."""
        return cls(tuple(map(Job.from_json, document["jobs"])), document["size"])


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


def run_batch(
    batch: Batch, folder: Path, news: Callable[[Outcome], None] | None = None
) -> list[Outcome]:
    """Train the jobs of a batch, each into an ordinary run folder, `folder/runs/NAME`.

    What lies there is resumed, and skipped when it is done. A job that fails is recorded in
    the sweep and the others go on. SIGINT or SIGTERM ends the batch after saving: what was in
    progress is `interrupted`, and jobs that had not begun have no outcome.

    **Arguments:**

    - `batch`: what to train.
    - `folder`: the sweep's.
    - `news`: is told each outcome at once.
    """
    outcomes: list[Outcome] = []
    for job in batch.jobs:
        outcomes.append(_train(job, folder))
        if news is not None:
            news(outcomes[-1])
        if outcomes[-1].status == INTERRUPTED:
            break
    return outcomes


def _train(job: Job, folder: Path) -> Outcome:
    """Train one job, or find it done; record it where it fails."""
    try:
        status = _train_to_its_end(job.config, folder / RUNS_NAME / job.name)
        forget_failure(folder, job.name)
    except RunInterruptedError:
        return Outcome(job.name, INTERRUPTED)
    # Whatever it is, the other runs go on, and the sweep says what happened to this one.
    except Exception as error:
        return failed(job.name, error, folder)
    return Outcome(job.name, status)


def _train_to_its_end(config: RunConfig, run: Path) -> str:
    """Return the status of the run, trained if it was not done; raises as `train_run`."""
    done = status_if_done(run, config)
    if done is not None:
        return done
    from grokscope.experiments.run import train_run

    try:
        return train_run(config, run, resume=True).folder.manifest.status
    except DivergedError:
        return "diverged"


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
