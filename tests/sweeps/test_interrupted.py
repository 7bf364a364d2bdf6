"""Stopped at once, at any moment, a run is interrupted and no failure; it goes on to the bit."""

import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import pytest

from grokscope.config.run import configure
from grokscope.disk.folder import RunFolder
from grokscope.disk.sweep_folder import failures
from grokscope.runner.loop import train_run
from grokscope.runner.training_run import TrainingRun
from grokscope.sweeps.batch import Batch, run_batch
from grokscope.sweeps.job import Job, job_of

TINY: dict[str, Any] = {
    "p": 7,
    "d_model": 8,
    "heads": 2,
    "d_mlp": 12,
    "steps": 40,
    "eval_every": 10,
    "save_every": 20,
    "train_fraction": 0.6,
}
MOMENTS = [
    pytest.param(jax, "device_get", id="while it computes"),
    pytest.param(TrainingRun, "_record_seed", id="while numbers are recorded"),
    pytest.param(RunFolder, "append", id="before rows are written"),
    pytest.param(RunFolder, "save_state", id="between rows and state"),
]


def jobs(n: int) -> list[Job]:
    return [job_of(configure(("random",), "quick", seeds=(seed,), **TINY)) for seed in range(n)]


def asked_twice(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, n: int) -> None:
    """Let SIGINT and SIGTERM come, as to a process group, in a call after the first step."""
    real, calls = getattr(where, name), 0

    def signalled(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == n + 1:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
        return real(*arguments, **named)

    monkeypatch.setattr(where, name, signalled)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the same runs, which nobody interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    for job in jobs(2):
        train_run(job.config, folder / job.name)
    return folder


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize(("where", "name"), MOMENTS)
def test_side_by_side(
    helpers: SimpleNamespace,
    tmp_path: Path,
    whole: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
    size: int,
) -> None:
    sweep, batch = tmp_path / "sweep", Batch(tuple(jobs(size)), size)
    sweep.mkdir()
    told: list[str] = []
    asked_twice(monkeypatch, where, name, size)
    with pytest.raises(KeyboardInterrupt):
        run_batch(batch, sweep, lambda outcome: told.append(outcome.status))
    monkeypatch.undo()
    assert told == ["interrupted"] * size
    assert failures(sweep) == {}
    run_batch(batch, sweep)
    for job in batch.jobs:
        assert_equal(helpers, sweep / "runs" / job.name, whole / job.name)


@pytest.mark.parametrize(("where", "name"), MOMENTS)
def test_one_run(
    helpers: SimpleNamespace,
    tmp_path: Path,
    whole: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
) -> None:
    (job,) = jobs(1)
    asked_twice(monkeypatch, where, name, 1)
    with pytest.raises(KeyboardInterrupt):
        train_run(job.config, tmp_path / "run")
    monkeypatch.undo()
    assert RunFolder.open(tmp_path / "run").manifest.status == "running"  # as after a kill
    train_run(job.config, tmp_path / "run", resume=True)
    assert_equal(helpers, tmp_path / "run", whole / job.name)


def assert_equal(helpers: SimpleNamespace, run: Path, other: Path) -> None:
    found, expected = helpers.contents(run), helpers.contents(other)
    for part in ("checkpoints", "state", "metrics", "spectra"):
        assert found[part] == expected[part], part
