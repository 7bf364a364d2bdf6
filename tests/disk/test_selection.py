"""Which runs are meant by folders, and in which order."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from grokscope.config.run import RunConfig, TaskConfig
from grokscope.disk.folder import RunFolder
from grokscope.disk.listing import paths_of, select
from grokscope.disk.manifest import all_settings, differing, run_labels
from grokscope.disk.sweep_folder import SweepFolder
from grokscope.errors import RunFolderError, UsageError

Make = Callable[..., RunFolder]


@pytest.fixture
def make(helpers: SimpleNamespace) -> Make:
    def run(path: Path, seed: int = 0, decay: float = 1.0, p: int = 97) -> RunFolder:
        config = RunConfig(task=TaskConfig(p=p), seeds=(seed,)).to_json()
        config["optimizer"]["weight_decay"] = decay
        return RunFolder.create(path, helpers.new_manifest(**config))

    return run


@pytest.fixture
def sweep(tmp_path: Path, make: Make) -> Path:
    """Weight decays 2 and 10 with two seeds each; names say nothing of their order."""
    folder = tmp_path / "sweep"
    for name, seed, decay in (("a", 1, 10.0), ("b", 0, 10.0), ("c", 0, 2.0), ("d", 1, 2.0)):
        make(folder / "runs" / name, seed, decay)
    (folder / "sweep.toml").touch()
    return folder


def names(*paths: Path) -> list[str]:
    return [run.name for run in select(paths).runs]


def test_a_sweep_stands_for_its_runs_by_their_settings(sweep: Path) -> None:
    assert names(sweep) == ["c", "d", "b", "a"]
    assert select([sweep, sweep]).sweep == sweep


def test_runs_and_sweeps_together_have_each_run_once(sweep: Path, make: Make) -> None:
    other = make(sweep.parent / "other").path
    found = select([other, sweep, sweep / "runs" / "a", other])
    assert [run.name for run in found.runs] == ["other", "c", "d", "b", "a"]
    assert found.sweep is None
    assert select([other, other]).is_one_run
    assert not select([sweep]).is_one_run


def test_a_run_is_named_by_what_was_returned_or_its_path(sweep: Path) -> None:
    path = sweep / "runs" / "a"
    folder = RunFolder(path)
    trained = SimpleNamespace(folder=folder, path=folder.path)
    for form in (str(path), path, folder, trained):
        assert paths_of(form) == paths_of([form]) == paths_of(iter((form,))) == [path]
        assert RunFolder(form).manifest == RunFolder.open(form).manifest == folder.manifest
    assert paths_of((SweepFolder.open(sweep), str(path))) == [sweep, path]
    for wrong in (3, None, b"runs/a", {"a": 1}, [[path]], [None]):
        with pytest.raises(UsageError, match="this is no path"):
            paths_of(wrong)
    with pytest.raises(RunFolderError, match="is not a run folder"):
        RunFolder(sweep)


def test_a_damaged_and_a_failed_run_of_a_sweep_are_the_last(sweep: Path) -> None:
    (sweep / "runs" / "c" / "manifest.json").write_text("{")
    (sweep / "failures").mkdir()
    (sweep / "failures" / "gone.json").write_text('{"error": "no memory"}')
    assert names(sweep) == ["d", "b", "a", "c", "gone"]
    assert select([sweep]).runs[sweep / "runs" / "gone"] == "no memory"


def test_what_is_no_run_is_one_line(sweep: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="is not a run folder"):
        select([sweep, tmp_path])
    with pytest.raises(UsageError, match="no run is named"):
        select([])
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "sweep.toml").touch()
    with pytest.raises(RunFolderError, match="has no runs yet"):
        select([tmp_path / "new"])


def test_labels_say_what_differs(make: Make, tmp_path: Path) -> None:
    runs = [make(tmp_path / "a", 0, 0.5), make(tmp_path / "b", 0, 1), make(tmp_path / "c", 1, 1)]
    settings = [all_settings(run.manifest) for run in runs]
    assert differing(settings) == ["weight_decay", "seed"]
    assert run_labels(settings, ["a", "b", "c"]) == [
        "weight decay 0.5, seed 0",
        "weight decay 1, seed 0",
        "weight decay 1, seed 1",
    ]


def test_labels_of_equal_runs_are_their_names(make: Make, tmp_path: Path) -> None:
    runs = [make(tmp_path / name, p=p) for name, p in (("a", 97), ("b", 97), ("c", 59))]
    settings = [all_settings(run.manifest) for run in runs]
    assert run_labels(settings, ["a", "b", "c"]) == ["p 97, a", "p 97, b", "p 59"]
    assert run_labels(settings[:2], ["a", "b"]) == ["a", "b"]


def test_operations_and_several_seeds_have_words_of_their_own(make: Make, tmp_path: Path) -> None:
    one, two = make(tmp_path / "a"), make(tmp_path / "b")
    manifest = dataclasses.replace(two.manifest, operation="x*y", seeds=[0, 1, 2])
    settings = [all_settings(one.manifest), all_settings(manifest)]
    assert run_labels(settings, ["a", "b"]) == ["x + y, seed 0", "x*y, seed 0 1 2"]
