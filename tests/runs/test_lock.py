import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from grokscope.errors import DiskError, RunFolderError
from grokscope.runs.lock import exclusive, is_locked

HOLD = (
    "import sys, pathlib; from grokscope.runs.lock import exclusive\n"
    "with exclusive(pathlib.Path(sys.argv[1])):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)


def holder(folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_process_is_refused_and_kill_9_frees(tmp_path: Path):
    process = holder(tmp_path)
    try:
        assert is_locked(tmp_path)
        with (
            pytest.raises(RunFolderError, match=f"in use by process {process.pid}"),
            exclusive(tmp_path),
        ):
            pass
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not is_locked(tmp_path)
    with exclusive(tmp_path):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_a_second_writer_of_the_same_process_is_refused(tmp_path: Path):
    with exclusive(tmp_path), pytest.raises(RunFolderError), exclusive(tmp_path):
        pass
    assert not is_locked(tmp_path)


def test_an_error_in_the_block_frees(tmp_path: Path):
    with pytest.raises(KeyError), exclusive(tmp_path):
        raise KeyError
    assert not is_locked(tmp_path)


def test_looking_does_not_keep_a_writer_out(tmp_path: Path):
    (tmp_path / ".lock").touch()
    looker = os.open(tmp_path / ".lock", os.O_RDONLY)
    fcntl.flock(looker, fcntl.LOCK_SH)
    release = threading.Timer(0.05, os.close, [looker])
    release.start()
    with exclusive(tmp_path):
        assert is_locked(tmp_path)
    release.join()


def test_a_full_disk_does_not_keep_the_lock_from_working(tmp_path: Path, monkeypatch):
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", fail)
    with exclusive(tmp_path):
        assert is_locked(tmp_path)
        with pytest.raises(RunFolderError, match="another process"), exclusive(tmp_path):
            pass


def test_no_folder(tmp_path: Path):
    assert not is_locked(tmp_path / "missing")
    with pytest.raises(DiskError), exclusive(tmp_path / "missing"):
        pass


def test_the_lock_needs_neither_parquet_nor_jax():
    program = (
        "import sys, grokscope.runs.lock\n"
        "print({'jax', 'pyarrow', 'duckdb', 'numpy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"
