"""A folder under its lock is known wherever it is moved, and no other is taken for it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from grokscope.disk.lock import FolderHandle, LockedFolder
from grokscope.errors import DiskError, FolderGoneError, RunFolderError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "parent" / "run"
    path.mkdir(parents=True)
    return path


def renamed(folder: Path) -> Path:
    return folder.rename(folder.with_name("elsewhere"))


def with_its_parent(folder: Path) -> Path:
    return folder.parent.rename(folder.parent.with_name("other parent")) / folder.name


def replaced(folder: Path) -> Path:
    moved = renamed(folder)
    folder.mkdir()
    return moved


@pytest.mark.parametrize("move", [renamed, with_its_parent, replaced])
def test_it_is_found_where_it_was_moved(folder: Path, move: Callable[[Path], Path]):
    with FolderHandle(folder) as handle:
        assert (handle.path, handle.moved, handle.lost) == (folder, False, False)
        there = move(folder)
        assert (handle.path, handle.moved, handle.lost) == (there, True, True)


def test_back_in_its_place_it_is_not_moved(folder: Path):
    with FolderHandle(folder) as handle:
        there = renamed(folder)
        assert handle.moved
        there.rename(folder)
        assert (handle.path, handle.moved) == (folder, False)


def test_behind_a_link_it_is_not_moved(folder: Path):
    """Moved to where there is more space, with a link in its old place."""
    with FolderHandle(folder) as handle:
        there = renamed(folder)
        folder.symlink_to(there)
        assert (handle.path, handle.moved) == (folder, False)
        folder.unlink()
        assert (handle.path, handle.moved) == (there, True)


@pytest.mark.parametrize("another", [False, True])
def test_removed_is_one_line(folder: Path, another: bool):
    with FolderHandle(folder) as handle:
        folder.rmdir()
        if another:  # also where the disk gives it the number of the old one
            folder.mkdir()
        assert handle.lost
        for attribute in ("path", "moved"):
            with pytest.raises(FolderGoneError, match=r"was removed, or moved to another disk"):
                getattr(handle, attribute)


def test_where_nobody_says_the_new_place_it_is_gone(folder: Path, monkeypatch: pytest.MonkeyPatch):
    with FolderHandle(folder) as handle:
        renamed(folder)
        monkeypatch.setattr(FolderHandle, "_ask", lambda _: None)
        with pytest.raises(FolderGoneError):
            assert handle.path


def test_what_is_no_folder_is_one_line(tmp_path: Path):
    (tmp_path / "file").touch()
    for name in ("missing", "file"):
        with pytest.raises(DiskError):
            FolderHandle(tmp_path / name)


def test_a_relative_folder_stays_itself(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder.parent)
    locked = LockedFolder("run")
    monkeypatch.chdir("/")
    assert locked.path == folder
    with locked.lock():
        assert not locked.moved
        there = with_its_parent(folder)
        assert (locked.path, locked.moved) == (there, True)
    assert (locked.path, locked.moved) == (there, False)


def test_a_current_folder_that_was_removed_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(folder)
    shutil.rmtree(folder)
    with pytest.raises(RunFolderError, match="the current folder was removed"):
        LockedFolder("run")
