import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from grokscope.disk.lock import exclusive, is_locked
from grokscope.errors import DiskError, RunFolderError

HOLD = (
    "import sys, pathlib; from grokscope.disk.lock import exclusive\n"
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
        assert (tmp_path / ".lock").read_text() == f" {os.getpid()}"


@pytest.mark.parametrize("signature", ["1234", " 1234"])
def test_the_owner_is_named_also_as_version_0_1_0_signed(tmp_path: Path, signature: str):
    with exclusive(tmp_path):
        (tmp_path / ".lock").write_text(signature)
        with pytest.raises(RunFolderError, match="in use by process 1234;"), exclusive(tmp_path):
            pass


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

    monkeypatch.setattr(os, "write", fail)
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
        "import sys, grokscope.disk.lock\n"
        "print({'jax', 'pyarrow', 'duckdb', 'numpy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"


@pytest.fixture(params=[errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EIO])
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file system without locks, and what it says."""

    def fail(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", fail)
    return os.strerror(request.param).lower()


def test_without_locks_a_writer_says_which_option_goes_on(tmp_path: Path, no_locks: str):
    with pytest.raises(DiskError) as caught, exclusive(tmp_path):
        pass
    for line, option in ((caught.value.line, "--no-lock"), (str(caught.value), "lock=False")):
        assert line.endswith(
            f"': {no_locks}; its file system has no locks; {option} goes on without; then let "
            "nothing else write there"
        )
    with exclusive(tmp_path, needed=False):
        assert is_locked(tmp_path) is None


def test_locks_that_are_not_needed_are_held_where_there_are_some(tmp_path: Path):
    with exclusive(tmp_path, needed=False):
        with pytest.raises(RunFolderError, match="in use"), exclusive(tmp_path, needed=False):
            pass
        assert is_locked(tmp_path)


def test_a_lock_that_was_removed_meanwhile_locks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As that of a new folder that stayed empty, which others may make again."""
    flock = fcntl.flock

    def late(*arguments: int) -> None:
        (tmp_path / ".lock").unlink()
        flock(*arguments)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(RunFolderError, match="in use by another process"), exclusive(tmp_path):
        pass
