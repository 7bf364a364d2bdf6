"""Names of run folders, from operations."""

import contextlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from grokscope.disk.atomic import absolute_path, disk_errors, make_folder
from grokscope.disk.lock import LOCK_NAME

_LONGEST: Final = 60
_WORDS: Final = {" ": "", "^": "", "*": "", "/": "_over_", "(": "_", ")": "_"}


def slug(operation: str) -> str:
    """Return a name for folders: `x^2 + y^2` becomes `x2+y2`, `x / y` becomes `x_over_y`.

    Different operations may share a name; `new_folder` then numbers them.
    """
    text = operation.lower().translate(str.maketrans(_WORDS))
    text = re.sub(r"[^a-z0-9+,_-]", "", text)
    text = re.sub(r"^-", "minus_", re.sub(r"_+", "_", text).lstrip("_"))
    return text[:_LONGEST].strip("_") or "run"


@contextlib.contextmanager
def new_folder(parent: str | Path, name: str) -> Iterator[Path]:
    """Make `parent/name`, or the first of `name-2`, `name-3`, … that is not taken.

    Making it is choosing it: whoever else chooses a name at this moment gets another one. What is
    still empty when the block ends is removed.

    **Raises:** `DiskError` when it cannot be made.
    """
    path = absolute_path(parent) / name
    first = not path.parent.exists()
    numbers = itertools.count(2)
    while not _made(path):
        path = path.with_name(f"{name}-{next(numbers)}")
    try:
        yield Path(parent) / path.name
    finally:
        _remove_if_empty(path)
        if first:
            _remove_if_empty(path.parent)


def _made(path: Path) -> bool:
    """Make a folder; False where something of that name is there."""
    make_folder(path.parent)
    with disk_errors(path), contextlib.suppress(FileExistsError):
        path.mkdir()
        return True
    return False


def _remove_if_empty(folder: Path) -> None:
    """Remove a folder in which there is nothing but its lock."""
    with contextlib.suppress(OSError):
        if [path.name for path in folder.iterdir()] == [LOCK_NAME]:
            (folder / LOCK_NAME).unlink()
        folder.rmdir()
