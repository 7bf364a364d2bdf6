"""What a claim of the paper rests on: checks on runs, and the rule that makes one word of them.

Rows come from results/, and medians with their ranges from the tables that `make figures` and
`python -m docs.matched` wrote: progress_numbers.md and matched_numbers.md.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Any, Final

from grokscope.paper.agreement import PAPER_P
from grokscope.paper.experiment import experiments
from grokscope.paper.store import CellResult, better_of, read_cells
from grokscope.reports.moments import SMALLEST_CHANGE
from grokscope.tasks import parse

FEWEST: Final = 3
"""Runs, of the paper's modulus, from which a word is more than an anecdote; the paper has three."""
MEASURES: Final = ("ffs_W_E", "ffs_W_L", "fcr_W_E", "fcr_W_L")
_SCRATCH: Final = (None, "from scratch")
Row = Mapping[str, Any]


class Word(StrEnum):
    """What can be said of a claim."""

    REPRODUCED = "reproduced"
    IN_PART = "reproduced in part"
    NOT_REPRODUCED = "not reproduced"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Check:
    """One thing that a claim says, and the runs that can tell; undecided runs cannot.

    **Arguments:**

    - `what`: what should hold.
    - `held`: in how many runs it does.
    - `tested`: how many runs can tell.
    - `papers`: how many of them are of the modulus that the paper speaks of.
    - `missing`: of how many settings that the claim is about no run can tell.
    """

    what: str
    held: int
    tested: int
    papers: int
    missing: int = 0

    def __str__(self) -> str:
        """Say how often it held, and of how many runs at the paper's modulus that is said."""
        if not self.tested:
            return f"{self.what}: no run can tell"
        notes = [f"{self.papers} at the paper's p"]
        plural = "" if self.missing == 1 else "s"
        notes += [f"{self.missing} setting{plural} missing"] if self.missing else []
        notes += ["one run, an anecdote"] if self.tested == 1 else []
        return f"{self.what}: {self.held} of {self.tested} ({'; '.join(notes)})"

    @property
    def whole(self) -> bool:
        """Whether it holds in every run, of as many as the paper has, with nothing missing."""
        return self.held == self.tested and self.papers >= FEWEST and not self.missing

    @property
    def mostly(self) -> bool:
        """Whether it holds in half of the runs or more."""
        return self.tested > 0 and 2 * self.held >= self.tested


def word_of(checks: Sequence[Check]) -> Word:
    """Return the one word for a claim.

    *Reproduced*: each check holds in every run, with three runs or more at the paper's own
    modulus, and no setting missing. *Reproduced in part*: some check holds in half of its runs or
    more. *Not reproduced*: none does, with three runs or more. Else *undecided*.
    """
    if checks and all(check.whole for check in checks):
        return Word.REPRODUCED
    if any(check.mostly for check in checks):
        return Word.IN_PART
    tested = sum(check.tested for check in checks)
    return Word.NOT_REPRODUCED if tested >= FEWEST else Word.UNDECIDED


@dataclass(frozen=True)
class Group:
    """Runs of one operation, modulus and training fraction that grokked.

    **Arguments:**

    - `n`: how many there are.
    - `fell`: by measure, in how many it fell by 0.1 or more.
    - `ends`: by measure, median, minimum and maximum at the end.
    """

    operation: str
    p: int
    fraction: float
    n: int
    fell: Mapping[str, int]
    ends: Mapping[str, tuple[float, float, float]]

    @property
    def words(self) -> str:
        """The setting, and n."""
        return f"p = {self.p}, r = {self.fraction:g}, n = {self.n}"

    def end(self, measure: str) -> str:
        """Return what a measure ended at: the median, and the range of several runs."""
        middle, low, high = self.ends[measure]
        return f"{middle:.2f} ({low:.2f} to {high:.2f})" if self.n > 1 else f"{middle:.2f}"


