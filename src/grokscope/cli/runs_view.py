"""The table of `grokscope runs`: the runs of each folder, a line each, as wide as there is room."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from grokscope.cli.terminal import Column, align_columns, count_in_words, fitting, shorten_names
from grokscope.disk.atomic import relative_path
from grokscope.disk.listing import KILLED, RunSummary
from grokscope.disk.manifest import (
    FIRST_SETTINGS,
    LAST_SETTING,
    differing,
    setting_in_words,
    settings_in_words,
    value_in_words,
)
from grokscope.disk.sweep_folder import RUNS_NAME, is_sweep
from grokscope.errors import printable
from grokscope.rounding import share_in_percent

_UNKNOWN: Final = "–"
_MARGIN: Final = "  "
_OF_LOOKING: Final = (
    "eval_every",
    "spectra_every",
    "save_every",
    "checkpoint_every",
    "checkpoint_budget",
)
"""Settings that say when a run is looked at and kept; what it learns does not depend on them."""
_HIGH_DEFICIT: Final = 0.01
"""What an accuracy that counts as grokked may lack of 100%."""


def table_of_runs(found: Sequence[RunSummary], width: int | None) -> Iterator[str]:
    """Return a block of lines per folder: what its runs share, then a line for each.

    **Arguments:** the runs; the room, None for every column uncut.
    """
    for number, (parent, runs) in enumerate(groupby(found, key=lambda run: run.path.parent)):
        if number:
            yield ""
        for line in _block(_home(parent), list(runs), width):
            yield printable(line)


def _home(parent: Path) -> Path:
    """Return the sweep whose runs lie in a folder, or the folder."""
    sweep = parent.parent
    return sweep if parent.name == RUNS_NAME and is_sweep(sweep) else parent


def _block(home: Path, runs: list[RunSummary], width: int | None) -> Iterator[str]:
    good = [run for run in runs if run.error is None]
    names = differing([run.settings for run in good])
    same = [name for name in FIRST_SETTINGS if name not in names and good]
    common = f", all {settings_in_words(good[0].settings, same)}" if len(good) > 1 and same else ""
    called = [printable(run.path.name) for run in good]
    folders, begins = (called, "") if width is None else shorten_names(called)
    yield f"{relative_path(home)}: {count_in_words(len(runs), 'run')}{common}"
    if begins:
        yield f"{_MARGIN}… stands for {begins}"
    if good:
        room = None if width is None else width - len(_MARGIN)
        columns = [Column("run", folders), *_settings(good, names), *_found(good)]
        table, lacking = align_columns(columns if room is None else _narrow(columns), room)
        yield from (f"{_MARGIN}{line}" for line in table)
        if lacking and room is not None:
            yield f"{_MARGIN}{fitting('--wide adds ' + ', '.join(lacking), room)}"
    for run in runs:
        if run.error is not None:
            yield f"{run.path.name}: {run.error}"


def _settings(runs: Sequence[RunSummary], names: Sequence[str]) -> list[Column]:
    """Return what differs; of settings that tell the same runs apart, the first stays longest."""
    shown_names = [*FIRST_SETTINGS, LAST_SETTING] if len(runs) == 1 else names
    ranks: dict[tuple[str, ...], int] = {}
    columns = []
    for name in shown_names:
        values = [value_in_words(run.settings.get(name)) for run in runs]
        told = ranks.setdefault(_partition(values), len(ranks))
        first = told == len(ranks) - 1 and len(columns) == told
        first = first and name not in _OF_LOOKING
        columns.append(
            Column(setting_in_words(name), values, rank=told + 1 if first else 50 + len(columns))
        )
    return columns


def _partition(values: Sequence[str]) -> tuple[str, ...]:
    """Return which runs have equal values, whatever these are."""
    first: dict[str, int] = {}
    return tuple(str(first.setdefault(value, i)) for i, value in enumerate(values))


def _found(runs: Sequence[RunSummary]) -> list[Column]:
    def column(title: str, cell: Any, rank: int, *, right: bool = True) -> Column:
        return Column(title, [cell(run) for run in runs], rank, right)

    explained = any(run.explained for run in runs)
    columns = [
        column("state", lambda run: run.state, 0, right=False),
        column("step", lambda run: _number(run.step, "{:,}"), 30),
        column("grokked at", _grokked, 3),
        column("test", lambda run: _share(run.test_accuracy), 20),
        column("verdict", _verdict, 10, right=False),
        column("keys of W_E", _keys, 11, right=False),
        column("train", lambda run: _share(run.train_accuracy), 91),
        column("unleaked", lambda run: _share(run.unleaked_accuracy), 92),
        column("FFS of W_E, W_L", lambda run: _pair(run.ffs), 93),
        column("FCR of W_E, W_L", lambda run: _pair(run.fcr), 94),
        column("age", lambda run: _age(run.age), 95),
    ]
    if any(run.transfer for run in runs):
        columns.append(column("taken over", lambda run: run.transfer or "", 96, right=False))
    return [c for c in columns if explained or c.title not in ("verdict", "keys of W_E")]


def _narrow(columns: Sequence[Column]) -> list[Column]:
    """Return the columns for a terminal: keys may end early, a killed run is said in a word."""
    found = []
    for column in columns:
        cells = ["killed" if cell == KILLED else cell for cell in column.cells]
        elastic = column.title == "keys of W_E"
        found.append(Column(column.title, cells, column.rank, column.right, elastic))
    return found


def _grokked(run: RunSummary) -> str:
    """Return when each seed grokked; of one at 99% that is not confirmed yet, that it is so."""
    # so small a mean deficit leaves no seed below 99%
    high = (run.test_accuracy or 0) >= 1 - _HIGH_DEFICIT / max(1, len(run.seeds))
    waits = high and run.state != "diverged"
    cells = [
        "unconfirmed" if at is None and waits else _number(at, "{:,}")
        for at in run.grokked_at.values()
    ]
    return " ".join(cells) or _UNKNOWN


def _verdict(run: RunSummary) -> str:
    return ", ".join(dict.fromkeys(found["verdict"] for found in run.explained)) or _UNKNOWN


def _keys(run: RunSummary) -> str:
    """Return the keys of each network; several are parted by a stroke."""
    keys = [" ".join(map(str, found["keys_W_E"])) or "none" for found in run.explained]
    return " | ".join(keys) or _UNKNOWN


def _number(value: float | None, form: str) -> str:
    return _UNKNOWN if value is None else form.format(value)


def _share(value: float | None) -> str:
    return _UNKNOWN if value is None else share_in_percent(value)


def _pair(values: dict[str, float]) -> str:
    return " ".join(_number(values.get(matrix), "{:.2f}") for matrix in ("W_E", "W_L"))


def _age(seconds: float | None) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds is not None and seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return _number(seconds, "{:.0f} s")
