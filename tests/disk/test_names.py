import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.disk.lock import LOCK_NAME
from grokscope.disk.names import new_folder, slug
from grokscope.errors import DiskError


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("x + y", "x+y"),
        ("x^2 + y^2", "x2+y2"),
        ("x * y", "xy"),
        ("x / y", "x_over_y"),
        ("(x + y)^2", "x+y_2"),
        ("-x + y", "minus_x+y"),
        ("x + y, x - y", "x+y,x-y"),
        ("random", "random"),
        ("../../etc", "over_over_etc"),
        ("<script>", "script"),
        ("", "run"),
    ],
)
def test_slug(operation: str, expected: str):
    assert slug(operation) == expected


@given(st.text(max_size=300))
def test_any_text_becomes_one_safe_name(text: str):
    name = slug(text)
    assert 0 < len(name) <= 60
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789+,_-")
    assert name[0] not in "-_"


def test_a_new_folder_has_a_name_that_is_free(tmp_path: Path):
    with new_folder(tmp_path / "runs", "x+y") as path:
        assert path == tmp_path / "runs" / "x+y"
        (path / "file").touch()
    (tmp_path / "runs" / "x+y-2").touch()
    with new_folder(tmp_path / "runs", "x+y") as path:
        assert path == tmp_path / "runs" / "x+y-3"
        assert path.is_dir()


def test_choosing_a_name_at_the_same_moment_gives_each_its_own(tmp_path: Path):
    all_here = threading.Barrier(8)

    def choose(_: int) -> Path:
        all_here.wait()
        with new_folder(tmp_path, "run") as path:
            all_here.wait()
            return path

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(choose, range(8)))) == 8


@pytest.mark.parametrize("kept", [False, True])
def test_a_folder_that_stays_empty_goes_again(tmp_path: Path, kept: bool):
    with contextlib.suppress(KeyError), new_folder(tmp_path / "runs", "run") as path:
        (path / LOCK_NAME).touch()
        if kept:
            (path / "manifest.json").touch()
        raise KeyError
    assert (path.exists(), path.parent.exists()) == (kept, kept)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match="not a directory"), new_folder(tmp_path / "file", "run"):
        pass
