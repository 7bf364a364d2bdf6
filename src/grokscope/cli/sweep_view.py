"""What a person sees of a sweep: a table of cells that fills in, plain lines, or nothing."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from grokscope.cli.terminal import count_in_words
from grokscope.cli.training_view import StandardError
from grokscope.progress import Since, in_words
from grokscope.sweeps.merge import Merged
from grokscope.sweeps.spec import Point
from grokscope.sweeps.states import State, States
from grokscope.sweeps.sweep import SweepCallbacks

_SIGNS: Final = {
    "waiting": ("·", "dim"),
    "running": ("▸", "cyan"),
    "grokked": ("✓", "bold green"),
    "undecided": ("–", "yellow"),
    "diverged": ("!", "red"),
    "failed": ("✗", "bold red"),
}
"""Per status, its sign and its style."""
_FEW: Final = 3
"""Runs in a cell that are shown one by one."""
_LINES_AROUND: Final = 10
_WIDTH_OF_LABELS: Final = 36


@contextlib.contextmanager
def show_sweep(*, quiet: bool) -> Iterator[SweepCallbacks]:
    """Give the callbacks that fit standard error: a terminal, a file, or `quiet`."""
    console = StandardError(stderr=True)
    if quiet:
        yield SweepCallbacks()
    elif console.is_terminal:
        with Live(console=console, refresh_per_second=2, transient=True) as live:
            yield SweepTable(live)
    else:
        yield SweepLines(console)


class SweepLines(SweepCallbacks):
    """A line for each run that ends, for logs."""

    def __init__(self, console: StandardError) -> None:
        self._console = console
        self._told: set[str] = set()

    def merged(self, source: Path, merged: Merged) -> None:
        """Say what was taken over."""
        for line in merge_in_lines(source, merged):
            self._print(line)

    def begin(self, states: States) -> None:
        """Say what is done and what is left."""
        self._told = {point.job.name for point in states.ended_since(())}
        n = len(states.points)
        self._print(
            f"{count_in_words(n, 'run')}: {len(self._told)} done, {n - len(self._told)} to do"
        )

    def polled(self, states: States) -> None:
        """Say which runs have ended since the last time."""
        for point in states.ended_since(self._told):
            self._told.add(point.job.name)
            where = ", ".join(f"{axis} {label}" for axis, label in point.labels.items())
            ended = _in_words(states.now[point.job.name])
            self._print(f"{len(self._told)} of {len(states.points)}: {where}: {ended}")
            if len(self._told) < len(states.points):
                self._print(f"  {speed_in_words(states)}")

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False, highlight=False)


class SweepTable(SweepCallbacks):
    """A table that is redrawn in place."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._begun = time.monotonic()
        self._live.update(Since("looking for what is done", self._begun))

    def merged(self, source: Path, merged: Merged) -> None:
        """Print above the table what was taken over."""
        for line in merge_in_lines(source, merged):
            self._live.console.print(line, markup=False, highlight=False)

    def begin(self, states: States) -> None:
        """Show the table."""
        self.polled(states)

    def polled(self, states: States) -> None:
        """Redraw."""
        table = draw_cells(states, self._live.console.height - _LINES_AROUND)
        # the clock goes on while the runs are silent
        self._live.update(Group(table, Since("training", self._begun)))


