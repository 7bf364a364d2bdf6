"""One writer per run folder: a lock that the kernel frees even after kill -9."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from grokscope.errors import DiskError, RunFolderError
from grokscope.runs.atomic import shown, writing

LOCK_NAME = ".lock"
_TRIES = 10
_PAUSE = 0.02


class _NoLocksError(Exception):
    """The file system has no locks, or its lock service does not answer."""


@contextlib.contextmanager
def exclusive(folder: Path, *, needed: bool = True) -> Iterator[None]:
    """Hold the lock of `folder` while the block runs.

    **Arguments:**

    - `needed`: False goes on also where the file system has no locks.

    **Raises:** `RunFolderError` when another process holds it; `DiskError` when the lock file
    cannot be made, or there are no locks and one is needed.
    """
    with writing(folder / LOCK_NAME):
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        taken = not _acquire(descriptor, folder, needed=needed)
        if taken or not _is_lock_of(folder, descriptor):
            raise RunFolderError(
                f"{shown(folder)} is in use by {_owner(descriptor)}",
                next_step="wait for it, stop it, or choose another --out",
            )
        _sign(descriptor)
        yield
    finally:
        os.close(descriptor)


def is_locked(folder: Path) -> bool | None:
    """Return whether a process holds the lock of `folder` now; False where there is no lock.

    None where the file system has no locks: then nobody can say.
    """
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    except _NoLocksError:
        return None
    finally:
        os.close(descriptor)


def _is_lock_of(folder: Path, descriptor: int) -> bool:
    """Whether the file is still the one that others lock: an unused folder may be removed."""
    with contextlib.suppress(OSError):
        return os.path.samestat((folder / LOCK_NAME).stat(), os.fstat(descriptor))
    return False


def _acquire(descriptor: int, folder: Path, *, needed: bool) -> bool:
    # Several tries, because `is_locked` in another process holds a shared lock for an instant.
    for _ in range(_TRIES):
        try:
            if _try(descriptor, fcntl.LOCK_EX):
                return True
        except _NoLocksError as error:
            if needed:
                raise DiskError(
                    f"cannot lock {shown(folder)}: {error}; its file system has no locks",
                    next_step="--no-lock (in Python lock=False) goes on without; then let nothing "
                    "else write there",
                ) from error
            return True
        time.sleep(_PAUSE)
    return False


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise _NoLocksError(os.strerror(error.errno or 0).lower()) from error
    return True


def _sign(descriptor: int) -> None:
    # The number only informs; a full disk must not keep a run from being resumed.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def _owner(descriptor: int) -> str:
    number = os.pread(descriptor, 20, 0).decode("ascii", "replace")
    return f"process {number}" if number.isdigit() else "another process"
