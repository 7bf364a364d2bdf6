"""Several jobs for one process: which go together, and how they are trained."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grokscope.config.run import RunConfig
from grokscope.disk.lock import FolderHandle
from grokscope.disk.sweep_folder import RUNS_NAME, forget_failure, record_failure
from grokscope.errors import GrokscopeError, RunFolderError, printable
from grokscope.numerics import computing
from grokscope.runner.identity import program_of
from grokscope.sweeps.job import INTERRUPTED, Job, status_if_done

FAILED: Final = "failed"


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
    batch: Batch, folder: Path, on_outcome: Callable[[Outcome], None] | None = None
) -> list[Outcome]:
    """Train the jobs of a batch, each into an ordinary run folder, `folder/runs/NAME`.

    What lies there is resumed, and skipped when it is done. A job that fails is recorded in
    the sweep and the others go on. A signal, or a move of the sweep, ends the batch after saving:
    what was in progress is `interrupted`, and jobs that had not begun have no outcome.

    **Arguments:**

    - `batch`: what to train.
    - `folder`: the sweep's; it has to be there.
    - `on_outcome`: is called with each outcome at once.
    """
    from grokscope.runner.interrupt import stop_requests
    from grokscope.sweeps.side_by_side import train_side_by_side

    outcomes: list[Outcome] = []

    def on_end(job: Job, how: str | Exception) -> None:
        if handle.lost:
            stop.set()
            outcomes.append(Outcome(job.name, INTERRUPTED))
        elif isinstance(how, str):
            forget_failure(folder, job.name)
            outcomes.append(Outcome(job.name, how))
        else:
            outcomes.append(record_failed_job(job.name, how, folder))
        if on_outcome is not None:
            on_outcome(outcomes[-1])

    with FolderHandle(folder) as handle, stop_requests() as stop:
        left = [job for job in batch.jobs if not _is_done(job, folder, on_end)]
        train_side_by_side(left, folder, batch, on_end, stop)
    return outcomes


def _is_done(job: Job, folder: Path, on_end: Callable[[Job, str | Exception], None]) -> bool:
    """Whether a job has nothing left to train, or a folder that cannot be read; then say so."""
    try:
        status = status_if_done(folder / RUNS_NAME / job.name, job.config)
    except RunFolderError as error:
        on_end(job, error)
        return True
    if status is not None:
        on_end(job, status)
    return status is not None


def record_failed_job(name: str, error: BaseException | str, folder: Path) -> Outcome:
    """Record that a job failed, and return the outcome that says so."""
    if isinstance(error, str):
        line = error
    elif isinstance(error, GrokscopeError):
        line = error.line
    else:
        line = f"{type(error).__name__}: {' '.join(str(error).split())}"[:_LONGEST_ERROR]
    line = printable(line)
    record_failure(folder, name, line)
    return Outcome(name, FAILED, line)


_LONGEST_ERROR: Final = 300


_LARGEST: Final = 128
_SHARE_OF_MEMORY: Final = 0.6
_PIECES_PER_SIZE: Final = 8


def make_batches(
    jobs: Sequence[Job], *, slots: int, size: int | None = None, memory_mib: int | None = None
) -> list[Batch]:
    """Return the jobs as batches, in an order that keeps equal programs together.

    A batch of size 1 has one job, so that the workers share them out as they get free. A larger
    one has more jobs than train side by side: those that end make room for the others.

    **Arguments:**

    - `slots`: how many batches train at the same time.
    - `size`: how many jobs train side by side; None is 1 on a CPU, on a GPU what it holds.
    - `memory_mib`: of the GPU; None on a CPU.
    """
    groups: dict[Hashable, list[Job]] = {}
    for job in jobs:
        groups.setdefault(program_of(job.config), []).append(job)
    batches = []
    for group in groups.values():
        largest = max((job.config for job in group), key=mib_per_run)
        wide = size or side_by_side(largest, memory_mib)
        share = 1 if wide == 1 else max(wide, min(-(-len(group) // slots), wide * _PIECES_PER_SIZE))
        pieces = [group[i : i + share] for i in range(0, len(group), share)]
        batches += [Batch(tuple(piece), min(wide, len(piece))) for piece in pieces]
    return batches


def side_by_side(config: RunConfig, memory_mib: int | None) -> int:
    """Return how many runs train at the same time: one on a CPU core, many on a GPU."""
    if memory_mib is None:
        return 1
    fits = int(memory_mib * _SHARE_OF_MEMORY / mib_per_run(config))
    return max(1, min(_LARGEST, fits))


def mib_per_run(config: RunConfig) -> float:
    """Return about how much memory one run takes on a GPU, in MiB.

    Counted are the numbers that a step keeps per training example, and an evaluation per pair.
    """
    task, model = config.task, config.model
    pairs = task.p**2 * len(task.expressions)
    # neurons before and after the ReLU, logits and their exponentials, the residual stream
    width = 3 * model.d_mlp + 4 * task.p + 12 * model.d_model
    train = pairs * task.train_fraction * width * model.layers
    evaluation = min(pairs, 16384) * (2 * model.d_mlp + 3 * task.p + 6 * model.d_model)
    return 4 * (train + evaluation) / 2**20
