"""One writer per run folder, which may be moved while it is written."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from filelock import lock_descriptor

from grokscope.disk.atomic import absolute_path, disk_errors, path_in_words
from grokscope.errors import DiskError, FolderGoneError, RunFolderError

LOCK_NAME = ".lock"
_TRIES = 10
_LOOKS = 2
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
    with disk_errors(folder / LOCK_NAME):
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        taken = not _acquire(descriptor, folder, needed=needed)
        if taken or not _is_lock_of(folder, descriptor):
            raise RunFolderError(
                f"{path_in_words(folder)} is in use by {_owner(descriptor)}",
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
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        try:  # somebody else's run, which may be read
            descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY)
        except OSError:
            return False
    try:
        return not _tried(descriptor, _LOOKS)
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
    try:
        return _tried(descriptor, _TRIES)
    except _NoLocksError as error:
        if needed:
            raise DiskError(
                f"cannot lock {path_in_words(folder)}: {error}; its file system has no locks",
                next_step="--no-lock goes on without; then let nothing else write there",
            ) from error
        return True


def _tried(descriptor: int, times: int) -> bool:
    """Take the lock; several times, because `is_locked` in other processes holds it an instant."""
    for attempt in range(times):
        try:
            if lock_descriptor(descriptor, blocking=False):
                return True
        except OSError as error:
            raise _NoLocksError(os.strerror(error.errno or 0).lower()) from error
        if attempt + 1 < times:
            time.sleep(_PAUSE)
    return False


def _sign(descriptor: int) -> None:
    # The number only informs; a full disk must not keep a run from being resumed.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f" {os.getpid()}".encode())


def _owner(descriptor: int) -> str:
    number = ""
    # Windows locks the first byte, which nobody else can read then
    for start in (1, 0):
        with contextlib.suppress(OSError):
            os.lseek(descriptor, start, os.SEEK_SET)
            number = os.read(descriptor, 20).decode("ascii", "replace").strip()
    return f"process {number}" if number.isdigit() else "another process"


_F_GETPATH = 50
"""What macOS calls the question where an open file lies (`sys/fcntl.h`)."""
_LONGEST = 4096


class FolderHandle:
    """A folder that stays open while the block runs, so that no other can be taken for it.

    **Arguments:**

    - `path`: where it lies now, from the root of the disk.

    **Raises:** `DiskError` when it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        with disk_errors(path):
            self._identity = path.stat()
            # Windows opens no folders, and moves none in which a file is open, as the lock is
            folder = getattr(os, "O_DIRECTORY", None)
            self._descriptor = None if folder is None else os.open(path, os.O_RDONLY | folder)
            self._opened = path
            self._path = path

    def __enter__(self) -> "FolderHandle":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    @property
    def moved(self) -> bool:
        """Whether it lies elsewhere than where it was opened; raises as `path`."""
        return self.lost and self.path != self._opened

    @property
    def lost(self) -> bool:
        """Whether it no longer lies where it was opened, wherever it may be."""
        return not self._lies_at(self._opened)

    @property
    def path(self) -> Path:
        """Where it lies now.

        **Raises:** `FolderGoneError` when it was removed, or nobody can say where it is.
        """
        if not self._lies_at(self._path):
            found = self._ask()
            if found is None or not self._lies_at(found):
                raise FolderGoneError(
                    f"{path_in_words(self._opened)} was removed, or moved to another disk, "
                    "while it was being written",
                    next_step="where there is a moved copy, name it to go on with the last save",
                )
            self._path = found
        return self._path

    def _lies_at(self, path: Path) -> bool:
        with contextlib.suppress(OSError):
            return os.path.samestat(path.stat(), self._identity)
        return False

    def _ask(self) -> Path | None:
        """Return where the system says that the open folder lies; None where it does not say."""
        if self._descriptor is None:
            return None
        with contextlib.suppress(OSError):
            return Path(f"/proc/self/fd/{self._descriptor}").readlink()
        if sys.platform == "darwin":
            import fcntl

            found = fcntl.fcntl(self._descriptor, _F_GETPATH, bytes(_LONGEST))
            return Path(os.fsdecode(found.rstrip(b"\0")))
        return None


class LockedFolder:
    """A folder that has one writer at a time, who holds its lock.

    While it is held, a folder that is moved is written in its new place, and nothing appears in
    the old one.

    **Arguments:**

    - `path`: the folder; a relative one is that in the current folder now.
    - `lock`: False goes on also where the file system has no locks.
    """

    def __init__(self, path: str | Path, *, lock: bool = True) -> None:
        self._path = absolute_path(path)
        self._needs_lock = lock
        self._handle: FolderHandle | None = None

    @property
    def path(self) -> Path:
        """Where it lies, from the root of the disk; where it was moved under the lock, there.

        **Raises:** `FolderGoneError` when it was removed under the lock.
        """
        if self._handle is not None:
            self._path = self._handle.path
        return self._path

    @property
    def moved(self) -> bool:
        """Whether it was moved since the lock is held; raises as `path`."""
        return self._handle is not None and self._handle.moved

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock while writing; raises as `exclusive`."""
        with FolderHandle(self.path) as handle, exclusive(handle.path, needed=self._needs_lock):
            self._handle = handle
            try:
                yield
            finally:
                self._handle = None