@dataclass(frozen=True)
class Evidence:
    """All that is known.

    **Arguments:**

    - `cells`: every run of results/, once, whichever experiments have it.
    - `groups`: measures of runs that grokked, from scratch.
    """

    cells: Mapping[str, CellResult]
    groups: Sequence[Group] = field(default_factory=list)

    @property
    def rows(self) -> list[Row]:
        """The rows of whole runs that train."""
        return [cell.rows[0] for cell in self.cells.values() if "start" in cell.rows[0]]

    def scratch(self, *operations: str) -> list[Row]:
        """Return the runs from scratch of some operations, or of all single ones."""
        rows = [r for r in self.rows if r["start"] in _SCRATCH and "," not in r["operation"]]
        return [r for r in rows if not operations or r["operation"] in operations]

    def series(
        self, name: str, *operations: str
    ) -> Iterator[tuple[Row, Sequence[Mapping[str, Any]]]]:
        """Yield the runs from scratch of some operations that have a long table, with it."""
        for cell in self.cells.values():
            row = cell.rows[0]
            known = row["operation"] in operations and row.get("start") in _SCRATCH
            if known and name in cell.series:
                yield row, cell.series[name]

    def of(self, *operations: str) -> list[Group]:
        """Return the groups of some operations, the paper's modulus first."""
        found = [group for group in self.groups if group.operation in operations]
        return sorted(found, key=lambda g: (g.p != PAPER_P, -g.n))

    def falls(self, what: str, measure: str, *operations: str) -> Check:
        """Check that a measure falls in every run that grokked."""
        found = ((g.fell[measure], g.n, g.p) for g in self.of(*operations))
        return _counted(what, found, self._missing(operations))

    def stays(self, what: str, measure: str, *operations: str) -> Check:
        """Check that a measure falls in none of the runs that grokked."""
        found = ((g.n - g.fell[measure], g.n, g.p) for g in self.of(*operations))
        return _counted(what, found, self._missing(operations))

    def _missing(self, operations: Sequence[str]) -> int:
        """Return of how many operations no run at the paper's modulus has grokked."""
        known = {group.operation for group in self.groups if group.p == PAPER_P}
        return len(set(operations) - known)


def _counted(what: str, found: Iterable[tuple[int, int, int]], missing: int = 0) -> Check:
    """Return a check of numbers of runs that hold, of all, and their modulus."""
    triples = list(found)
    papers = sum(n for _, n, p in triples if p == PAPER_P)
    held, tested = (sum(triple[i] for triple in triples) for i in (0, 1))
    return Check(what, held, tested, papers, missing)


def check_each(
    what: str,
    told: Iterable[tuple[bool | None, int]],
    settings: int | None = None,
    papers: Sequence[int] = (PAPER_P,),
) -> Check:
    """Check something of each run.

    **Arguments:**

    - `what`: what should hold.
    - `told`: whether it does, None where a run cannot tell, and the run's modulus.
    - `settings`: how many the claim is about, where each is told once; None for those told.
    - `papers`: moduli that the paper speaks of.
    """
    known = [(held, p) for held, p in told if held is not None]
    return Check(
        what,
        sum(held for held, _ in known),
        len(known),
        sum(p in papers for _, p in known),
        0 if settings is None else settings - len(known),
    )


def fell(row: Row, measure: str) -> bool:
    """Whether a measure of a run fell by 0.1 or more."""
    first, last = row.get(f"{measure}_first"), row.get(measure)
    return first is not None and last is not None and first - last >= SMALLEST_CHANGE


def grokked(row: Row) -> bool:
    """Whether a run grokked."""
    return row["status"] == "grokked"


def read_evidence(results: Path, tables: Mapping[Path, int]) -> Evidence:
    """Return all that is known.

    **Arguments:**

    - `results`: the folder of the results.
    - `tables`: pages with tables of medians and ranges, and the modulus of their runs.
    """
    found = Evidence(_cells(results))
    groups = {_place(group): group for group in _groups(found.scratch())}
    for path, p in tables.items():
        for group in _tabled(path.read_text("utf-8"), p):
            known = groups.get(_place(group))
            # both may hold the same seeds, so that they are not added up
            if known is None or group.n > known.n:
                groups[_place(group)] = group
    return Evidence(found.cells, list(groups.values()))


