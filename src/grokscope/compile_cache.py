"""Compiled programs are kept between processes, in the user's cache folder.

Compiling takes longer than a small training. JAX keeps programs itself where it is told a folder;
we name one, for as long as we compute, unless the user has named another or wants none. It is a
help and never a reason to fail: where it cannot be used, programs are compiled as without it.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import platform
import stat
import sys
import threading
import time
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

LARGEST: Final = 256 * 2**20
"""Bytes that all kept programs may have together; a training of new shapes adds about a million."""
_STAMP: Final = ".checked"
_IN_PROGRESS: Final = 10
"""Seconds in which an entry may still be being written by another process."""
_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"

_lock = threading.Lock()
_users = 0
_undo = contextlib.ExitStack()


@contextlib.contextmanager
def kept_programs() -> Iterator[None]:
    """Keep what is compiled inside, and take what was kept; JAX's settings are put back at the end.

    JAX has one cache per process, so that it is on while any thread is inside.
    """
    global _users, _undo
    with _lock:
        if _users == 0:
            _undo = _switch_on()
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _undo.close()


def _switch_on() -> contextlib.ExitStack:
    """Point JAX to our folder, and return what puts its settings back."""
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    undo = contextlib.ExitStack()
    theirs = jax.config.values
    enabled = theirs["jax_enable_compilation_cache"]
    if not enabled or theirs["jax_compilation_cache_dir"] is not None:
        return undo
    folder = _usable_folder()
    if folder is None:
        return undo
    # Before the settings are put back, and after, JAX must forget the folder that it has opened.
    undo.callback(compilation_cache.reset_cache)
    for name, value in {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": 0.0,  # a hundred small programs are seconds
        "jax_persistent_cache_min_entry_size_bytes": 0,
        "jax_compilation_cache_max_size": -1,  # its own bound needs locks that others can hold
        "jax_raise_persistent_cache_errors": False,
    }.items():
        _set(undo, name, value)
    compilation_cache.reset_cache()
    undo.enter_context(warnings.catch_warnings())
    warnings.filterwarnings("ignore", r"Error (reading|writing) persistent compilation cache")
    return undo


def _set(undo: contextlib.ExitStack, name: str, value: Any) -> None:
    """Change a setting of JAX until `undo`; where somebody else changes it, it stays so."""
    import jax

    before = jax.config.values[name]
    jax.config.update(name, value)

    def put_back() -> None:
        if jax.config.values[name] == value:
            jax.config.update(name, before)

    undo.callback(put_back)


@functools.cache
def _usable_folder() -> Path | None:
    """Return the folder of this machine's programs, tidied up, or None where there can be none."""
    try:
        top = cache_folder()
        folder = top / f"jaxlib-{importlib.metadata.version('jaxlib')}-{_processor()}"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _only_ours(folder):
            return None
        _remove_damaged(folder)
        _make_room(top)
    except (OSError, RuntimeError):
        return None  # a folder that cannot be made or read, or a user without a home
    return folder


def cache_folder() -> Path:
    """Return where compiled programs are kept; raises `RuntimeError` for a user without a home."""
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        home = Path.home() / "Library" / "Caches"
    else:
        named = os.environ.get("XDG_CACHE_HOME", "")
        home = named if Path(named).is_absolute() else Path.home() / ".cache"
    return Path(home) / "grokscope" / "compiled"


def _processor() -> str:
    """Return a digest of what machine code depends on: what runs here may be illegal elsewhere."""
    known = [platform.system(), platform.machine(), platform.processor()]
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = ("model name", "flags", "Features", "CPU implementer", "CPU part")
        known += sorted({line for line in lines if line.startswith(names)})
    except OSError:
        known.append(platform.node())  # then only this machine is known to be like this one
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:12]


def _only_ours(folder: Path) -> bool:
    """Whether nobody else can write here: what lies here is executed."""
    if not hasattr(os, "getuid"):
        return True
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _remove_damaged(folder: Path) -> None:
    """Remove the entries, of those that came since the last time, that were not written whole.

    JAX compiles again where it cannot read an entry, but never replaces it.
    """
    stamp, until = folder / _STAMP, time.time() - _IN_PROGRESS
    since = stamp.stat().st_mtime if stamp.exists() else 0.0
    with contextlib.suppress(OSError):  # a folder that can only be read
        for entry in os.scandir(folder):
            if entry.name.endswith("-cache") and since <= entry.stat().st_mtime < until:
                path = Path(entry.path)
                if not _is_whole(path.read_bytes()):
                    path.unlink()
        stamp.touch()
        os.utime(stamp, (until, until))


def _is_whole(entry: bytes) -> bool:
    """Whether an entry can be unpacked; those of zstandard, which we may not have, are believed."""
    if entry.startswith(_ZSTANDARD):
        return True
    try:
        zlib.decompress(entry)
    except zlib.error:
        return False
    return True


def _make_room(top: Path) -> None:
    """Remove what was not used for longest until half of the room is free, once there is none."""
    files = [(path, path.stat()) for path in top.rglob("*") if path.is_file()]
    size = sum(found.st_size for _, found in files)
    if size <= LARGEST:
        return
    for path, found in sorted(files, key=lambda file: max(file[1].st_atime, file[1].st_mtime)):
        with contextlib.suppress(OSError):  # another process was faster
            path.unlink()
        size -= found.st_size
        if size <= LARGEST // 2:
            return
