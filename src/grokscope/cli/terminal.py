"""Tables of any width on a terminal of any width, or in a pipe: nothing is lost."""

import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from grokscope.errors import printable

if TYPE_CHECKING:
    from rich.table import Table


def count_in_words(n: int, what: str) -> str:
    """Return how many there are of `what`, a word in the singular."""
    return f"{n} {what}" if n == 1 else f"{n:,} {what}s"


_GAP: Final = "  "
_NARROWEST: Final = 40
"""Columns of a terminal under which nothing is left out, because too little would fit."""
_LEAST_ELASTIC: Final = 12
_MARK: Final = re.compile(r"-[0-9a-f]{10}")
"""What tells runs of a sweep apart at the end of their names."""
LONGEST_NAME: Final = 30


@dataclass(frozen=True)
class Column:
    """One column.

    **Arguments:**

    - `title`: above it.
    - `cells`: one per row.
    - `rank`: how early it is left out: 0 never, the largest first.
    - `right`: whether it is aligned on the right.
    - `elastic`: whether cells may end early, at a blank, so that the line fits.
    """

    title: str
    cells: Sequence[str]
    rank: int = 0
    right: bool = False
    elastic: bool = False

    def heads(self, stacked: bool) -> tuple[str, str]:
        """Return the title in two lines, the first empty where one is enough."""
        first, _, rest = self.title.partition(" ")
        if len(rest) > len(first) + len("of "):
            first, _, rest = self.title.rpartition(" ")
        return (first, rest) if stacked and rest else ("", self.title)

    def width(self, stacked: bool, *, whole: bool = False) -> int:
        """Return the columns of the terminal that it takes; an elastic one at least, or whole."""
        cells = ["x" * _LEAST_ELASTIC] if self.elastic and not whole else self.cells
        return max(map(cell_len, [*self.heads(stacked), *cells]))


def width_of_output() -> int | None:
    """Return the columns of the terminal; None where lines are not cut.

    That is so for a pipe or a file, for a very narrow terminal, and for one that says 0.
    """
    told = os.environ.get("COLUMNS", "")
    try:
        known = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return None
    width = int(told) if told.isdecimal() else known
    return width if width >= _NARROWEST else None


def align_columns(columns: Sequence[Column], width: int | None) -> tuple[list[str], list[str]]:
    """Return the lines of a table with its header, and the titles that had no room.

    **Arguments:** the columns in their order; the room, None for all of them uncut.
    """
    kept, stacked = list(columns), width is not None
    elastic = max((column.rank for column in columns if column.elastic), default=0)
    while width is not None:
        last = max(kept, key=lambda column: column.rank)
        # what matters less than an elastic column goes before that one ends early
        if last.rank == 0 or _total(kept, whole=last.rank > elastic) <= width:
            break
        kept.remove(last)
    rest = None if width is None else max(0, width - _total(kept))
    shown = [_padded(column, rest, stacked) for column in kept]
    lines = [_GAP.join(cells).rstrip() for cells in zip(*shown, strict=True)]
    return [line for line in lines if line], [c.title for c in columns if c not in kept]


def shorten_names(names: Sequence[str]) -> tuple[list[str], str]:
    """Return names without what all of them begin with, and that; long ones lose their middle.

    Of runs of a sweep the mark at the end is enough. Different names stay different.
    """
    marks = [match[0] for name in names if (match := _MARK.fullmatch(name, len(name) - 11))]
    if len(set(marks)) == len(names) > 1:
        return [f"…{mark}" for mark in marks], ""
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    common = "".join(letters[0] for letters in same) if len(set(names)) > 1 else ""
    common = common[: common.rfind("-") + 1]
    common = common if len(common) > len("…") + 3 else ""
    rest = [f"…{name[len(common) :]}" if common else name for name in names]
    for length in range(LONGEST_NAME, max(map(len, rest), default=0) + 1):
        found = [_without_middle(name, length) for name in rest]
        if len(set(found)) == len(set(names)):
            return found, common
    return rest, common


def fitting(text: str, width: int) -> str:
    """Return a text that ends early, at a blank, where it is too long."""
    if cell_len(text) <= width:
        return text
    kept = text[: max(1, width - 1)]
    return f"{kept[: kept.rfind(' ')] if ' ' in kept else ''}…"


def _total(columns: Sequence[Column], *, whole: bool = False) -> int:
    widths = [column.width(True, whole=whole) for column in columns]
    return sum(widths) + len(_GAP) * (len(columns) - 1)


def _padded(column: Column, rest: int | None, stacked: bool) -> list[str]:
    cells = [*column.heads(stacked), *column.cells]
    if column.elastic and rest is not None:
        cells = [fitting(cell, column.width(stacked) + rest) for cell in cells]
    width = max(map(cell_len, cells))
    fill = [" " * (width - cell_len(cell)) for cell in cells]
    return [
        f"{blank}{cell}" if column.right else f"{cell}{blank}"
        for cell, blank in zip(cells, fill, strict=True)
    ]


def _without_middle(name: str, length: int) -> str:
    if len(name) <= length:
        return name
    end = length // 2
    return f"{name[: length - end - 1]}…{name[-end:]}"


_SHORTEST: Final = 16
"""Characters of a name that are shown on the narrowest terminal."""


def columns() -> int | None:
    """Return how wide the terminal is; None where output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def plain_table(*headers: str) -> "Table":
    """Return an empty table without lines: names on the left, all else on the right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for i, header in enumerate(headers):
        table.add_column(header, justify="right" if i else "left", no_wrap=True)
    return table


def print_table(table: "Table") -> None:
    """Print a table as wide as it is; a terminal that is narrower breaks its lines itself."""
    from rich.console import Console

    console = Console(highlight=False)
    width = console.measure(table, options=console.options.update(max_width=10**6)).maximum
    console = Console(highlight=False, width=width)
    with console.capture() as caught:
        console.print(table)
    for line in caught.get().splitlines():
        print(line.rstrip())


def distinct_names(names: Sequence[str], width: int | None) -> list[str]:
    """Return names as labels of at most `width` characters, cut in the middle, no two alike.

    Names that are alike when cut are shown in full; None cuts none.
    """
    whole = [printable(name) for name in names]
    whole = [f"{name} ({i})" if whole.count(name) > 1 else name for i, name in enumerate(whole)]
    cut = [_middle(name, width) for name in whole]
    times = Counter(cut)
    return [full if times[label] > 1 else label for full, label in zip(whole, cut, strict=True)]


def _middle(name: str, width: int | None) -> str:
    if width is None or len(name) <= max(width, _SHORTEST):
        return name
    kept = max(width, _SHORTEST) - 1
    return f"{name[: kept // 2]}…{name[len(name) - (kept - kept // 2) :]}"


def report_skipped(name: str, reason: str) -> None:
    """Say on standard error which tensor of a file was not looked at, and why."""
    print(f"skipped {printable(name)}: {reason}", file=sys.stderr)