def draw_cells(states: States, most_rows: int = 1000) -> Group:
    """Return the table of cells, with a legend and the speed below.

    Rows are the values of the axis with the most, the operations where there are several; columns
    those of the next; a cell holds all other axes.

    **Arguments:**

    - `most_rows`: rows that fit; of more, those with something going on are shown first.
    """
    rows, columns = _axes(states.points)
    cells: dict[tuple[str, str], list[State]] = {}
    for point in states.points:
        place = (point.labels.get(rows, ""), point.labels.get(columns, ""))
        cells.setdefault(place, []).append(states.now[point.job.name])
    heads = list(dict.fromkeys(column for _, column in cells))
    names = list(dict.fromkeys(row for row, _ in cells))
    shown = _most_telling(names, cells, max(1, most_rows))
    corner = f"{rows} × {columns}" if columns else rows
    table = Table(corner, *heads, box=box.SIMPLE, pad_edge=False)
    for name in shown:
        found = [cells.get((name, head), []) for head in heads]
        table.add_row(Text(_short(name)), *map(cell_in_words, found))
    hidden = len(names) - len(shown)
    more = [Text(f"… and {count_in_words(hidden, 'more row')}", "dim")] if hidden else []
    return Group(
        table, *more, legend_of_signs(), Text(f"{_progress(states)}, {speed_in_words(states)}")
    )


def cell_in_words(states: Sequence[State]) -> Text:
    """Return a cell: each of a few runs by itself, many as counts."""
    if len(states) > _FEW:
        counts = {status: sum(s.status == status for s in states) for status in _SIGNS}
        parts = [
            Text(f"{n}{_SIGNS[status][0]}", _SIGNS[status][1]) for status, n in counts.items() if n
        ]
    else:
        parts = [_one(state) for state in states]
    return Text(" ").join(parts)


def legend_of_signs() -> Text:
    """Return what the signs mean."""
    parts = [Text(f"{sign} {status}", style) for status, (sign, style) in _SIGNS.items()]
    return Text("  ").join(parts)


def speed_in_words(states: States) -> str:
    """Return runs per hour and time left, in words."""
    rate = states.runs_per_hour
    per_hour = "–" if rate is None else f"{rate:.1f}" if rate < 100 else f"{rate:.0f}"
    return f"{per_hour} runs per hour, {in_words(states.seconds_left)} left"


def merge_in_lines(source: Path, merged: Merged, taken: str = "taken over") -> list[str]:
    """Return what became of the runs of another folder, in words."""
    counts = {
        taken: len(merged.names),
        "here already": merged.here,
        "not finished there": merged.unfinished,
        "not of this sweep": merged.others,
    }
    told = ", ".join(f"{n} {what}" for what, n in counts.items() if n) or "no runs"
    return [f"{source}: {told}", *merged.errors]


def _one(state: State) -> Text:
    sign, style = _SIGNS[state.status]
    number = state.grokked_at if state.status == "grokked" else None
    if state.status == "running":
        number = state.step
    return Text(sign if number is None else f"{sign} {number}", style)


def _axes(points: Sequence[Point]) -> tuple[str, str]:
    """Return the axes of rows and columns; the latter may be empty."""
    names = list(points[0].labels) if points else []
    sizes = {name: len({point.labels[name] for point in points}) for name in names}
    order = sorted(names, key=lambda name: (name != "operation" or sizes[name] < 2, -sizes[name]))
    rows, columns, *_ = [*order, "", ""]
    return rows, columns if sizes.get(columns, 0) > 1 else ""


def _most_telling(
    names: list[str], cells: dict[tuple[str, str], list[State]], most: int
) -> list[str]:
    """Return at most so many rows, in their order: first those that run, then those that wait."""
    if len(names) <= most:
        return names
    statuses = {
        name: {s.status for (row, _), found in cells.items() if row == name for s in found}
        for name in names
    }
    rank = {
        name: 0 if "running" in s else 1 if "waiting" in s else 2 for name, s in statuses.items()
    }
    chosen = set(sorted(names, key=lambda name: rank[name])[:most])
    return [name for name in names if name in chosen]


def _in_words(state: State) -> str:
    if state.status == "grokked":
        return f"grokked at step {state.grokked_at}"
    if state.status == "undecided":
        return f"undecided at {state.step} steps"
    return f"failed: {state.error}" if state.status == "failed" else state.status


def _progress(states: States) -> str:
    return f"{states.n_ended} of {count_in_words(len(states.points), 'run')} ended"


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH_OF_LABELS else f"{text[: _WIDTH_OF_LABELS - 1]}…"
