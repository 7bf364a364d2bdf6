"""Which tensors of a file a name in a layout means.

In a name `*` stands for any text, `#` for any number, `(a|b)` for one of several texts, `[ab]` for
one of several letters, `a?` for a letter that may be missing, `{block}` and `{head}` for 0, 1, 2 …;
what `(…|)` leaves out may be missing, a block's number too.
"""

import functools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

Tensors = Mapping[str, np.ndarray]
BLOCK: Final = "{block}"
_SPECIAL: Final = {
    r"\*": ".*?",
    r"\#": r"\d+",
    r"\(": "(?:",
    r"\)": ")",
    r"\|": "|",
    r"\?": "?",
    r"\[": "[",
    r"\]": "]",
    r"\{block\}": r"(?P<block>\d+)",
    r"\{head\}": r"(?P<head>\d+)",
}


@dataclass(frozen=True)
class Entry:
    """One way in which a file may call a matrix, and turn it.

    **Arguments:** the name, with what it leaves open; the axes in the file.
    """

    name: str
    axes: str

    @property
    def lengths(self) -> int:
        """Number of axes of a tensor, those in parentheses being one."""
        outside = [part.rpartition(")")[2] for part in self.axes.split("(")]
        return self.axes.count("(") + sum(len(part.split()) for part in outside)

    def place(self, axis: str) -> int | None:
        """Return which axis of the tensor is this one; None where it lies with others."""
        plain = re.sub(r"\([^)]*\)", "folded", self.axes).split()
        return plain.index(axis) if axis in plain else None

    @property
    def in_heads(self) -> bool:
        """Whether each head has a tensor of its own."""
        return "{head}" in self.name


_MAYBE: Final = f"({BLOCK}.|)"


@functools.cache
def _patterns(name: str) -> list[re.Pattern[str]]:
    """What a name may be, with a block's number before without one: `*` would take it."""
    ways = [name.replace(_MAYBE, f"{BLOCK}."), name.replace(_MAYBE, "")]
    found = []
    for way in dict.fromkeys(ways):
        text = re.escape(way)
        for special, meant in _SPECIAL.items():
            text = text.replace(special, meant)
        found.append(re.compile(text))
    return found


def _match(name: str, tensor: str) -> re.Match[str] | None:
    matches = (pattern.fullmatch(tensor) for pattern in _patterns(name))
    return next((match for match in matches if match), None)


def plain(tensor: np.ndarray, entry: Entry) -> np.ndarray:
    """Return a tensor without axes of length 1 where it has more than an entry says."""
    more = tensor.ndim - entry.lengths
    ones = [axis for axis, length in enumerate(tensor.shape) if length == 1]
    return np.squeeze(tensor, tuple(ones[:more])) if 0 < more <= len(ones) else tensor


def _fits(tensor: np.ndarray, entry: Entry, width: int | None) -> bool:
    shape, place = plain(tensor, entry).shape, entry.place("d_model")
    if len(shape) != entry.lengths - entry.in_heads:
        return False
    return width is None or place is None or shape[place - entry.in_heads] == width


def tensors_of(
    entry: Entry, tensors: Tensors, taken: Collection[str] = (), width: int | None = None
) -> dict[int, dict[int, str]]:
    """Return the tensors that an entry names, by block and head.

    Where several have one place none is meant, but for the one that is called just so.

    **Arguments:** the entry; the file's tensors; those that other entries have; the width of the
    network, which they have where the entry says so.
    """
    if entry.name in tensors:
        return {0: {0: entry.name}}
    found: dict[int, dict[int, list[str]]] = {}
    for name, tensor in tensors.items():
        match = _match(entry.name, name)
        if match is None or name in taken or not _fits(tensor, entry, width):
            continue
        groups = match.groupdict()
        block, head = (int(groups.get(one) or 0) for one in ("block", "head"))
        found.setdefault(block, {}).setdefault(head, []).append(name)
    if any(len(names) > 1 for heads in found.values() for names in heads.values()):
        return {}
    return {
        block: {head: names[0] for head, names in sorted(heads.items())}
        for block, heads in sorted(found.items())
    }


def readable(name: str) -> str:
    """Return one tensor that a name means, for people: of several texts the first."""
    text = name.replace(_MAYBE, f"{BLOCK}.").replace("(*.|)", "")
    while (shorter := re.sub(r"\(([^()|]*)[^()]*\)", r"\1", text)) != text:
        text = shorter
    return re.sub(r"\[(.)[^]]*\]|.\?", lambda match: match[1] or "", text).replace(BLOCK, "0")
