"""A folder known by what it is, not by where it lies: it may be moved while it is written."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from grokscope.errors import FolderGoneError
from grokscope.runs.atomic import absolute, shown, writing
from grokscope.runs.lock import exclusive

_LONGEST = 4096


class FolderHandle:
    """A folder that stays open while the block runs, so that no other can be taken for it.

    **Arguments:**

    - `path`: where it lies now, from the root of the disk.

    **Raises:** `DiskError` when it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        with writing(path):
            self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
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
                    f"{shown(self._opened)} was removed, or moved to another disk, while it was "
                    "being written",
                    next_step="where there is a moved copy, name it to go on with the last save",
                )
            self._path = found
        return self._path

    def _lies_at(self, path: Path) -> bool:
        with contextlib.suppress(OSError):
            return os.path.samestat(path.stat(), os.fstat(self._descriptor))
        return False

    def _ask(self) -> Path | None:
        """Return where the system says that the open folder lies; None where it does not say."""
        with contextlib.suppress(OSError):
            return Path(f"/proc/self/fd/{self._descriptor}").readlink()
        command = getattr(fcntl, "F_GETPATH", None)  # macOS
        with contextlib.suppress(OSError):
            if command is not None:
                found = fcntl.fcntl(self._descriptor, command, bytes(_LONGEST))
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
        self._path = absolute(path)
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
