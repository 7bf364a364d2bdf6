"""The local engine: the same bits with one worker or two, and nothing lost when one is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from grokscope.disk.folder import RunFolder
from grokscope.disk.lock import LOCK_NAME
from grokscope.disk.manifest import read_manifest
from grokscope.disk.sweep_folder import failures
from grokscope.errors import GrokscopeError
from grokscope.sweeps.batch import Batch
from grokscope.sweeps.engines.engine import make_engine
from grokscope.sweeps.engines.local import LocalEngine
from grokscope.sweeps.estimate import estimate
from grokscope.sweeps.job import Job
from grokscope.sweeps.spec import Spec

PATIENCE: Final = 300
SMALL: Final[dict[str, Any]] = {
    "preset": "quick",
    "p": 5,
    "architecture": "mlp",
    "d_model": 4,
    "d_embedding": 4,
    "train_fraction": 0.8,
    "steps": 40,
    "eval_every": 10,
    "save_every": 10,
    "spectra_every": 10,
    "stop": False,
}
ENDLESS: Final = {"steps": 100_000_000, "checkpoint_every": 100_000_000}

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="two workers need two cores"
)


def jobs(*operations: str, **fixed: Any) -> list[Job]:
    return Spec.from_dict({"axes": {"operation": operations}, "fixed": SMALL | fixed}).jobs()


def batches(found: list[Job]) -> list[Batch]:
    return [Batch((job,)) for job in found]


def holder(run: Path) -> int:
    """Return the process that trains a run."""
    return int((run / LOCK_NAME).read_text() or 0)


def trained(run: Path) -> bool:
    """Whether something is saved that could be lost."""
    return len(list(run.glob("metrics/part-*"))) > 2


def when(ready: Callable[[], bool], do: Callable[[], Any]) -> Callable[[], bool]:
    """Return what an engine may watch: once it is ready something is done; then it is true."""
    done: list[bool] = []
    end = time.monotonic() + PATIENCE

    def watch() -> bool:
        assert time.monotonic() < end
        if not done and ready():
            do()
            done.append(True)
        return bool(done)

    return watch


def test_the_same_bits_with_one_worker_or_two(tmp_path: Path, helpers: Any) -> None:
    found = jobs("x + y", "x*y")
    for workers in (1, 2):
        engine = make_engine("local", workers=workers)
        assert (engine.name, engine.slots, engine.memory_mib) == ("local", workers, None)
        outcomes = engine.run(batches(found), tmp_path / str(workers))
        assert {(o.name, o.status) for o in outcomes} == {(job.name, "undecided") for job in found}
    cores = set()
    for job in found:
        one, two = (tmp_path / number / "runs" / job.name for number in "12")
        assert helpers.contents(one) == helpers.contents(two)
        determinism = read_manifest(two / "manifest.json").determinism
        assert determinism["threads"] == 1
        cores.add(holder(two))
    assert len(cores) == 2  # two processes took part


def test_a_killed_worker_is_replaced_and_its_run_goes_on(tmp_path: Path, helpers: Any) -> None:
    victim, other = jobs("x + y", "x*y", steps=2000)
    run = tmp_path / "runs" / victim.name
    kill = when(lambda: trained(run), lambda: os.kill(holder(run), signal.SIGKILL))
    seen: list[int] = []

    def watch() -> bool:
        if kill() and not seen:
            seen.append(RunFolder.open(run).manifest.times["training_seconds"])
        return False

    outcomes = LocalEngine(2).run(batches([victim, other]), tmp_path, watch=watch)
    assert seen
    assert {(o.name, o.status) for o in outcomes} == {
        (victim.name, "undecided"),
        (other.name, "undecided"),
    }
    whole = tmp_path / "whole"
    LocalEngine(1).run(batches([victim]), whole)
    assert helpers.contents(run) == helpers.contents(whole / "runs" / victim.name)


def test_who_dies_twice_has_failed_and_the_others_go_on(tmp_path: Path) -> None:
    (victim,), (other,) = jobs("x + y", **ENDLESS), jobs("x*y")
    run, killed = tmp_path / "runs" / victim.name, set()

    def watch() -> bool:
        if (run / LOCK_NAME).exists() and (process := holder(run)) and process not in killed:
            killed.add(process)
            os.kill(process, signal.SIGKILL)
        return False

    outcomes = LocalEngine(1).run([Batch((victim, other), size=2)], tmp_path, watch=watch)
    assert {(o.name, o.status) for o in outcomes} == {
        (victim.name, "failed"),
        (other.name, "undecided"),
    }
    assert len(killed) == 2
    assert "died twice (SIGKILL" in failures(tmp_path)[victim.name]


def test_where_nothing_can_compute_the_reason_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAX_PLATFORMS", "nonsense")
    with pytest.raises(GrokscopeError, match="unset JAX_PLATFORMS"):
        LocalEngine(1).run(batches(jobs("x + y")), tmp_path)
    assert failures(tmp_path) == {}
    with pytest.raises(GrokscopeError, match="unset JAX_PLATFORMS"):
        estimate([(job, 40) for job in jobs("x + y")], 1)


def test_stopping_saves(tmp_path: Path) -> None:
    found = jobs("x + y", "x*y", "x - y", **ENDLESS)
    runs = [tmp_path / "runs" / job.name for job in found]
    watch = when(lambda: trained(runs[0]) and trained(runs[1]), lambda: None)
    outcomes = LocalEngine(2).run(batches(found), tmp_path, watch=watch)
    assert {(o.name, o.status) for o in outcomes} == {
        (job.name, "interrupted") for job in found[:2]
    }
    assert [read_manifest(run / "manifest.json").status for run in runs[:2]] == ["interrupted"] * 2
    assert not runs[2].exists()
    assert failures(tmp_path) == {}


def test_an_error_of_the_watcher_leaves_no_worker(tmp_path: Path) -> None:
    (job,) = jobs("x + y", **ENDLESS)
    run, seen = tmp_path / "runs" / job.name, []

    def watch() -> bool:
        if trained(run):
            seen.append(holder(run))
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        LocalEngine(1).run(batches([job]), tmp_path, watch=watch)
    with pytest.raises(ProcessLookupError):
        os.kill(seen[0], 0)


def test_a_program_needs_no_main_guard(tmp_path: Path) -> None:
    """As a spawned `multiprocessing` would; and whoever waits imports no JAX."""
    program = f"""
import sys
import grokscope as gs
folder = gs.sweep({{"axes": {{"operation": ["x + y"]}}, "fixed": {SMALL!r}}}, "out")
print(folder.index().to_pylist()[0]["status"], "jax" in sys.modules)
"""
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.stdout, done.stderr) == ("undecided False\n", "")
