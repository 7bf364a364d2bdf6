import dataclasses
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from grokscope.disk.folder import RunFolder
from grokscope.disk.listing import RunSummary, list_runs
from grokscope.disk.manifest import write_manifest
from grokscope.errors import RunFolderError


def make(path: Path, helpers: SimpleNamespace, status: str = "grokked") -> RunFolder:
    run = RunFolder.create(path, helpers.new_manifest())
    helpers.save(run, -1, 100)
    helpers.save(run, 100, 200)
    results = [{"seed": 0, "grokked_at": 150}, {"seed": 4_000_000_000, "grokked_at": None}]
    manifest = dataclasses.replace(run.manifest, status=status, results=results)
    run.write_manifest(manifest)
    return run


def only(folder: Path) -> RunSummary:
    (summary,) = list_runs(folder)
    return summary


def test_no_runs(tmp_path: Path):
    assert list_runs(tmp_path) == []
    assert list_runs(tmp_path / "missing") == []
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "todo.txt").touch()
    (tmp_path / "file").touch()
    assert list_runs(tmp_path) == []


def test_a_file_instead_of_a_folder(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="not a directory"):
        list_runs(tmp_path / "file")


def test_a_name_that_is_too_long(tmp_path: Path):
    with pytest.raises(RunFolderError, match="name too long"):
        list_runs(tmp_path / ("x" * 300))


def test_one_run(tmp_path: Path, helpers: SimpleNamespace):
    run = make(tmp_path / "run", helpers)
    summary = only(tmp_path)
    assert summary.error is None
    assert (summary.path, summary.operation, summary.p) == (run.path, "x + y", 97)
    assert summary.train_fraction == 0.3
    assert summary.seeds == (0, 4_000_000_000)
    assert (summary.state, summary.step) == ("grokked", 200)
    assert summary.grokked_at == {0: 150, 4_000_000_000: None}
    # at step 200 one seed has 0.2 and the other 0.7
    assert summary.test_accuracy == pytest.approx(0.45, abs=1e-15)
    assert summary.unleaked_accuracy is None  # undefined for every seed
    assert summary.train_accuracy is None  # never written
    assert summary.ffs == {"W_E": pytest.approx(1 / 201), "W_L": 0.25}
    assert summary.fcr == {}
    assert summary.age is not None
    assert 0 <= summary.age < 60


def test_age_counts_from_the_last_manifest(tmp_path: Path, helpers: SimpleNamespace):
    run = make(tmp_path / "run", helpers)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds")
    times = run.manifest.times | {"updated": yesterday}
    write_manifest(run.path / "manifest.json", dataclasses.replace(run.manifest, times=times))
    assert only(tmp_path).age == pytest.approx(86_400, abs=60)


def test_running_means_locked(tmp_path: Path, helpers: SimpleNamespace):
    run = make(tmp_path / "run", helpers, status="running")
    assert only(tmp_path).state == "interrupted (killed)"
    with run.lock():
        assert only(tmp_path).state == "running"


def test_a_run_that_saved_nothing_yet(tmp_path: Path, helpers: SimpleNamespace):
    RunFolder.create(tmp_path / "run", helpers.new_manifest())
    assert only(tmp_path).error is None
    assert only(tmp_path).step is None


def damage_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes((folder / "manifest.json").read_bytes()[:100])


def damage_part(folder: Path) -> None:
    part = next(folder.glob("metrics/part-*"))
    data = bytearray(part.read_bytes())
    data[len(data) // 3] ^= 1
    part.write_bytes(data)


def lose_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def make_newer(folder: Path) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(document | {"format": 2}))


def change_shape(folder: Path) -> None:
    manifest = RunFolder.open(folder).manifest
    write_manifest(folder / "manifest.json", dataclasses.replace(manifest, config={"task": 3}))


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (damage_manifest, "is damaged"),
        (damage_part, "part-"),
        (lose_manifest, "has no manifest"),
        (make_newer, "newer grokscope"),
        (change_shape, "cannot be read as a run"),
    ],
)
def test_a_damaged_run_among_good_ones(tmp_path: Path, helpers: SimpleNamespace, damage, line):
    for name in ("a", "b", "c"):
        make(tmp_path / name, helpers)
    damage(tmp_path / "b")
    good, bad, other = list_runs(tmp_path)
    assert good.error is None
    assert dataclasses.replace(other, path=good.path, age=good.age) == good
    assert bad.path == tmp_path / "b"
    assert bad.error is not None
    assert line in bad.error
    assert bad.error.isprintable()


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)<", "x*y", "[ab]?", "'; DROP TABLE runs --", "measure=step", "~", "a\nb"],
)
def test_any_name(tmp_path: Path, helpers: SimpleNamespace, name: str):
    make(tmp_path / name, helpers)
    make(tmp_path / "xy", helpers)  # what a pattern x*y would also match
    good = next(summary for summary in list_runs(tmp_path) if summary.path.name == name)
    assert good.error is None
    assert good.test_accuracy == pytest.approx(0.45, abs=1e-15)
    shutil.rmtree(good.path / "state")
    damage_manifest(good.path)
    bad = next(summary for summary in list_runs(tmp_path) if summary.path.name == name)
    assert bad.error is not None
    assert bad.error.isprintable()


def test_a_relative_folder(tmp_path: Path, helpers: SimpleNamespace, monkeypatch):
    make(tmp_path / "run", helpers)
    monkeypatch.chdir(tmp_path)
    assert only(Path()).test_accuracy == pytest.approx(0.45, abs=1e-15)