def _cells(results: Path) -> dict[str, CellResult]:
    """Return every run once, with the long tables of all experiments that have it.

    Runs that train say how they started, also where an experiment has one way only.
    """
    cells: dict[str, CellResult] = {}
    series: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name in experiments():
        more = read_cells(results, name)
        cells, _ = better_of(cells, more)
        for key, cell in more.items():
            series.setdefault(key, {}).update(cell.series)
    return {
        key: CellResult(
            [{"start": None, **row} if "max_steps" in row else row for row in cell.rows],
            series[key],
        )
        for key, cell in cells.items()
    }


def _place(group: Group) -> tuple[str, int, float]:
    return group.operation, group.p, group.fraction


def _groups(rows: Iterable[Row]) -> Iterator[Group]:
    places: dict[tuple[str, int, float], list[Row]] = {}
    for row in filter(grokked, rows):
        places.setdefault((row["operation"], row["p"], row["train_fraction"]), []).append(row)
    for place, some in places.items():
        falls = {name: sum(fell(row, name) for row in some) for name in MEASURES}
        ends = {name: _spread([row[name] for row in some]) for name in MEASURES}
        yield Group(*place, len(some), falls, ends)


def _spread(numbers: Sequence[float]) -> tuple[float, float, float]:
    return median(numbers), min(numbers), max(numbers)


NAMES: Final = {
    "ffs_W_E": "FFS of W_E",
    "ffs_W_L": "FFS of W_L",
    "fcr_W_E": "FCR of W_E",
    "fcr_W_L": "FCR of W_L",
}
_ADDITIVE: Final = "additive"
_RUNS: Final = re.compile(r"(?P<operation>.+), r = (?P<fraction>[\d.]+)")
_SPREAD: Final = re.compile(r"(\S+) \((\S+) to (\S+); n = (\d+)\)")


def _tabled(text: str, p: int) -> Iterator[Group]:
    """Yield the groups that a page of medians and ranges tells of, without those undecided."""
    tables = list(_markdown_tables(text))
    ends = _by_measure(tables, "at the end")
    leads = _by_measure(tables, "leads by (steps)")
    for line in next(table for table in tables if "grokked at step" in table[0]):
        setting, steps = _RUNS.fullmatch(line["runs"]), _SPREAD.fullmatch(line["grokked at step"])
        if setting is None or steps is None:
            continue
        spreads = {key: _numbers(ends[line["runs"], name]) for key, name in NAMES.items()}
        yield Group(
            parse(setting["operation"]).canonical,
            p,
            float(setting["fraction"]),
            int(steps[4]),
            # a measure that does not fall by 0.1 has no lead
            {key: _count(leads[line["runs"], name]) for key, name in NAMES.items()},
            {key: (middle, low, high) for key, (middle, low, high) in spreads.items()},
        )


def _by_measure(tables: Iterable[list[dict[str, str]]], column: str) -> dict[tuple[str, str], str]:
    """Return a column by the runs and the measure that it is of, in the additive basis."""
    return {
        (line["runs"], line["measure"]): line[column]
        for table in tables
        for line in table
        if column in line and line.get("basis", _ADDITIVE) == _ADDITIVE
    }


def _markdown_tables(text: str) -> Iterator[list[dict[str, str]]]:
    """Yield the tables of a page, a dictionary a row."""
    for block in text.split("\n\n"):
        lines = [line.strip("|").split("|") for line in block.splitlines() if line.startswith("|")]
        cells = [[cell.strip() for cell in line] for line in lines]
        if len(cells) > 2:
            yield [dict(zip(cells[0], line, strict=True)) for line in cells[2:]]


def _numbers(text: str) -> tuple[float, float, float]:
    """Return median, minimum and maximum of `0.15 (0.12 to 0.17; n = 5)`."""
    found = _SPREAD.fullmatch(text)
    if found is None:
        raise ValueError(f"no median with its range: {text}")
    return float(found[1]), float(found[2]), float(found[3])


def _count(text: str) -> int:
    """Return n of a median with its range, 0 where there is none."""
    found = _SPREAD.fullmatch(text)
    return int(found[4]) if found else 0
