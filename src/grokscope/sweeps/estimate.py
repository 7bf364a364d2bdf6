"""How long a sweep will take, from a few real steps of its largest shapes."""

import dataclasses
import math
import queue
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from grokscope.config.optimizer import OptimizerConfig
from grokscope.config.run import RunConfig
from grokscope.errors import GrokscopeError
from grokscope.progress import doing
from grokscope.runner.identity import program_of
from grokscope.sweeps.engines.cores import Cores, worker_cores
from grokscope.sweeps.engines.process import Process
from grokscope.sweeps.job import Job

BUDGET: Final = 16.0
"""Seconds after which no other shape is measured: the rest is scaled from those that were."""
_MODULE: Final = "grokscope.sweeps.timing"


class Times(NamedTuple):
    """Seconds that runs of one shape take on one core or GPU.

    **Arguments:**

    - `per_step`: one step, evaluations included.
    - `compiling`: before the first step in a new process, as far as programs were not kept.
    - `loading`: the same once all programs are kept, which measuring does.
    - `beginning`: before the first step of a further run in the same process.
    """

    per_step: float
    compiling: float
    loading: float
    beginning: float


@dataclass(frozen=True)
class Shape:
    """Runs that differ only in what their time does not depend on.

    **Arguments:**

    - `config`: one of them.
    - `steps`: what each of them is to train.
    - `times`: what they take.
    - `measured`: whether that was measured; otherwise it was scaled from another shape.
    """

    config: RunConfig
    steps: tuple[int, ...]
    times: Times
    measured: bool

    @property
    def starting(self) -> float:
        """Seconds before the first step in a new process."""
        return self.times.loading if self.measured else self.times.compiling

    @property
    def training(self) -> float:
        """Seconds for all its runs, one after the other."""
        return len(self.steps) * self.times.beginning + sum(self.steps) * self.times.per_step


@dataclass(frozen=True)
class Estimate:
    """The time that a sweep takes if every run takes all its steps.

    **Arguments:**

    - `shapes`: what was measured or scaled, the largest first.
    - `workers`: how many train at a time.
    - `seconds`: with so many.
    """

    shapes: list[Shape]
    workers: int
    seconds: float

    def of(self, jobs: Sequence[tuple[Job, int]]) -> float:
        """Return the seconds that some of its runs train, without what starts the processes."""
        times = {_shape_of(shape.config): shape.times for shape in self.shapes}
        each = [(times[_shape_of(job.config)], steps) for job, steps in jobs]
        return sum(t.beginning + steps * t.per_step for t, steps in each) / self.workers


def estimate(jobs: Sequence[tuple[Job, int]], workers: int) -> Estimate:
    """Train a few real steps of the largest shapes, on all cores or GPUs at once, and add up.

    **Arguments:**

    - `jobs`: what is to do, each with its number of steps.
    - `workers`: how many jobs train at the same time.

    **Raises:** `GrokscopeError` when the steps cannot be trained.
    """
    groups: dict[Hashable, tuple[RunConfig, list[int]]] = {}
    for job, steps in jobs:
        groups.setdefault(_shape_of(job.config), (job.config, []))[1].append(steps)
    largest_first = sorted(groups.values(), key=lambda g: -_work(g[0]) * sum(g[1]))
    busy = max(1, min(workers, len(jobs)))
    begun, measured = _measure([config for config, _ in largest_first], busy)
    shapes = [
        Shape(config, tuple(steps), *_times(config, measured)) for config, steps in largest_first
    ]
    # every worker starts, and meets every shape, at the same time as the others
    start = begun + sum(shape.starting for shape in shapes)
    return Estimate(shapes, busy, start + sum(shape.training for shape in shapes) / busy)


def _measure(
    configs: Sequence[RunConfig], workers: int
) -> tuple[float, list[tuple[RunConfig, Times]]]:
    """Return the seconds until a process is ready, and what was measured within the budget.

    As many processes as will work measure the same at the same time: cores share caches and
    memory, and with whatever else the machine does.
    """
    started = time.perf_counter()
    asked = [_Measuring(place) for place in worker_cores()[:workers]]
    begun, found = 0.0, []
    try:
        for i, config in enumerate(configs):
            before = time.perf_counter()
            doing(f"measuring shape {i + 1} of {len(configs)}: {shape_in_words(config)}")
            for one in asked:
                one.ask(config)
            answers = [one.answer(config) for one in asked]
            now = time.perf_counter()
            took = max(answer.pop("took", 0.0) for answer in answers)
            begun = begun or max(now - started - took, 0.0)
            found.append((config, _mean([Times(**answer) for answer in answers])))
            if now - started + (now - before) > BUDGET:
                break
    finally:
        for one in asked:
            one.process.kill()
    return begun, found


class _Measuring:
    """A process that trains a few steps of what it is asked about, and says how long they took."""

    def __init__(self, place: Cores) -> None:
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.process = Process(_MODULE, place, None, lambda _, said: self._answers.put(said))

    def ask(self, config: RunConfig) -> None:
        """Ask for the times of a shape."""
        self.process.say({"config": config.to_json()})

    def answer(self, config: RunConfig) -> dict[str, float]:
        """Wait for them; raises `GrokscopeError` where it died."""
        said = self._answers.get()
        if said is None:
            raise GrokscopeError(
                "a few steps could not be trained",
                got=shape_in_words(config),
                next_step="train one such run to see why",
            )
        if "refused" in said:
            raise GrokscopeError(said["refused"])
        return said


def _mean(times: Sequence[Times]) -> Times:
    return Times(*(sum(column) / len(times) for column in zip(*times, strict=True)))


def _times(config: RunConfig, measured: Sequence[tuple[RunConfig, Times]]) -> tuple[Times, bool]:
    """Return what a shape takes, and whether it was measured; else scale the nearest one."""
    shape = _shape_of(config)
    for other, times in measured:
        if _shape_of(other) == shape:
            return times, True
    other, times = min(measured, key=lambda m: _distance(m[0], config))
    return times._replace(per_step=times.per_step * _work(config) / _work(other)), False


def _distance(one: RunConfig, other: RunConfig) -> tuple[bool, float]:
    """Order shapes: those with the same optimiser first, then those of similar work."""
    same = program_of(one) == program_of(other)
    return not same, abs(math.log(_work(one) / _work(other)))


def _work(config: RunConfig) -> float:
    """Return what a step's matrix products grow with: pairs, and numbers of the network."""
    task, model = config.task, config.model
    pairs = task.p**2 * len(task.expressions)
    numbers = model.layers * (model.d_model * (model.d_mlp + 2 * model.d_model))
    # a step goes forward and backward over what trains, an evaluation forward over everything
    passes = 3 * task.train_fraction + 1 / config.schedule.eval_every
    return pairs * passes * (numbers + model.d_mlp * task.p)


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


def _shape_of(config: RunConfig) -> Hashable:
    return program_of(config), config.task.train_fraction
