"""Jobs beside each other end as they would alone, whatever happens to their neighbours."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.config.run import configure
from grokscope.disk.folder import RunFolder
from grokscope.errors import DiskError
from grokscope.runner import program
from grokscope.runner.interrupt import StopRequest
from grokscope.runner.loop import train_run
from grokscope.sweeps import side_by_side
from grokscope.sweeps.batch import Batch
from grokscope.sweeps.job import Job, job_of
from grokscope.sweeps.side_by_side import train_side_by_side

TINY = {
    "p": 7,
    "d_model": 8,
    "heads": 2,
    "d_mlp": 12,
    "steps": 40,
    "eval_every": 10,
    "save_every": 20,
    "train_fraction": 0.6,
}


def jobs(*changes: dict[str, Any]) -> list[Job]:
    return [job_of(configure((c.pop("op", "x + y"),), "quick", **(TINY | c))) for c in changes]


MIXED = [
    {"op": "random", "seeds": (0,)},
    {"op": "random", "seeds": (1,), "learning_rate": 3e-3},
    {"op": "x*y", "seeds": (2,)},
    {"op": "random", "seeds": (3,), "steps": 20},
    {"op": "random", "seeds": (4,), "weight_decay": 0.1},
]
"""All but x*y, which has a structure to look at, are of one shape."""


def train(work: Sequence[Job], sweep: Path, size: int, stop: StopRequest | None = None) -> dict:
    told: dict[str, Any] = {}

    def tell(job: Job, how: str | Exception) -> None:
        assert job.name not in told
        told[job.name] = how

    sweep.mkdir(exist_ok=True)
    batch = Batch(tuple(work), size)
    train_side_by_side(work, sweep, batch, tell, StopRequest() if stop is None else stop)
    return told


def run_of(sweep: Path, job: Job) -> Path:
    return sweep / "runs" / job.name


def weights(run: Path) -> dict[str, np.ndarray]:
    folder = RunFolder.open(run)
    return dict(folder.load_checkpoint(folder.manifest.seeds[0])[0])


def test_a_run_has_the_bits_that_it_has_alone(helpers: SimpleNamespace, tmp_path: Path) -> None:
    work = jobs(*map(dict, MIXED))
    told = train(work, tmp_path / "together", 3)
    assert told == {job.name: "undecided" for job in work}
    for job in work:
        train_run(job.config, run_of(tmp_path / "alone", job))
        found, alone = (
            helpers.contents(run_of(tmp_path / where, job)) for where in ("together", "alone")
        )
        for part in ("checkpoints", "state", "metrics", "spectra"):
            assert found[part] == alone[part], (job.name, part)


def test_a_failure_stays_with_its_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = jobs(*({"op": "random", "seeds": (seed,)} for seed in range(4)))
    (tmp_path / "runs" / work[0].name).mkdir(parents=True)
    (tmp_path / "runs" / work[0].name / "something").touch()
    append = RunFolder.append

    def full(folder: RunFolder, metrics: Any, spectra: Any, last_step: int) -> None:
        if folder.path.name == work[2].name and last_step == 20:
            raise DiskError("the disk is full")
        append(folder, metrics, spectra, last_step)

    monkeypatch.setattr(RunFolder, "append", full)
    told = train(work, tmp_path, 2)
    assert "is not empty" in str(told[work[0].name])
    assert str(told[work[2].name]) == "the disk is full"
    assert [told[work[i].name] for i in (1, 3)] == ["undecided"] * 2
    # what it had saved is kept, and it goes on from there
    monkeypatch.undo()
    assert train(work[2:3], tmp_path, 2) == {work[2].name: "undecided"}


def test_a_request_to_stop_saves_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = jobs(*({"op": "random", "seeds": (seed,)} for seed in range(3)))
    stop = StopRequest()
    advance = side_by_side.step

    def once(*arguments: Any) -> Any:
        if not stop:
            stop.set()
        return advance(*arguments)

    monkeypatch.setattr(side_by_side, "step", once)
    told = train(work, tmp_path / "stopped", 2, stop)
    assert told == {job.name: "interrupted" for job in work[:2]}
    assert RunFolder.open(run_of(tmp_path / "stopped", work[1])).manifest.status == "interrupted"
    monkeypatch.undo()
    train(work, tmp_path / "stopped", 3)
    train(work, tmp_path / "whole", 1)
    for job in work:
        stopped, whole = (weights(run_of(tmp_path / name, job)) for name in ("stopped", "whole"))
        for matrix, W in whole.items():
            assert np.array_equal(stopped[matrix], W), (job.name, matrix)


def test_on_a_gpu_fractions_and_operations_of_a_group_share_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = [{"seeds": (0,)}, {"op": "x - y"}, {"seeds": (2,), "train_fraction": 0.8}]
    work = jobs(*map(dict, changes))
    train(work, tmp_path / "map", 1)
    for module in (program, side_by_side):
        monkeypatch.setattr(module, "run_axis", lambda: "vmap")
    seen: list[int] = []
    advance = side_by_side.step

    def counted(runs: Any) -> Any:
        seen.append(len(runs))
        return advance(runs)

    monkeypatch.setattr(side_by_side, "step", counted)
    assert train(work, tmp_path / "vmap", 3) == {job.name: "undecided" for job in work}
    assert set(seen) == {3}
    for job in work:
        one, other = (weights(run_of(tmp_path / name, job)) for name in ("map", "vmap"))
        for matrix, W in one.items():
            assert_allclose(other[matrix], W, rtol=2e-3, atol=2e-4, err_msg=job.name)


def test_a_run_that_goes_on_between_two_evaluations_has_its_own_pace(tmp_path: Path) -> None:
    first = jobs({"op": "random", "seeds": (0,), "steps": 25})
    for name in ("together", "alone"):
        train(first, tmp_path / name, 1)
    more = jobs({"op": "random", "seeds": (0,)}, {"op": "random", "seeds": (1,)})
    assert first[0].name == more[0].name
    train(more, tmp_path / "together", 2)
    for job in more:
        train([job], tmp_path / "alone", 1)
        found, alone = (weights(run_of(tmp_path / name, job)) for name in ("together", "alone"))
        steps = [
            RunFolder.open(run_of(tmp_path / name, job)).checkpoint_steps(job.config.seeds[0])
            for name in ("together", "alone")
        ]
        assert steps[0] == steps[1]
        for matrix, W in alone.items():
            assert np.array_equal(found[matrix], W), (job.name, matrix)
