"""Tables of any width on a terminal of any width, or in a pipe: nothing is lost."""

import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from grokscope.errors import printable

if TYPE_CHECKING:
    from rich.table import Table

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


def distinct(names: Sequence[str], width: int | None) -> list[str]:
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
