import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grokscope.disk.atomic import (
    names_in,
    path_for_shell,
    path_in_words,
    read_bytes,
    remove_files,
    remove_temporary_files,
    utf8_bytes,
    write_bytes,
)
from grokscope.errors import DiskError, RunFolderError


def test_writes_into_new_folders_and_replaces(tmp_path: Path):
    path = tmp_path / "a" / "b" / "file"
    write_bytes(path, b"first")
    write_bytes(path, b"second" * 100_000)
    assert path.read_bytes() == b"second" * 100_000
    assert names_in(path.parent) == ["file"]


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_is_one_line_and_keeps_the_old_file(
    tmp_path: Path, full_disk: Callable[[str], None], call: str
):
    path = tmp_path / "file"
    write_bytes(path, b"old")
    full_disk(call)
    with pytest.raises(DiskError) as caught:
        write_bytes(path, b"new")
    line = caught.value.line
    assert "no space left" in line
    assert "--resume" in line
    assert "\n" not in line
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    whole = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: whole(fd, data[:3]))
    write_bytes(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_a_real_limit_of_the_kernel(tmp_path: Path):
    program = (
        "import sys, pathlib, resource; from grokscope.disk.atomic import write_bytes\n"
        "from grokscope.errors import DiskError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "write_bytes(path, b'small')\n"
        "try: write_bytes(path, bytes(1_000_000))\n"
        "except DiskError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "file")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "file too large" in done.stdout
    assert "free space" in done.stdout
    assert names_in(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"small"


def test_a_folder_under_a_file_is_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DiskError, match="not a directory"):
        write_bytes(tmp_path / "file" / "inner", b"x")


def test_a_path_that_no_system_allows_is_one_line(tmp_path: Path):
    with pytest.raises(DiskError, match="null"):
        write_bytes(tmp_path / "a\0b" / "file", b"x")
    with pytest.raises(RunFolderError, match="null"):
        names_in(tmp_path / "a\0b")


def test_a_name_that_is_too_long_is_one_line(tmp_path: Path):
    with pytest.raises(DiskError, match="name too long"):
        write_bytes(tmp_path / ("x" * 300) / "file", b"x")


def test_control_characters_of_a_path_do_not_reach_the_terminal(tmp_path: Path):
    with pytest.raises(RunFolderError) as caught:
        read_bytes(tmp_path / "a\x1b[31m\nb")
    assert str(caught.value).isprintable()


def test_reads_as_much_as_asked_for(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"0123456789")
    assert read_bytes(tmp_path / "file") == b"0123456789"
    assert read_bytes(tmp_path / "file", 4) == b"0123"


def test_what_is_no_regular_file_is_refused(tmp_path: Path):
    (tmp_path / "link").symlink_to(os.devnull)
    with pytest.raises(RunFolderError, match="it is not a regular file"):
        read_bytes(tmp_path / "link")
    with pytest.raises(RunFolderError, match="is a directory"):
        read_bytes(tmp_path)


def test_of_a_long_path_the_end_is_shown(tmp_path: Path):
    with pytest.raises(RunFolderError, match=r"manifest\.json"):
        read_bytes(tmp_path / ("x" * 200) / "manifest.json")


def test_sweep_removes_leftovers_only(tmp_path: Path):
    (tmp_path / "inner").mkdir()
    for name in ("inner/.state.safetensors.tmp-17", ".lock", "inner/file", "a.tmp-17"):
        (tmp_path / name).touch()
    remove_temporary_files(tmp_path)
    assert names_in(tmp_path) == [".lock", "a.tmp-17", "inner"]
    assert names_in(tmp_path / "inner") == ["file"]


def test_remove_forgives_missing_files_and_nothing_else(tmp_path: Path):
    remove_files([tmp_path / "missing"])
    (tmp_path / "folder").mkdir()
    with pytest.raises(DiskError):
        remove_files([tmp_path / "folder"])


def test_names_in_a_missing_folder(tmp_path: Path):
    with pytest.raises(RunFolderError, match="no such file"):
        names_in(tmp_path / "missing")
    assert names_in(tmp_path / "missing", missing_ok=True) == []


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("run", "run"),
        ("a run", "'a run'"),
        (b"bad\xff", r"$'bad\xff'"),
        ("a\n'b", r"$'a\x0a\x27b'"),
    ],
)
def test_a_path_as_a_word_for_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | bytes, word: str
):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / os.fsdecode(name)
    assert path_for_shell(path) == word
    path.mkdir()
    done = subprocess.run(["bash", "-c", f"cd {word} && pwd -P"], capture_output=True, check=True)
    assert done.stdout == os.fsencode(path.resolve()) + b"\n"


def test_a_path_is_shown_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert path_in_words(tmp_path / "runs" / "a") == "'runs/a'"
    assert path_in_words(Path("/elsewhere")) == "'/elsewhere'"


def test_bytes_of_a_name_that_are_no_text_come_back_from_json():
    name = os.fsdecode(b"bad\xff")
    assert json.loads(utf8_bytes(json.dumps(f"η {name}", ensure_ascii=False))) == f"η {name}"
