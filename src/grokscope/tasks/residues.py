"""Which entries of an axis are residues, in words."""

from typing import Final

_NAMES: Final = ("rows", "columns")


def axis_in_words(axis: int, length: int) -> str:
    """Return what an axis is and how long: `114 rows`, or `113 columns`."""
    return f"{length} {_NAMES[axis]}"


def taken_in_words(p: int, axis: int, length: int) -> str:
    """Return what was taken for the residues: `113 residues of 114 rows, 1 left out (113)`."""
    if length == p:
        return f"{p} residues, all {axis_in_words(axis, length)}"
    which = str(p) if length == p + 1 else f"{p} to {length - 1}"
    return f"{p} residues of {axis_in_words(axis, length)}, {length - p} left out ({which})"
