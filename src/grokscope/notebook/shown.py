"""Small tables with curves, as text for a terminal and as HTML for a notebook."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
from jaxtyping import Float

from grokscope.theme import LIGHT

_COLOURS: Final = LIGHT.series[:2]
_WIDTH: Final = 180
_HEIGHT: Final = 36
_MOST_ROWS: Final = 50
_CELL: Final = "padding: 2px 10px 2px 0; text-align: right; white-space: nowrap"


@dataclass(frozen=True)
class Table:
    """What an object shows of itself.

    **Arguments:**

    - `title`: one line above.
    - `header`, `rows`: texts; the first column stands on the left.
    - `curves`: per row some curves from 0 to 1, drawn over one another; empty for none.
    - `drawn`: what the curves are.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    curves: Sequence[Sequence[Float[np.ndarray, "step"]]] = ()
    drawn: str = ""

    def text(self) -> str:
        """Return it for a terminal, without curves, the first rows of many."""
        rows = [self.header, *self.rows[:_MOST_ROWS]] if self.rows else []
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "   ".join(
                cell.rjust(width) if i else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([self.title, *lines, *self._more()])

    def html(self) -> str:
        """Return it for a notebook; every text is escaped."""
        header = [*self.header, *([self.drawn] if self.drawn else [])]
        head = "".join(f'<th style="{_CELL}">{escape(name)}</th>' for name in header)
        body = "".join(f"<tr>{self._row(i)}</tr>" for i in range(len(self.rows[:_MOST_ROWS])))
        more = "".join(f"<p>{escape(line)}</p>" for line in self._more())
        return (
            f"<p><b>{escape(self.title)}</b></p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
        )

    def _row(self, i: int) -> str:
        cells = "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in self.rows[i])
        return f"{cells}<td>{drawing(self.curves[i])}</td>" if self.curves else cells

    def _more(self) -> list[str]:
        rest = len(self.rows) - _MOST_ROWS
        return [f"… and {rest:,} more"] if rest > 0 else []


class ShowsTable(ABC):
    """An object that shows itself as a table; `shown` makes it."""

    @abstractmethod
    def shown(self) -> Table:
        """Return what is shown."""

    def __repr__(self) -> str:
        return self.shown().text()

    def _repr_html_(self) -> str:
        return self.shown().html()


def drawing(curves: Sequence[Float[np.ndarray, "step"]]) -> str:
    """Return curves from 0 to 1 as a small SVG."""
    lines = "".join(
        f'<polyline points="{_points(curve)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        for curve, colour in zip(curves, _COLOURS, strict=False)
    )
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 -2 {_WIDTH} {_HEIGHT + 4}"'
    return f'<svg {size} role="img">{lines}</svg>'


def _points(curve: Float[np.ndarray, "step"]) -> str:
    known = np.flatnonzero(np.isfinite(curve))
    across = _WIDTH / max(1, len(curve) - 1)
    return " ".join(f"{i * across:.1f},{(1 - curve[i]) * _HEIGHT:.1f}" for i in known)
