"""A batch trains ordinary runs, resumes and skips them, and goes on where one fails."""

import dataclasses
import signal
from pathlib import Path
from typing import Any

import pytest

from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.disk.sweep_folder import failures
from grokscope.runner.loop import train_run
from grokscope.runner.training_run import TrainingRun
from grokscope.sweeps.batch import Batch, Outcome, run_batch
from grokscope.sweeps.job import Job, job_of, status_if_done


def small(helpers: Any, *expressions: str, **changes: Any) -> RunConfig:
    """Return the settings of a training whose program is compiled in a moment."""
    mlp = {"architecture": "mlp", "p": 5, "d_model": 4, "d_embedding": 4, "train_fraction": 0.8}
    return helpers.tiny(*expressions, **(mlp | changes))


def with_steps(config: RunConfig, steps: int) -> Job:
    schedule = dataclasses.replace(config.schedule, steps=steps)
    return job_of(dataclasses.replace(config, schedule=schedule))


def test_there_and_back(helpers: Any) -> None:
    batch = Batch((job_of(small(helpers)), job_of(small(helpers, "x*y"))), size=2)
    assert Batch.from_json(batch.to_json()) == batch


def test_runs_are_those_of_train(tmp_path: Path, helpers: Any) -> None:
    first, second = job_of(small(helpers)), job_of(small(helpers, "x*y"))
    told: list[Outcome] = []
    outcomes = run_batch(Batch((first, second)), tmp_path, told.append)
    assert outcomes == told
    assert [(o.name, o.status, o.error) for o in outcomes] == [
        (first.name, "undecided", None),
        (second.name, "undecided", None),
    ]
    alone = train_run(first.config, tmp_path / "alone").path
    assert helpers.contents(tmp_path / "runs" / first.name) == helpers.contents(alone)


def test_done_runs_are_left_alone_and_longer_ones_go_on(tmp_path: Path, helpers: Any) -> None:
    config = small(helpers)
    job, run = job_of(config), tmp_path / "runs" / job_of(config).name
    run_batch(Batch((job,)), tmp_path)
    files = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    run_batch(Batch((job,)), tmp_path)
    run_batch(Batch((with_steps(config, 20),)), tmp_path)
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == files
    longer = with_steps(config, 60)
    assert longer.name == job.name
    assert status_if_done(run, longer.config) is None
    run_batch(Batch((longer,)), tmp_path)
    assert RunFolder.open(run).manifest.results[0]["steps"] == 60
    assert status_if_done(run, longer.config) == "undecided"


def test_one_that_fails_does_not_stop_the_others(tmp_path: Path, helpers: Any) -> None:
    bad, good = job_of(small(helpers)), job_of(small(helpers, "x*y"))
    (tmp_path / "runs" / bad.name).mkdir(parents=True)
    (tmp_path / "runs" / bad.name / "notes.txt").write_text("mine")
    outcomes = run_batch(Batch((bad, good)), tmp_path)
    assert [outcome.status for outcome in outcomes] == ["failed", "undecided"]
    assert "is not empty and not a run" in str(outcomes[0].error)
    assert failures(tmp_path) == {bad.name: outcomes[0].error}
    (tmp_path / "runs" / bad.name / "notes.txt").unlink()
    assert [o.status for o in run_batch(Batch((bad, good)), tmp_path)] == ["undecided"] * 2
    assert failures(tmp_path) == {}


def test_unexpected_errors_are_one_line(
    tmp_path: Path, helpers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: Any, **__: Any) -> None:
        raise MemoryError("out of\nmemory \x1b[31m" + "x" * 999)

    monkeypatch.setattr("grokscope.sweeps.side_by_side.load_training", explode)
    (outcome,) = run_batch(Batch((job_of(small(helpers)),)), tmp_path)
    assert outcome.error is not None
    assert outcome.error.startswith("MemoryError: out of memory ")
    assert outcome.error.isprintable()
    assert len(outcome.error) < 400


def test_divergence_is_an_end_and_no_failure(tmp_path: Path, helpers: Any) -> None:
    job = job_of(small(helpers, learning_rate=10.0, weight_decay=1000.0, steps=400))
    outcomes = run_batch(Batch((job,)), tmp_path)
    assert outcomes == [Outcome(job.name, "diverged")]
    assert status_if_done(tmp_path / "runs" / job.name, job.config) == "diverged"


def test_an_interruption_saves_and_ends_the_batch(
    tmp_path: Path, helpers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = TrainingRun.record

    def interrupted(self: TrainingRun, *arguments: Any) -> None:
        record(self, *arguments)
        if self.step == 20:
            signal.raise_signal(signal.SIGTERM)

    jobs = (job_of(small(helpers)), job_of(small(helpers, "x*y")))
    with monkeypatch.context() as patch:
        patch.setattr(TrainingRun, "record", interrupted)
        assert run_batch(Batch(jobs), tmp_path) == [Outcome(jobs[0].name, "interrupted")]
    run = RunFolder.open(tmp_path / "runs" / jobs[0].name)
    assert run.manifest.status == "interrupted"
    assert run.manifest.results[0]["steps"] == 20
    assert status_if_done(run.path, jobs[0].config) is None
    assert [o.status for o in run_batch(Batch(jobs), tmp_path)] == ["undecided"] * 2
