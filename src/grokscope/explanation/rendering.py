"""A page of texts and tables as lines, in colours where there are any, or as HTML."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from grokscope.errors import printable
from grokscope.explanation.verdict import Verdict
from grokscope.theme import VERDICTS, verdict_colour


@dataclass(frozen=True)
class Grid:
    """A small table of texts; all columns but the first hold numbers."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: bool = True
    """Whether the first column holds names."""


@dataclass(frozen=True)
class Page:
    """All that is shown of an explanation, as texts."""

    headline: str
    verdict: Verdict
    sentences: tuple[str, ...]
    grids: tuple[Grid, ...]
    facts: tuple[tuple[str, str], ...]
    """Names with their texts; a name that is empty goes with the one before it."""


WIDTH: Final = 100
_GAP: Final = 3
"""Blanks between columns that have room."""


def as_text(page: Page, console: Console | None = None) -> str:
    """Return a page as lines without blanks at their ends.

    **Arguments:** the page; the console that says how wide it is and whether it has colours; by
    default 100 columns without.
    """
    return rendered(_parts(page), console or Console(file=io.StringIO(), width=WIDTH))


def rendered(parts: Sequence[RenderableType], console: Console) -> str:
    """Return parts below each other as a console shows them, without blanks at line ends.

    A table is never cut: where it is too wide, its columns stand closer, and then it is wider.
    """
    width = console.width
    with console.capture() as caught:
        for part in parts:
            console.width = _fitted(part, width) if isinstance(part, Table) else width
            console.print(part, highlight=False)
    console.width = width
    return "\n".join(line.rstrip() for line in caught.get().splitlines())


def _fitted(table: Table, width: int) -> int:
    """Make the columns of a table narrower where it is too wide; return the width that it needs."""
    known = [(column, column.min_width) for column in table.columns if column.min_width is not None]
    if len(known) < len(table.columns):  # texts, which may be broken anywhere
        return width
    gaps = len(known) - 1
    if sum(max(least, len(str(c.header))) for c, least in known) + _GAP * gaps <= width:
        return width
    needed = 0
    for gap in (_GAP, 2, 1):
        table.padding = (0, gap, 0, 0)
        needed = sum(least for _, least in known) + gap * gaps
        if needed <= width:
            break
    for column, least in known:
        column.width = least
    return max(needed, width)


def _parts(page: Page) -> list[RenderableType]:
    parts: list[RenderableType] = [
        Text(printable(page.headline), style=f"bold {VERDICTS[page.verdict][0]}"),
        Text(),
        *(Text(printable(sentence)) for sentence in page.sentences),
    ]
    for grid in page.grids:
        parts += [
            Text(f"\n{grid.title}", style="bold"),
            table_of(grid.headers, grid.rows, names=grid.names),
        ]
    return [*parts, Text(), names_and_texts(page.facts)] if page.facts else parts


def names_and_texts(rows: tuple[tuple[str, str], ...]) -> Table:
    """Return names with their texts, which wrap beside them."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for name, text in rows:
        table.add_row(Text(name, style="bold"), Text(printable(text)))
    return table


def table_of(headers: Sequence[str], rows: Iterable[Sequence[str]], *, names: bool = True) -> Table:
    """Return a table of texts; all columns hold numbers, but the first where it holds names.

    Headers are broken at blanks, cells nowhere.
    """
    cells = [tuple(row) for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
    for i, header in enumerate(headers):
        first = i == 0 and names
        longest = max(
            len(text) for text in (*header.split(), *(row[i] for row in cells if i < len(row)))
        )
        justify = "left" if first else "right"
        table.add_column(header, justify=justify, no_wrap=first, min_width=longest)
    for row in cells:
        table.add_row(*map(Text, row))
    return table


_STYLE: Final = (
    ".grokscope{max-width:60em;line-height:1.4}"
    ".grokscope h4{margin:0 0 .5em;padding-left:.6em;border-left:.3em solid}"
    ".grokscope p{margin:.2em 0}"
    ".grokscope table{border-collapse:collapse;margin:.8em 0;color:inherit}"
    ".grokscope caption{text-align:left;font-weight:bold;color:inherit}"
    ".grokscope td,.grokscope th{padding:.1em .8em .1em 0;background:none;color:inherit;"
    "text-align:right;font-variant-numeric:tabular-nums;white-space:pre}"
    ".grokscope td:first-child,.grokscope th:first-child{text-align:left}"
    ".grokscope dl{display:grid;grid-template-columns:max-content auto;gap:.1em 1em;margin:.8em 0}"
    ".grokscope dd{margin:0}.grokscope dt{font-weight:bold}"
)
"""Text and background stay those of the notebook, so that it can be light or dark."""


def as_html(page: Page) -> str:
    """Return a page as HTML that needs nothing from elsewhere; all texts are escaped."""
    parts = [f"<style>{_STYLE}</style>"]
    edge = verdict_colour(page.verdict)
    parts.append(f'<h4 style="border-color:{edge}">{_safe(page.headline)}</h4>')
    parts += [*(f"<p>{_safe(s)}</p>" for s in page.sentences), *map(_html_table, page.grids)]
    if page.facts:
        facts = [f"<dt>{_safe(name)}</dt><dd>{_safe(text)}</dd>" for name, text in page.facts]
        parts.append(f"<dl>{''.join(facts)}</dl>")
    return f'<div class="grokscope">{"".join(parts)}</div>'


def _html_table(grid: Grid) -> str:
    rows = [("th", grid.headers), *(("td", row) for row in grid.rows)]
    cells = [
        f"<tr>{''.join(f'<{kind}>{_safe(cell)}</{kind}>' for cell in row)}</tr>"
        for kind, row in rows
    ]
    return f"<table><caption>{_safe(grid.title)}</caption>{''.join(cells)}</table>"


def _safe(text: str) -> str:
    return escape(printable(text))
