"""How far each seed has come, and what a training tells whoever watches it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from grokscope.config.run import RunConfig, ScheduleConfig
from grokscope.measures import first_confirmed

CONFIRMATIONS: Final = 5
GROKKED: Final = 0.99


@dataclass
class Milestone:
    """The first evaluation whose accuracy is high and stays high, found as evaluations come in."""

    threshold: float
    at: int | None = None
    _recent: list[tuple[int, float]] = field(default_factory=list)

    def add(self, step: int, accuracy: float) -> None:
        """Take the next evaluation."""
        if self.at is None:
            self._recent = [*self._recent, (step, accuracy)][-CONFIRMATIONS - 1 :]
            steps, values = zip(*self._recent, strict=True)
            self.at = first_confirmed(steps, values, self.threshold, CONFIRMATIONS)

    @property
    def at_if_next_is_high(self) -> int | None:
        """The first evaluation, or what it becomes if the next accuracy is high."""
        last = self._recent[-CONFIRMATIONS:]
        high = len(last) == CONFIRMATIONS and all(a >= self.threshold for _, a in last)
        return last[0][0] if self.at is None and high else self.at


@dataclass
class Milestones:
    """One milestone per operation; all are reached when the last one is."""

    each: list[Milestone]

    @classmethod
    def of(cls, threshold: float, n_tasks: int) -> "Milestones":
        """Return those of `n_tasks` operations."""
        return cls([Milestone(threshold) for _ in range(n_tasks)])

    def add(self, step: int, accuracies: Sequence[float]) -> None:
        """Take the next evaluation, one accuracy per operation."""
        for milestone, accuracy in zip(self.each, accuracies, strict=True):
            milestone.add(step, accuracy)

    @property
    def at(self) -> int | None:
        """When the last operation got there."""
        return _last([milestone.at for milestone in self.each])

    @property
    def at_if_next_is_high(self) -> int | None:
        """The same if the next accuracies are high."""
        return _last([milestone.at_if_next_is_high for milestone in self.each])


def _last(steps: list[int | None]) -> int | None:
    known = [step for step in steps if step is not None]
    return max(known) if len(known) == len(steps) else None


@dataclass
class SeedProgress:
    """One seed's way: its milestones, and whether it still trains."""

    seed: int
    schedule: ScheduleConfig
    operations: tuple[str, ...]
    step: int = 0
    evaluations: int = 0
    diverged_at: int | None = None

    def __post_init__(self) -> None:
        n_tasks = len(self.operations)
        self._memorised = Milestones.of(GROKKED, n_tasks)
        self._grokked = Milestones.of(GROKKED, n_tasks)
        self._stopping = Milestones.of(self.schedule.stop_accuracy, n_tasks)

    def add(self, step: int, train: Sequence[float], test: Sequence[float]) -> None:
        """Take the next evaluation: train and test accuracy of every operation."""
        self.step = step
        self.evaluations += 1
        self._memorised.add(step, train)
        self._grokked.add(step, test)
        self._stopping.add(step, test)

    @property
    def memorised_at(self) -> int | None:
        """First confirmed step with train accuracy ≥ 99%; of a mixture, of its last operation."""
        return self._memorised.at

    @property
    def grokked_at(self) -> int | None:
        """First confirmed step with test accuracy ≥ 99%; of a mixture, of its last operation."""
        return self._grokked.at

    @property
    def active(self) -> bool:
        """Whether there is something left to train."""
        if self.diverged_at is not None or self.step >= self.schedule.steps:
            return False
        reached = self._stopping.at
        margin = self.schedule.stop_margin
        return not (self.schedule.stop and reached is not None and self.step >= reached + margin)

    def may_end(self, step: int) -> bool:
        """Whether the next evaluation, at `step`, may be the last; a divergence is not foreseen."""
        reached = self._stopping.at_if_next_is_high
        margin = self.schedule.stop_margin
        stops = self.schedule.stop and reached is not None and step >= reached + margin
        return stops or step >= self.schedule.steps

    @property
    def status(self) -> str:
        """`grokked`, `undecided` or `diverged`."""
        if self.diverged_at is not None:
            return "diverged"
        return "undecided" if self.grokked_at is None else "grokked"

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """Per operation of a mixture, when it was memorised and grokked."""
        pairs = zip(self.operations, self._memorised.each, self._grokked.each, strict=True)
        return [
            {"operation": operation, "memorised_at": memorised.at, "grokked_at": grokked.at}
            for operation, memorised, grokked in pairs
        ]

    def result(self, counts: dict[str, int]) -> dict[str, Any]:
        """Return what the manifest keeps of this seed; `counts` are its numbers of pairs."""
        mixture = {"tasks": self.tasks} if len(self.operations) > 1 else {}
        return {
            "seed": self.seed,
            "status": self.status,
            "memorised_at": self.memorised_at,
            "grokked_at": self.grokked_at,
            "diverged_at": self.diverged_at,
            "steps": self.step,
            **counts,
            **mixture,
        }


def overall_status(seeds: Iterable[SeedProgress]) -> str:
    """Return the status of the whole run: the worst of its seeds'."""
    found = {seed.status for seed in seeds}
    return next(status for status in ("diverged", "undecided", "grokked") if status in found)


@dataclass(frozen=True)
class Beginning:
    """A training that starts or goes on."""

    config: RunConfig
    operation: str
    path: Path
    step: int
    """0, or the step at which a resumed run goes on."""
    n_train: int
    n_test: int
    n_undefined: int


@dataclass(frozen=True)
class Evaluation:
    """The newest numbers of every seed."""

    step: int
    seeds: Sequence[SeedProgress]
    values: dict[str, list[float]]
    """One number per seed by name: `test_accuracy`, `ffs W_E`, `ffs W_E matched` and so on."""
    steps_per_second: float
    """Over the whole program, all seeds together counted once; compilation left out."""


class Callbacks:
    """Is told how a training goes; a subclass overrides the methods that it needs.

    Each returns at once: the training waits for it.

        >>> class Accuracies(gs.Callbacks):
        ...     def evaluated(self, evaluation):
        ...         print(evaluation.step, evaluation.values["test_accuracy"])
        >>> run = gs.train("x*y", out="runs/told", callbacks=Accuracies(), **TINY)
        20 [...]
        40 [...]
    """

    def preparing(self, what: str) -> None:
        """Something that may take minutes has begun, before the first step."""

    def begin(self, beginning: Beginning) -> None:
        """Training is about to start."""

    def evaluated(self, evaluation: Evaluation) -> None:
        """New numbers are there."""

    def warn(self, line: str) -> None:
        """Something the user should know, in one line."""
