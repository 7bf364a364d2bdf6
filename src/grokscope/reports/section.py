"""What pages are made of: sentences, tables, claims and figures under a heading."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from grokscope.reports.figures.figure import Figure
from grokscope.reports.html import Charts


@dataclass(frozen=True)
class Sentence:
    """One sentence; a warning stands out."""

    text: str
    warning: bool = False
    command: str = ""
    """What to type for what the sentence lacks."""


class Link(NamedTuple):
    """A cell of a table that leads to another page."""

    text: str
    address: str


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a row names it."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str | Link]]


@dataclass(frozen=True)
class Claims:
    """The claims of an explanation, each with what `claims_told` says; the needed ones first."""

    rows: Sequence[dict[str, str]]
    needed: int


@dataclass(frozen=True)
class Section:
    """A part of a page; what is empty is left out."""

    id: str
    title: str
    sentences: Sequence[Sentence] = ()
    tables: Sequence[Table] = ()
    claims: Claims | None = None
    facts: Sequence[tuple[str, str]] = ()
    figures: Sequence[Figure] = ()
    listed: bool = True
    """Whether the contents of the page name it."""

    def shown(self, charts: Charts) -> dict[str, Any]:
        """Return what the template shows of it, adding its figures to the charts of the page."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return fields | {"figures": charts.add(self.figures)}


@dataclass(frozen=True)
class Story:
    """A page: the finding in one sentence, what limits it, one figure, then sections in order."""

    title: str
    finding: str
    warnings: Sequence[Sentence]
    figures: Sequence[Figure]
    sections: Sequence[Section]

    @property
    def all_figures(self) -> list[Figure]:
        """All figures of the page, in its order."""
        return [*self.figures, *(figure for s in self.sections for figure in s.figures)]
