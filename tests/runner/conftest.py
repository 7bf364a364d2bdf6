"""Trainings of a second: their settings, what they leave behind, and ways to stop them."""

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pytest

from grokscope.config.run import RunConfig, configure
from grokscope.disk.folder import RunFolder
from grokscope.runner.loop import train_run
from grokscope.runner.progress import Beginning, Callbacks, Evaluation

TINY: Final[dict[str, Any]] = {
    "preset": "quick",
    "p": 7,
    "d_model": 16,
    "heads": 2,
    "d_mlp": 16,
    "train_fraction": 0.6,
    "steps": 40,
    "eval_every": 10,
    "save_every": 20,
    "spectra_every": 20,
    "checkpoint_every": 30,
    "stop": False,
}


def tiny(*expressions: str, **changes: Any) -> RunConfig:
    """Return the settings of a training of a second; `x + y` by default."""
    return configure(expressions or ("x + y",), **TINY | changes)


def train(
    out: Path,
    *expressions: str,
    resume: bool = False,
    callbacks: Callbacks | None = None,
    **changes: Any,
) -> RunFolder:
    return train_run(tiny(*expressions, **changes), out, resume=resume, callbacks=callbacks)


def contents(path: Path) -> dict[str, Any]:
    """Return what must not depend on how often a run was interrupted."""
    run = RunFolder.open(path)
    saved = run.load_state()
    assert saved is not None
    step, tensors, meta = saved
    checkpoints = {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.glob("checkpoints/*/*.safetensors"))
    }
    return {
        "checkpoints": checkpoints,
        "state": {name: array.tobytes() for name, array in tensors.items()},
        "state step": (step, meta["diverged_at"]),
        # as text, in which nan equals nan
        "metrics": [repr(row) for row in run.metrics().to_pylist()],
        "spectra": [repr(row) for row in run.spectra().to_pylist()],
        "results": run.manifest.results,
        "status": run.manifest.status,
    }


@dataclass
class Recorder(Callbacks):
    """Keeps the news of a training, and breaks in at the steps given."""

    interrupt_at: int | None = None
    """The user presses Ctrl-C while this step is told."""
    crash_at: int | None = None
    """The program dies while this step is told."""
    beginnings: list[Beginning] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    preparations: list[str] = field(default_factory=list)

    def preparing(self, what: str) -> None:
        self.preparations.append(what)

    def begin(self, beginning: Beginning) -> None:
        self.beginnings.append(beginning)

    def evaluated(self, evaluation: Evaluation) -> None:
        self.evaluations.append(evaluation)
        if evaluation.step == self.interrupt_at:
            signal.raise_signal(signal.SIGINT)
        if evaluation.step == self.crash_at:
            raise RuntimeError("crash")

    def warn(self, line: str) -> None:
        self.warnings.append(line)


def accuracies(path: Path, seed: int = 0) -> dict[int, float]:
    """Return the recorded test accuracy of one seed by step."""
    rows = RunFolder.open(path).metrics().to_pylist()
    return {
        row["step"]: row["value"]
        for row in rows
        if (row["seed"], row["measure"]) == (seed, "test_accuracy")
    }


@pytest.fixture(scope="session")
def helpers() -> SimpleNamespace:
    """The names above, for tests, which cannot import this file."""
    return SimpleNamespace(
        tiny=tiny,
        train=train,
        contents=contents,
        Recorder=Recorder,
        accuracies=accuracies,
        settings=TINY,
    )


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of `x + y` that has come to its end; only to be read."""
    return train(tmp_path_factory.mktemp("finished") / "run").path


@pytest.fixture(scope="session")
def softmax() -> Callable[[np.ndarray], np.ndarray]:
    """Probabilities in float64."""

    def probabilities(logits: np.ndarray) -> np.ndarray:
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    return probabilities
