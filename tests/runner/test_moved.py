"""A run whose folder is moved while it trains stops, loses nothing, and is never in two places."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import grokscope as gs
from grokscope.disk.folder import RunFolder
from grokscope.disk.listing import list_runs
from grokscope.errors import FilesRemovedError, FolderGoneError, FolderMovedError
from grokscope.runner.progress import Callbacks, Evaluation
from grokscope.sweeps import side_by_side
from grokscope.sweeps.batch import Batch, Outcome, run_batch
from grokscope.sweeps.job import job_of


class Meanwhile(Callbacks):
    """Does something while a step is told, between two saves."""

    def __init__(self, do: Callable[[], object], step: int = 10) -> None:
        self._do, self._step = do, step

    def evaluated(self, evaluation: Evaluation) -> None:
        if evaluation.step == self._step:
            self._do()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def renamed(here: Path) -> Path:
    return (here / "run").rename(here / "other")


def with_its_parent(here: Path) -> Path:
    return here.rename(here.with_name("there")) / "run"


def replaced(here: Path) -> Path:
    moved = renamed(here)
    (here / "run").mkdir()
    (here / "run" / "mine.txt").touch()
    return moved


@pytest.mark.parametrize("move", [renamed, with_its_parent, replaced])
def test_it_is_saved_where_it_lies_and_goes_on_there(
    helpers: SimpleNamespace, finished: Path, here: Path, move: Callable[[Path], Path]
) -> None:
    with pytest.raises(FolderMovedError) as caught:
        helpers.train(Path("run"), callbacks=Meanwhile(lambda: move(here)))
    moved = next(run for run in here.parent.rglob("manifest.json")).parent
    name = os.path.relpath(moved)
    assert caught.value.line == (
        f"the run's folder was moved while it trained, and lies in '{name}'; stopped at step 10, "
        f"everything is saved there; go on with: grokscope train --resume --out {name}"
    )
    manifest = RunFolder.open(moved).manifest
    assert (manifest.status, manifest.results[0]["steps"]) == ("interrupted", 10)
    left = here / "run"
    assert [path.name for path in left.rglob("*")] == ["mine.txt"] * (move is replaced)
    helpers.train(moved, resume=True)
    assert helpers.contents(moved) == helpers.contents(finished)


def test_it_is_saved_whole_when_it_is_moved_in_the_middle_of_a_save(
    helpers: SimpleNamespace, finished: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between each two files, and between the temporary file and its rename."""
    replace = Path.replace
    for at in range(4):
        left = iter(range(10))

        def moving(temporary: Path, path: Path, at: int = at, left: Iterator[int] = left) -> Path:
            if "manifest" not in path.name and next(left, None) == at:
                (here / "run").rename(here / "other")
            return replace(temporary, path)

        monkeypatch.setattr(Path, "replace", moving)
        with pytest.raises(FolderMovedError):
            helpers.train(Path("run"))
        monkeypatch.setattr(Path, "replace", replace)
        assert [path.name for path in here.iterdir()] == ["other"]
        helpers.train(here / "other", resume=True)
        assert helpers.contents(here / "other") == helpers.contents(finished)
        shutil.rmtree(here / "other")


@pytest.mark.parametrize("emptied", [False, True])
def test_a_run_that_was_removed_is_not_made_again(
    helpers: SimpleNamespace, here: Path, emptied: bool
) -> None:
    def remove() -> None:
        shutil.rmtree(here / "run")
        if emptied:
            (here / "run").mkdir()

    with pytest.raises(FolderGoneError, match="'run' was removed"):
        helpers.train(Path("run"), callbacks=Meanwhile(remove))
    assert list(here.rglob("*")) == [here / "run"] * emptied


@pytest.mark.parametrize("name", ["checkpoints", "metrics", "spectra"])
@pytest.mark.parametrize("interrupted", [False, True])
def test_what_was_removed_while_it_trained_is_named_at_the_end(
    helpers: SimpleNamespace, here: Path, name: str, interrupted: bool
) -> None:
    def remove() -> None:
        shutil.rmtree(here / "run" / name)
        if interrupted:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(FilesRemovedError) as caught:
        helpers.train(Path("run"), callbacks=Meanwhile(remove, step=30))
    line = str(caught.value)
    ended = "interrupted at step 30" if interrupted else "ended at step 40"
    assert line.startswith(f"{ended}; files that were saved have been removed from 'run' while")
    assert f": {name}/" in line
    assert caught.value.exit_code == 1
    manifest = RunFolder.open("run").manifest
    assert manifest.status == ("interrupted" if interrupted else "undecided")


def test_another_current_folder_changes_nothing(
    helpers: SimpleNamespace, finished: Path, here: Path
) -> None:
    """As %cd in a notebook, while and after it trains."""
    run = helpers.train(Path("run"), callbacks=Meanwhile(lambda: os.chdir("..")))
    (found,) = list_runs("here")
    os.chdir("/")
    assert run.path == found.path == here / "run"
    assert helpers.contents(run.path) == helpers.contents(finished)
    assert run.metrics().num_rows > 0
    assert gs.report([run.path]) == here / "run" / "report.html"


def test_an_explanation_does_not_make_a_folder_again(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    folder = RunFolder.open(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "moved")
    with pytest.raises(gs.errors.UsageError, match="cannot read the folder"):
        folder.write_file("explanation.json", b"{}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("before", ["first", "second"])
def test_a_sweep_that_is_moved_begins_nothing_in_its_old_place(
    helpers: SimpleNamespace, here: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """While its first job trains, or just before its second."""
    jobs = [job_of(helpers.tiny(operation)) for operation in ("x + y", "x*y")]
    sweep, advance = here / "sweep", side_by_side.step
    sweep.mkdir()

    def move(*_: object) -> None:
        if sweep.exists():
            sweep.rename(here / "moved")

    def moving(*arguments: Any) -> Any:
        if before == "first":
            move()
        return advance(*arguments)

    monkeypatch.setattr(side_by_side, "step", moving)
    outcomes = run_batch(Batch(tuple(jobs)), sweep, on_outcome=move)
    interrupted = Outcome(jobs[before == "second"].name, "interrupted")
    done = [Outcome(jobs[0].name, "undecided")] if before == "second" else []
    assert outcomes == [*done, interrupted]
    assert not sweep.exists()
    assert not (here / "moved" / "failures").exists()
    outcomes = run_batch(Batch(tuple(jobs)), here / "moved")
    assert [outcome.status for outcome in outcomes] == ["undecided"] * 2
