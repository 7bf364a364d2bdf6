"""A sweep trains what is not done, may be interrupted, extended and merged, and records it all."""

import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import grokscope as gs
from grokscope.disk.listing import list_runs
from grokscope.disk.sweep_folder import SweepFolder
from grokscope.errors import RunFolderError, RunInterruptedError, UsageError
from grokscope.runner.loop import train_run
from grokscope.sweeps.batch import Batch, run_batch
from grokscope.sweeps.states import States
from grokscope.sweeps.sweep import SweepCallbacks, read_spec, run_sweep


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_trains_records_and_never_repeats(tmp_path: Path, sweep_of: Any, inline: Any) -> None:
    spec, first, again = sweep_of(), inline(), inline()
    folder = run_sweep(spec, tmp_path / "s", engine=first)
    names = [job.name for job in spec.jobs()]
    assert first.trained == names
    rows = pq.read_table(folder.path / "index.parquet").to_pylist()
    assert {row["name"] for row in rows} == set(names)
    assert {row["status"] for row in rows} == {"undecided"}
    assert {run.path.name for run in list_runs(tmp_path / "s")} == set(names)
    assert folder.spec_text == spec.text
    before = files(folder.runs)
    run_sweep(spec, tmp_path / "s", engine=again)
    assert again.trained == []
    assert files(folder.runs) == before


def test_grows_along_an_axis_and_keeps_what_it_leaves_out(
    tmp_path: Path, sweep_of: Any, inline: Any
) -> None:
    run_sweep(sweep_of(), tmp_path, engine=inline())
    engine = inline()
    wider = sweep_of({"operation": ["x*y", "x - y"]})
    folder = run_sweep(wider, tmp_path, engine=engine)
    assert engine.trained == [wider.jobs()[1].name]
    assert folder.index().num_rows == 3
    assert folder.spec_text == wider.text


def test_more_steps_train_undecided_runs_on(
    tmp_path: Path, sweep_of: Any, inline: Any, helpers: Any
) -> None:
    run_sweep(sweep_of(), tmp_path / "s", engine=inline())
    longer, engine = sweep_of(steps=40), inline()
    run_sweep(longer, tmp_path / "s", engine=engine)
    assert engine.trained == [job.name for job in longer.jobs()]
    job = longer.jobs()[0]
    train_run(job.config, tmp_path / "alone")
    ours = helpers.contents(tmp_path / "s" / "runs" / job.name)
    alone = helpers.contents(tmp_path / "alone")
    for part in ("state", "state step", "results", "metrics"):
        assert ours[part] == alone[part]


class Interrupter(SweepCallbacks):
    """Presses Ctrl-C when training is about to start."""

    def begin(self, states: States) -> None:
        assert states.points
        signal.raise_signal(signal.SIGINT)


def test_an_interruption_is_told_and_leaves_an_index(
    tmp_path: Path, sweep_of: Any, inline: Any
) -> None:
    engine = inline()
    with pytest.raises(RunInterruptedError, match=r"go on with: gs\.sweep\("):
        run_sweep(sweep_of(), tmp_path, engine=engine, callbacks=Interrupter())
    assert engine.trained == []
    assert (tmp_path / "index.parquet").exists()
    run_sweep(sweep_of(), tmp_path, engine=engine)
    assert len(engine.trained) == 2


def test_a_failure_is_recorded_and_tried_again(tmp_path: Path, sweep_of: Any, inline: Any) -> None:
    spec = sweep_of()
    bad, good = (job.name for job in spec.jobs())
    (tmp_path / "sweep.toml").write_text("")
    (tmp_path / "runs" / bad).mkdir(parents=True)
    (tmp_path / "runs" / bad / "notes.txt").write_text("mine")
    folder = run_sweep(spec, tmp_path, engine=inline())
    assert list(folder.failures) == [bad]
    rows = {row["name"]: row for row in folder.index().to_pylist()}
    assert rows[bad]["status"] == "failed"
    assert "not empty and not a run" in rows[bad]["error"]
    assert (rows[good]["status"], rows[good]["error"]) == ("undecided", None)
    (tmp_path / "runs" / bad / "notes.txt").unlink()
    folder = run_sweep(spec, tmp_path, engine=inline())
    assert folder.failures == {}
    assert {row["status"] for row in folder.index().to_pylist()} == {"undecided"}


