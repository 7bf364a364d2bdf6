"""One writer per run folder: a lock that the kernel frees even after kill -9."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from grokscope.errors import RunFolderError
from grokscope.runs.atomic import shown, writing

LOCK_NAME = ".lock"
_TRIES = 10
_PAUSE = 0.02


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder` while the block runs.

    **Raises:** `RunFolderError` when another process holds it; `DiskError` when the lock file
    cannot be made.
    """
    with writing(folder / LOCK_NAME):
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _acquire(descriptor):
            raise RunFolderError(
                f"{shown(folder)} is in use by {_owner(descriptor)}",
                next_step="wait for it, stop it, or choose another --out",
            )
        _sign(descriptor)
        yield
    finally:
        os.close(descriptor)


def is_locked(folder: Path) -> bool:
    """Return whether a process holds the lock of `folder` now; False where there is no lock."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int) -> bool:
    # Several tries, because `is_locked` in another process holds a shared lock for an instant.
    for _ in range(_TRIES):
        if _try(descriptor, fcntl.LOCK_EX):
            return True
        time.sleep(_PAUSE)
    return False


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(descriptor: int) -> None:
    # The number only informs; a full disk must not keep a run from being resumed.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def _owner(descriptor: int) -> str:
    number = os.pread(descriptor, 20, 0).decode("ascii", "replace")
    return f"process {number}" if number.isdigit() else "another process"
