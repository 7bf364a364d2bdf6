"""Whole files or none: writes that survive a kill or a full disk, reads that explain themselves."""

import contextlib
import errno
import hashlib
import itertools
import json
import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from grokscope.config.validate import plain_value
from grokscope.errors import DiskError, RunFolderError, UsageError, quote


def canonical_json(document: Any) -> str:
    """Return `document` as JSON with sorted keys and no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def digest(*parts: bytes) -> str:
    """Return the SHA-256 of the parts, one after another, in hexadecimal."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()


_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_FOLDER_SYNC: Final = (errno.EINVAL, errno.ENOTSUP)
_LONGEST_PATH: Final = 56


def path_of(place: Any) -> Path:
    """Return the path of what has one: a run, a folder that was opened, or a path itself.

    **Raises:** `UsageError` for anything else.
    """
    text = plain_value(place)
    if not isinstance(text, str):
        raise UsageError(
            "this is no path", got=place, allowed="a path, or what gs.train or gs.sweep returned"
        )
    return Path(text)


def absolute_path(path: str | Path) -> Path:
    """Return `path` from the root of the disk, so that it survives a change of folder.

    **Raises:** `RunFolderError` where it is relative to a folder that was removed.
    """
    try:
        return Path(path).absolute()
    except FileNotFoundError as error:
        raise RunFolderError(
            "the current folder was removed", next_step="cd to a folder that exists"
        ) from error


def relative_path(path: Path) -> str:
    """Return `path` as somebody in the current folder would type it."""
    with contextlib.suppress(OSError, ValueError):
        path = path.relative_to(Path.cwd())
    return str(path)


def path_for_shell(path: Path) -> str:
    """Return `path` as a word for a shell, from here."""
    text = relative_path(path)
    if text.isprintable():
        return shlex.quote(text)
    # what is no text, or would move the cursor, as bytes: $'bad\xff'
    plain = (
        chr(b) if 32 <= b < 127 and chr(b) not in "\\'" else f"\\x{b:02x}"
        for b in os.fsencode(text)
    )
    return f"$'{''.join(plain)}'"


def path_in_words(path: Path) -> str:
    """Return `path` from here, quoted on one line; of a long one the end, which names the file."""
    text = relative_path(path)
    return quote(text if len(text) <= _LONGEST_PATH else f"…{text[-_LONGEST_PATH:]}")


def utf8_bytes(text: str) -> bytes:
    """Return `text` in UTF-8; a byte of a file's name that is no text becomes `\\udcff`.

    In a JSON string that is the escape from which the same name is read again.
    """
    return text.encode(errors="backslashreplace")


def write_bytes(path: Path, data: bytes, *, inside: Path | None = None) -> None:
    """Write `data` so that `path` holds all of it or what it held before, whatever happens.

    The data goes to a temporary file beside `path`, is flushed to the disk, and then renamed.

    **Arguments:**

    - `inside`: a folder around `path` that has to be there; other missing ones are made.

    **Raises:** `DiskError` when the disk is full, read-only or not permitted.
    """
    make_folder(path.parent, inside=inside)
    temporary = path.parent / f".{path.name}.tmp-{os.getpid()}"
    with disk_errors(path):
        try:
            _write_synced(temporary, data)
            temporary.replace(path)
            sync_folder(path.parent)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


def _write_synced(path: Path, data: bytes) -> None:
    binary = getattr(os, "O_BINARY", 0)  # Windows would translate ends of lines
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | binary, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the renames and removals in `folder` last through a power cut."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path, *, inside: Path | None = None) -> None:
    """Make `folder` and its parents, but not `inside`, where they are missing; `DiskError`."""
    with disk_errors(folder):
        made = itertools.takewhile(lambda f: f != inside, (folder, *folder.parents))
        missing = [f for f in made if not f.exists()]
        for new in reversed(missing):
            new.mkdir(exist_ok=True)
            sync_folder(new.parent)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def remove_files(paths: list[Path]) -> None:
    """Remove files, for good once this returns; raises `DiskError`."""
    for path in paths:
        with disk_errors(path):
            path.unlink(missing_ok=True)
    for folder in sorted({path.parent for path in paths}):
        with disk_errors(folder):
            sync_folder(folder)


def remove_temporary_files(folder: Path) -> None:
    """Remove the temporary files that killed writers left anywhere under `folder`.

    Only for the process that holds the folder's lock: another writer's file would go, too.
    """
    remove_files(list(folder.rglob(".*.tmp-*")))


def read_bytes(path: Path, at_most: int = -1) -> bytes:
    """Return the bytes of `path`, or the first `at_most` of them.

    **Raises:** `RunFolderError` when it is missing, unreadable, or no regular file.
    """
    try:
        mode = path.stat().st_mode
        # a device may have no end, and a pipe no beginning; of a folder, reading says what it is
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise ValueError("it is not a regular file")
        with path.open("rb") as file:
            return file.read(at_most)
    except (OSError, ValueError) as error:
        raise RunFolderError(f"cannot read {path_in_words(path)}: {_reason(error)}") from error


def names_in(folder: Path, *, missing_ok: bool = False) -> list[str]:
    """Return the sorted names in `folder`.

    **Raises:** `RunFolderError` when it cannot be read, or is missing without `missing_ok`.
    """
    try:
        return sorted(path.name for path in folder.iterdir())
    except (OSError, ValueError) as error:
        if missing_ok and isinstance(error, FileNotFoundError):
            return []
        raise RunFolderError(
            f"cannot read the folder {path_in_words(folder)}: {_reason(error)}",
            next_step="`grokscope runs DIR` lists the runs in a folder",
        ) from error


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a failed write to `path` into a `DiskError`: what, why, and what to do."""
    try:
        yield
    except (OSError, ValueError) as error:
        full = isinstance(error, OSError) and error.errno in _FULL
        action = "free space" if full else "make it writable or choose another place"
        raise DiskError(
            f"cannot write {path_in_words(path)}: {_reason(error)}",
            next_step=f"{action}, then repeat the command; training goes on with --resume",
        ) from error


def _reason(error: OSError | ValueError) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number).lower() if number else str(error)
