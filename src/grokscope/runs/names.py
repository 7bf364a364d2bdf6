"""Names of run folders, from operations."""

import re
from pathlib import Path
from typing import Final

_LONGEST: Final = 60
_WORDS: Final = {" ": "", "^": "", "*": "", "/": "_over_", "(": "_", ")": "_"}


def slug(operation: str) -> str:
    """Return a name for folders: `x^2 + y^2` becomes `x2+y2`, `x / y` becomes `x_over_y`.

    Different operations may share a name; `next_free_name` then numbers them.
    """
    text = operation.lower().translate(str.maketrans(_WORDS))
    text = re.sub(r"[^a-z0-9+,_-]", "", text)
    text = re.sub(r"^-", "minus_", re.sub(r"_+", "_", text).lstrip("_"))
    return text[:_LONGEST].strip("_") or "run"


def next_free_name(parent: str | Path, name: str) -> Path:
    """Return `parent/name`, or the first of `name-2`, `name-3`, … that is not taken."""
    path, number = Path(parent) / name, 1
    while path.exists():
        number += 1
        path = Path(parent) / f"{name}-{number}"
    return path
