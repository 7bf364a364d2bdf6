"""A run folder and its copy at a URL, for instance s3://…, in an order that a kill cannot break.

A copy is read from its end: manifest, state, then everything else. It is written the other way:
parts, checkpoints, then state, then manifest. So whatever the state at the target refers to is
there, and what is later than it is dropped when the run is resumed, as after any kill.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from grokscope.disk.atomic import read_bytes, write_bytes
from grokscope.disk.folder import (
    CHECKPOINTS_NAME,
    MANIFEST_NAME,
    METRICS_NAME,
    SPECTRA_NAME,
    STATE_NAME,
)
from grokscope.errors import DiskError, GrokscopeError, UsageError, quote

_FOLDERS: Final = (METRICS_NAME, SPECTRA_NAME, CHECKPOINTS_NAME)
_STATE: Final = f"{STATE_NAME}/state.safetensors"
_LAST: Final = (_STATE, MANIFEST_NAME)
_OWNER: Final = "owner"
_PAUSE: Final = 0.5
_TRIES: Final = 3


class _Stamp(NamedTuple):
    """Tells a file from another of the same name: files are replaced, never changed."""

    changed: int
    size: int


class LostRunError(GrokscopeError):
    """Another worker has taken the run over; this one must not write it any more."""


class Mirror:
    """One run in a local folder, and its copy below a URL.

    **Arguments:**

    - `run`: the local run folder.
    - `url`: of the copy; anything that fsspec and the packages beside it understand.
    - `owner`: a word of this attempt alone. `claim` writes it beside the copy, and an attempt
      that finds another word there stops writing. Without it nobody is refused.

    **Raises:** `UsageError` for a URL that cannot be used here.
    """

    def __init__(self, run: Path, url: str, owner: str | None = None) -> None:
        self.run = run
        self.url = url.rstrip("/")
        self._owner = owner
        self._fs, self._root = _open(self.url)
        self._sent: dict[str, _Stamp] = {}

    def exists(self) -> bool:
        """Whether there is a copy; raises `DiskError` where the place cannot be reached."""
        with self._reaching("read"):
            self._fs.invalidate_cache()
            return bool(self._fs.exists(self._at(MANIFEST_NAME)))

    def claim(self) -> None:
        """Make this attempt the only one that may write; raises `DiskError`."""
        with self._reaching("write"):
            self._write(_OWNER, (self._owner or "").encode())

    def pull(self) -> None:
        """Replace the local files by those of the copy; raises `DiskError`."""
        with self._reaching("read"):
            self._fs.invalidate_cache()
            last = {name: self._read(name) for name in reversed(_LAST)}
            files = {name: self._read(name) for name in self._names()}
        for name, data in (files | {name: last[name] for name in _LAST}).items():
            if data is not None:
                write_bytes(self.run / name, data)
        self._sent = self._here()

    def push(self) -> None:
        """Send what is new or gone since the last time; the run may go on meanwhile.

        **Raises:** `DiskError` where the place cannot be reached, `LostRunError` where another
        attempt has claimed the run.
        """
        # first the stamp, then the file: one that is replaced in between is sent once more
        stamps = {name: _stamp(self.run / name) for name in _LAST}
        last = {name: _read_if_there(self.run / name) for name in reversed(_LAST)}
        here = self._here()
        self._check_owner()
        with self._reaching("write"):
            for name in self._sent.keys() - here.keys():
                self._remove(name)
            for name in [name for name in here if name not in _LAST]:
                self._send(name, here[name], _read_if_there(self.run / name))
        self._check_owner()
        with self._reaching("write"):
            for name in _LAST:
                self._send(name, stamps[name], last[name])

    @property
    def behind(self) -> bool:
        """Whether there was a save since the last push."""
        return any(_stamp(self.run / name) != self._sent.get(name) for name in _LAST)

    def _send(self, name: str, stamp: _Stamp | None, data: bytes | None) -> None:
        if data is None or stamp is None or self._sent.get(name) == stamp:
            return
        self._write(name, data)
        self._sent[name] = stamp

    def _here(self) -> dict[str, _Stamp]:
        """Return every local file by its name in the run, in the order of writing."""
        paths = [p for folder in _FOLDERS for p in sorted((self.run / folder).rglob("[!.]*.*"))]
        names = [str(path.relative_to(self.run)) for path in paths]
        stamps = {name: _stamp(self.run / name) for name in (*names, *_LAST)}
        return {name: stamp for name, stamp in stamps.items() if stamp is not None}

    def _names(self) -> list[str]:
        """Return the names of the copy's files but the last two."""
        start = len(self._root.rstrip("/")) + 1
        found = [path for folder in _FOLDERS for path in self._fs.find(self._at(folder))]
        names = (path[start:] for path in sorted(found))
        return [name for name in names if not name.rpartition("/")[2].startswith(".")]

    def _check_owner(self) -> None:
        if self._owner is None:
            return
        with self._reaching("read"):
            found = self._read(_OWNER)
        if found != self._owner.encode():
            raise LostRunError(f"another worker goes on with {quote(self.url)}")

    def _at(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _read(self, name: str) -> bytes | None:
        try:
            return self._fs.cat_file(self._at(name))
        except FileNotFoundError:
            return None

    def _write(self, name: str, data: bytes) -> None:
        if _is_local(self._fs):  # object stores replace a file as a whole; here we must see to it
            write_bytes(Path(self._at(name)), data)
        else:
            self._fs.pipe_file(self._at(name), data)

    def _remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._at(name))
        self._sent.pop(name)

    @contextlib.contextmanager
    def _reaching(self, verb: str) -> Iterator[None]:
        """Turn whatever the other package raises into one line."""
        try:
            yield
        except GrokscopeError:
            raise
        except Exception as error:
            why = f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
            raise DiskError(
                f"cannot {verb} {quote(self.url)}: {why}",
                next_step="repeat the command when it can be reached",
            ) from error


@contextlib.contextmanager
def following(mirrors: Sequence[Mirror], pause: float = _PAUSE) -> Iterator[None]:
    """Push each run after its saves while the block trains, and once more at the end.

    A push that fails is tried again at the next save: training does not wait for it.

    **Raises:** `DiskError` or `LostRunError` when the last push does not succeed.
    """
    over = threading.Event()
    thread = threading.Thread(target=_follow, args=(mirrors, over, pause), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for mirror in mirrors:
            _several_times(mirror.push, pause)


def _follow(mirrors: Sequence[Mirror], over: threading.Event, pause: float) -> None:
    while not over.wait(pause):
        for mirror in mirrors:
            if mirror.behind:
                with contextlib.suppress(GrokscopeError):
                    mirror.push()


def _several_times(push: Callable[[], None], pause: float) -> None:
    for _ in range(_TRIES - 1):
        try:
            return push()
        except DiskError:
            threading.Event().wait(pause)
    return push()


def _open(url: str) -> tuple[Any, str]:
    """Return the file system of a URL and the path in it."""
    try:
        import fsspec
    except ImportError as error:
        raise UsageError(
            "storage at a URL needs fsspec, which is not installed",
            got=url,
            next_step='pip install "grokscope[ray]"',
        ) from error
    try:
        fs, path = fsspec.url_to_fs(url, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise UsageError(f"the storage cannot be used: {error}", got=url) from error
    return fs, path


def _is_local(fs: Any) -> bool:
    protocols = fs.protocol if isinstance(fs.protocol, tuple) else (fs.protocol,)
    return "file" in protocols


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return _Stamp(found.st_mtime_ns, found.st_size)


def _read_if_there(path: Path) -> bytes | None:
    return read_bytes(path) if path.exists() else None
