"""What a training tells whoever watches it: the terminal, a notebook, or nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grokscope.config import RunConfig
from grokscope.experiments.progress import SeedProgress


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


class Listener(Protocol):
    """Takes the news of a training; every method returns at once."""

    def preparing(self, what: str) -> None:
        """Something that may take minutes has begun, before the first step."""
        ...

    def begin(self, beginning: Beginning) -> None:
        """Training is about to start."""
        ...

    def evaluated(self, evaluation: Evaluation) -> None:
        """New numbers are there."""
        ...

    def warn(self, line: str) -> None:
        """Something the user should know, in one line."""
        ...


class Silent:
    """Listens and says nothing."""

    def preparing(self, what: str) -> None:
        """Do nothing."""

    def begin(self, beginning: Beginning) -> None:
        """Do nothing."""

    def evaluated(self, evaluation: Evaluation) -> None:
        """Do nothing."""

    def warn(self, line: str) -> None:
        """Do nothing."""
