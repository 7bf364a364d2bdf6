"""Runs of other folders are taken over when they are the same runs, and only then."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest

from grokscope.disk.folder import RunFolder
from grokscope.disk.sweep_folder import SweepFolder
from grokscope.errors import RunFolderError
from grokscope.runner.loop import train_run
from grokscope.sweeps.sweep import SweepCallbacks, plan, run_sweep


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


class Told(SweepCallbacks):
    def merged(self, source: Path, merged: Any) -> None:
        self.source, self.merge = source, merged


def test_merging_takes_over_equal_runs_whatever_their_names(
    tmp_path: Path, sweep_of: Any, inline: Any
) -> None:
    """Done runs are taken, also longer ones; others, open and damaged ones are not."""
    spec = sweep_of({"operation": ["x + y", "x*y", "x - y", "y"]}, steps=20)
    there = tmp_path / "there"
    for name, texts, settings in [
        ("00 mine", ["x+y"], {}),
        ("01-longer", ["x * y"], {"steps": 30}),
        ("02-other", ["x"], {}),
        ("03-other", ["x + y"], {"weight_decay": 0.5}),
        ("04-damaged", ["x - y"], {}),
        ("05-open", ["y"], {}),
    ]:
        (job,) = sweep_of({"operation": texts}, **settings).jobs()
        train_run(job.config, there / name)
    part = next((there / "04-damaged" / "metrics").iterdir())
    part.write_bytes(part.read_bytes()[:-1])
    manifest = there / "05-open" / "manifest.json"
    run = RunFolder.open(manifest.parent)
    run.write_manifest(dataclasses.replace(run.manifest, status="running"))
    before, told = files(there), Told()
    planned = plan(spec, tmp_path / "s", [there])
    assert [job.name for job, _ in planned.left] == [job.name for job in spec.jobs()[2:]]
    assert not (tmp_path / "s").exists()
    folder = run_sweep(
        spec, tmp_path / "s", engine=inline(), merge=[there], train=False, callbacks=told
    )
    names = [job.name for job in spec.jobs()]
    assert told.merge.names == names[:2]
    assert told.merge == planned.merged[there]
    assert (told.merge.others, told.merge.unfinished, told.merge.here) == (2, 1, 0)
    assert [("damaged" in error) for error in told.merge.errors] == [True]
    assert files(there) == before
    assert {path.name for path in folder.runs.iterdir()} == set(names[:2])
    assert not list(folder.runs.rglob(".lock"))
    assert {row["name"]: row["steps"] for row in folder.index().to_pylist()} == {
        names[0]: 20,
        names[1]: 30,
    }
    engine = inline()
    run_sweep(spec, tmp_path / "s", engine=engine, merge=[there], callbacks=told)
    assert (told.merge.names, told.merge.here) == ([], 2)
    assert engine.trained == names[2:]


def test_merging_knows_a_transfer_by_the_weights_and_not_by_their_place(
    tmp_path: Path, sweep_of: Any, inline: Any
) -> None:
    """The same source elsewhere is the same run, which also goes on; another source is not."""
    parts = {"load": ["embedding"], "freeze": ["embedding"]}
    for seed, name in ((0, "add"), (1, "other")):
        (job,) = sweep_of({"operation": ["x + y"]}, seed=seed, checkpoint_every=20).jobs()
        train_run(job.config, tmp_path / name)
    shutil.copytree(tmp_path / "add", tmp_path / "moved")
    for source in ("add", "other"):
        (job,) = sweep_of(
            {"operation": ["x*y"]},
            source=f"{tmp_path}/{source}",
            source_seed=seed_of(tmp_path / source),
            **parts,
        ).jobs()
        train_run(job.config, tmp_path / "there" / source)
    spec = sweep_of({"operation": ["x*y"]}, source=f"{tmp_path}/moved", steps=30, **parts)
    told, engine = Told(), inline()
    folder = run_sweep(
        spec, tmp_path / "s", engine=engine, merge=[tmp_path / "there"], callbacks=told
    )
    (job,) = spec.jobs()
    assert (told.merge.names, told.merge.others) == ([job.name], 1)
    assert engine.trained == [job.name]
    (row,) = folder.index().to_pylist()
    assert (row["status"], row["steps"]) == ("undecided", 30)
    taken = RunFolder.open(folder.runs / job.name).manifest.transfer
    assert taken is not None
    assert taken["source"] == f"{tmp_path}/add"


def seed_of(run: Path) -> int:
    return RunFolder.open(run).manifest.seeds[0]


def test_merging_replaces_only_what_is_not_done(tmp_path: Path, sweep_of: Any, inline: Any) -> None:
    short, long = sweep_of(steps=10), sweep_of(steps=20)
    run_sweep(short, tmp_path / "a", engine=inline())
    run_sweep(long, tmp_path / "b", engine=inline())
    told = Told()
    # undecided at 10 steps here, at 20 there, and 20 are wanted
    run_sweep(
        long, tmp_path / "a", engine=inline(), merge=[tmp_path / "b"], train=False, callbacks=told
    )
    assert len(told.merge.names) == 2
    assert {row["steps"] for row in SweepFolder.open(tmp_path / "a").index().to_pylist()} == {20}
    # and the other way round there is nothing to gain
    run_sweep(long, tmp_path / "b", engine=inline(), merge=[tmp_path / "a"], callbacks=told)
    assert (told.merge.names, told.merge.here) == ([], 2)
    with pytest.raises(RunFolderError, match="into itself"):
        run_sweep(long, tmp_path / "a", engine=inline(), merge=[tmp_path / "a"])


def test_a_killed_merge_leaves_no_half_run(tmp_path: Path, sweep_of: Any, inline: Any) -> None:
    spec = sweep_of()
    run_sweep(spec, tmp_path / "a", engine=inline())
    first, second = (job.name for job in spec.jobs())
    runs = tmp_path / "b" / "runs"
    (runs / f".merging-{first}").mkdir(parents=True)
    (tmp_path / "b" / "sweep.toml").touch()
    shutil.copytree(tmp_path / "a" / "runs" / second, runs / f".replaced-{second}")
    engine = inline()
    folder = run_sweep(spec, tmp_path / "b", engine=engine, merge=[tmp_path / "a"])
    assert engine.trained == []
    assert {path.name for path in folder.runs.iterdir()} == {first, second}
