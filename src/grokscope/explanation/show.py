"""The page of an explanation as text and as HTML."""

import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from grokscope.errors import printable
from grokscope.explanation.page import Grid, Page

WIDTH: Final = 100
_COLOURS: Final = {
    "explained": "green",
    "partly": "yellow",
    "not decided": "cyan",
    "not explained": "red",
}


def as_text(page: Page, console: Console | None = None) -> str:
    """Return a page as lines without blanks at their ends.

    **Arguments:** the page; the console that says how wide it is and whether it has colours; by
    default 100 columns without.
    """
    return rendered(_parts(page), console or Console(file=io.StringIO(), width=WIDTH))


def rendered(parts: Sequence[RenderableType], console: Console) -> str:
    """Return parts below each other as a console shows them, without blanks at line ends."""
    with console.capture() as caught:
        for part in parts:
            console.print(part, highlight=False)
    return "\n".join(line.rstrip() for line in caught.get().splitlines())


def _parts(page: Page) -> list[RenderableType]:
    parts: list[RenderableType] = [
        Text(printable(page.headline), style=f"bold {_COLOURS[page.verdict]}"),
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
    """Return a table of texts; all columns hold numbers, but the first where it holds names."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for i, header in enumerate(headers):
        first = i == 0 and names
        table.add_column(header, justify="left" if first else "right", no_wrap=first)
    for row in rows:
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
_EDGES: Final = {
    "explained": "#2a9d4a",
    "partly": "#c98a00",
    "not decided": "#1c8fb0",
    "not explained": "#d1453b",
}


def as_html(page: Page) -> str:
    """Return a page as HTML that needs nothing from elsewhere; all texts are escaped."""
    parts = [f"<style>{_STYLE}</style>"]
    parts.append(f'<h4 style="border-color:{_EDGES[page.verdict]}">{_safe(page.headline)}</h4>')
    parts += [f"<p>{_safe(sentence)}</p>" for sentence in page.sentences]
    parts += [_html_table(grid) for grid in page.grids]
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