def test_a_second_writer_is_refused(tmp_path: Path, sweep_of: Any, inline: Any) -> None:
    folder = SweepFolder.create(tmp_path / "s")
    with folder.lock(), pytest.raises(RunFolderError, match="is in use by process"):
        run_sweep(sweep_of(), tmp_path / "s", engine=inline())


def test_folders_that_are_no_sweep_are_refused(tmp_path: Path, sweep_of: Any, inline: Any) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    for out, message in (("mine", "not empty and not a sweep"), ("mine/notes.txt/s", "is a file")):
        with pytest.raises(RunFolderError, match=message):
            run_sweep(sweep_of(), tmp_path / out, engine=inline())
    with pytest.raises(UsageError):
        run_sweep(sweep_of(p=1), tmp_path / "new", engine=inline())
    assert not (tmp_path / "new").exists()


def test_waits_for_orphans(tmp_path: Path, sweep_of: Any, inline: Any) -> None:
    """A worker of a killed sweep still holds a run for a moment."""
    spec = sweep_of()
    run = tmp_path / "runs" / spec.jobs()[0].name
    run.mkdir(parents=True)
    (tmp_path / "sweep.toml").touch()
    program = (
        "import pathlib, sys, time; from grokscope.disk.lock import exclusive\n"
        "with exclusive(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True); time.sleep(1)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(run)], stdout=subprocess.PIPE
    ) as orphan:
        assert orphan.stdout is not None
        assert orphan.stdout.readline() == b"held\n"
        folder = run_sweep(spec, tmp_path, engine=inline())
    assert folder.failures == {}


def test_python(tmp_path: Path, sweep_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = sweep_of()
    (tmp_path / "sweeps" / "mine").mkdir(parents=True)
    for job in spec.jobs():
        run_batch(Batch((job,)), tmp_path / "sweeps" / "mine")
    (tmp_path / "mine.toml").write_text(spec.text)
    (tmp_path / "sweeps" / "mine" / "sweep.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert gs.sweep("mine.toml").path == tmp_path / "sweeps" / "mine"
    assert gs.sweep("sweeps/mine").index().num_rows == 2
    described = tomllib.loads(spec.text)
    assert gs.sweep(described, "sweeps/mine", workers=1).index().num_rows == 2
    with pytest.raises(UsageError, match="needs out"):
        gs.sweep(described)
    with pytest.raises(UsageError, match="the engine is unknown"):
        gs.sweep(described, "x", engine="slurm")


def test_where_a_description_is_trained(tmp_path: Path, sweep_of: Any) -> None:
    text = sweep_of().text
    (tmp_path / "My Spec.toml").write_text(text)
    assert read_spec(tmp_path / "My Spec.toml")[1] == Path("sweeps/myspec")
    (tmp_path / "sweep.toml").write_text(text)
    assert read_spec(tmp_path / "sweep.toml")[1] == Path("sweeps/sweep")
    (tmp_path / "runs").mkdir()
    assert read_spec(tmp_path / "sweep.toml")[1] == tmp_path
    assert read_spec(tmp_path)[1] == tmp_path
    with pytest.raises(RunFolderError, match="is not a sweep"):
        read_spec(tmp_path / "runs")


def test_a_done_run_whose_record_is_damaged_is_a_failure(
    tmp_path: Path, sweep_of: Any, inline: Any
) -> None:
    """What the sweep counts, its index lists and its records say is the same."""
    spec = sweep_of()
    folder = run_sweep(spec, tmp_path, engine=inline())
    bad, good = (job.name for job in spec.jobs())
    (part,) = list((folder.runs / bad / "metrics").glob("*20-*"))
    part.write_bytes(part.read_bytes()[:-1])
    folder = run_sweep(spec, tmp_path, engine=inline())
    assert States(spec.points, tmp_path).counts == {"failed": 1, "undecided": 1}
    rows = {row["name"]: row for row in folder.index().to_pylist()}
    assert (rows[bad]["status"], rows[good]["status"]) == ("failed", "undecided")
    assert folder.failures[bad].endswith(f"{bad}' to train it again")
    shutil.rmtree(folder.runs / bad)
    folder = run_sweep(spec, tmp_path, engine=inline())
    assert folder.failures == {}
    assert States(spec.points, tmp_path).counts == {"undecided": 2}
