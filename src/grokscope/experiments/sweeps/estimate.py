"""How long a sweep will take, from a few real steps of each of its shapes."""

import dataclasses
import queue
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grokscope.config import OptimizerConfig, RunConfig
from grokscope.errors import GrokscopeError
from grokscope.experiments.engines.places import places
from grokscope.experiments.engines.process import Process
from grokscope.experiments.sweeps.batching import program_of
from grokscope.experiments.sweeps.job import Job

MEASURED_STEPS: Final = 50
"""Most steps of a chunk that is measured."""
_MODULE: Final = "grokscope.experiments.sweeps.measure"


@dataclass(frozen=True)
class Measured:
    """What one shape takes: runs that differ only in what their time does not depend on.

    **Arguments:**

    - `config`: the run of this shape that was measured.
    - `n_jobs`: runs of this shape that are to do.
    - `per_step`: seconds per step, evaluations included.
    - `start`: seconds before the first step, mostly compiling.
    """

    config: RunConfig
    n_jobs: int
    per_step: float
    start: float


@dataclass(frozen=True)
class Estimate:
    """The time that a sweep takes if every run takes all its steps.

    **Arguments:**

    - `shapes`: what was measured.
    - `seconds`: with `workers` at a time.
    """

    shapes: list[Measured]
    workers: int
    seconds: float


def estimate(
    jobs: Sequence[tuple[Job, int]], workers: int, tell: Callable[[str], None] = lambda _: None
) -> Estimate:
    """Train a few real steps of each distinct shape, alone on one core or GPU, and add up.

    **Arguments:**

    - `jobs`: what is to do, each with its number of steps.
    - `workers`: how many jobs train at the same time.
    - `tell`: hears what is measured.

    **Raises:** `GrokscopeError` when the steps cannot be trained.
    """
    groups: dict[Hashable, list[tuple[Job, int]]] = {}
    for job, steps in jobs:
        groups.setdefault(_shape_of(job.config), []).append((job, steps))
    shapes, total = [], 0.0
    answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    process = Process(_MODULE, places(1)[0], None, lambda _, said: answers.put(said))
    try:
        for i, group in enumerate(groups.values()):
            config = group[0][0].config
            tell(f"measuring shape {i + 1} of {len(groups)}: {shape_in_words(config)}")
            process.say({"config": config.to_json()})
            shapes.append(_measured(config, len(group), answers.get()))
            total += shapes[-1].per_step * sum(steps for _, steps in group)
    finally:
        process.kill()
    busy = max(1, min(workers, len(jobs)))
    # every worker compiles every shape, and all at the same time
    return Estimate(shapes, busy, sum(shape.start for shape in shapes) + total / busy)


_OF_A_RUN: Final = ("learning_rate", "weight_decay")
"""Settings of the optimiser that a step's time does not depend on."""


def shape_in_words(config: RunConfig) -> str:
    """Return what a step's time depends on, in words."""
    task, n = config.task, len(config.task.expressions)
    several = f", {n} operations" if n > 1 else ""
    words = f"p = {task.p}, r = {task.train_fraction:g}{several}, {config.model.architecture}"
    mine, plain = dataclasses.asdict(config.optimizer), dataclasses.asdict(OptimizerConfig())
    other = [name for name in mine if mine[name] != plain[name] and name not in _OF_A_RUN]
    return ", ".join([words, *(f"{name.replace('_', ' ')} {_plain(mine[name])}" for name in other)])


def _plain(value: Any) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _measured(config: RunConfig, n_jobs: int, said: dict[str, Any] | None) -> Measured:
    if said is None:
        raise GrokscopeError("a few steps could not be trained", got=shape_in_words(config),
                             next_step="train one such run to see why")  # fmt: skip
    return Measured(config, n_jobs, **said)


def _shape_of(config: RunConfig) -> Hashable:
    return program_of(config), config.task.train_fraction
