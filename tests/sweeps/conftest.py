"""The smallest sweep that trains, and an engine without processes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from tests.runner import conftest as runner

from grokscope.sweeps.batch import Batch, Outcome, run_batch
from grokscope.sweeps.job import INTERRUPTED
from grokscope.sweeps.spec import Spec

helpers, finished = runner.helpers, runner.finished
"""Trainings of a second, as the tests of single runs have them."""

SMALL: Final[dict[str, Any]] = {
    "preset": "quick",
    "p": 5,
    "architecture": "mlp",
    "d_model": 4,
    "d_embedding": 4,
    "train_fraction": 0.8,
    "steps": 20,
    "eval_every": 10,
    "save_every": 10,
    "spectra_every": 10,
    "stop": False,
}


def small(axes: dict[str, Any] | None = None, **fixed: Any) -> Spec:
    """Return the description of a sweep whose runs take a moment; by default two."""
    axes = axes or {"operation": ["x + y", "x*y"]}
    shared = {name: value for name, value in (SMALL | fixed).items() if name not in axes}
    return Spec.from_dict({"axes": axes, "fixed": shared})


class Inline:
    """Trains in this process, and keeps what it was handed."""

    name = "inline"
    slots = 1
    memory_mib = None

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def run(
        self, batches: Sequence[Batch], folder: Path, *, watch: Callable[[], bool] | None = None
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for batch in batches:
            if watch is not None and watch():
                break
            self.batches.append(batch)
            outcomes += run_batch(batch, folder)
            if outcomes[-1].status == INTERRUPTED:
                break
        return outcomes

    @property
    def trained(self) -> list[str]:
        return [job.name for batch in self.batches for job in batch.jobs]


@pytest.fixture
def sweep_of() -> Callable[..., Spec]:
    """The function `small`."""
    return small


@pytest.fixture
def inline() -> Callable[[], Inline]:
    """The class `Inline`."""
    return Inline
