"""The moments of a run (start, memorised, grokked, end), and what was measured at them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from grokscope.disk.curves import Curve
from grokscope.explanation.sentences import joined_by_and
from grokscope.measures import MEASURES, TABLES, half_fall
from grokscope.reports.record import Moments, RunRecord
from grokscope.tasks.structure import structure_of

UNKNOWN: Final = "–"
START: Final = "start"
END: Final = "end"

SHOWN: Final = ("ffs", "fcr")
"""Measures of the additive basis."""
FITTING: Final = ("kfs", "fcr")
"""Measures of the basis that fits an operation."""
FITS: Final = "basis that fits"
ADDITIVE: Final = "additive basis"
SMALLEST_CHANGE: Final = 0.1
"""Change of a measure from 0 to 1 under which it is not called a fall or a rise."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """The seeds that medians are over: those that grokked, else those that memorised, else all."""

    steps: Mapping[str, Mapping[int, int]]
    """Moments in order, each with its step per seed; only those that all these seeds have."""
    whose: str
    """Of whom the medians are, in words; nothing for a single seed."""

    def median_step(self, moment: str) -> float:
        """The step of a moment."""
        return float(np.median(list(self.steps[moment].values())))

    def median(self, curves: Mapping[int, Curve], moment: str) -> float:
        """The value of a curve at a moment; nan where no seed has it."""
        found = [
            curves[seed].at(step) for seed, step in self.steps[moment].items() if seed in curves
        ]
        known = [value for value in found if np.isfinite(value)]
        return float(np.median(known)) if known else math.nan

    def between(self, first: str, last: str) -> list[int]:
        """The steps from one moment to another, per seed."""
        return [self.steps[last][seed] - step for seed, step in self.steps[first].items()]

    @property
    def words(self) -> str:
        """What to add to a sentence with medians: ` (medians over …)`."""
        return f" ({self.whose})" if self.whose else ""


def timeline_of(record: RunRecord) -> Timeline:
    """Return the timeline of a run that has evaluations."""
    evaluated = record.curves.get(("train_accuracy", None), {})
    ends = {seed: int(curve.steps[-1]) for seed, curve in evaluated.items()}
    reached = {
        name: {s: at for s, m in record.moments.items() if (at := getattr(m, name)) is not None}
        for name in Moments._fields
    }
    cohort = reached["grokked"] or reached["memorised"] or ends
    steps = {START: {s: int(evaluated[s].steps[0]) for s in cohort}}
    steps |= {
        name: {s: at[s] for s in cohort}
        for name, at in reached.items()
        if at and cohort.keys() <= at.keys()
    }
    did = next((name for name in ("grokked", "memorised") if cohort is reached[name]), "")
    return Timeline(steps | {END: {s: ends[s] for s in cohort}}, _whose(cohort, ends, did))


def _whose(cohort: Mapping[int, int], everyone: Mapping[int, int], did: str) -> str:
    if len(everyone) == 1:
        return ""
    if len(cohort) == len(everyone):
        return "medians over the seeds"
    if len(cohort) == 1:
        return f"of seed {next(iter(cohort))}, the only one that {did}"
    return f"medians over the {len(cohort)} seeds that {did}"


class Measured(NamedTuple):
    """One number of one table over training, in one basis."""

    key: str
    table: str
    curves: Mapping[int, Curve]
    """Per seed that has it defined somewhere."""

    @property
    def name(self) -> str:
        """The measure and its table in words."""
        return f"{MEASURES[self.key].symbol} of {self.table}"


class RecordedBasis(NamedTuple):
    """What was recorded in one basis."""

    name: str
    """Empty where there is no other, and it need not be said."""
    measures: tuple[Measured, ...]


def recorded_bases(record: RunRecord) -> list[RecordedBasis]:
    """Return the bases of a run: those that fit its operations, then the additive one.

    Where the additive one is what fits, or nothing else was recorded, it stands alone.
    """
    fits = list(_fitting(record))
    additive = _measured(record.curves, SHOWN)
    return [*fits, RecordedBasis(ADDITIVE if fits else "", additive)]


def fitting(record: RunRecord) -> list[int]:
    """Return the operations of a run that have rows in another basis than the additive one."""
    return [
        number
        for number in range(record.task.n_tasks)
        if record.matched_curves(number) and not _is_additive(record, number)
    ]


def _fitting(record: RunRecord) -> Iterator[RecordedBasis]:
    for number in fitting(record):
        of = f" {record.task.expressions[number].canonical}" if record.task.n_tasks > 1 else ""
        yield RecordedBasis(f"{FITS}{of}", _measured(record.matched_curves(number), FITTING))


def _is_additive(record: RunRecord, number: int) -> bool:
    """Whether the coordinates are x and y themselves."""
    best = structure_of(record.task, number).best
    return best is not None and best.n == record.p and best.u_text == "x"


def _measured(
    curves: Mapping[tuple[str, str | None], Mapping[int, Curve]], keys: Sequence[str]
) -> tuple[Measured, ...]:
    found = [
        Measured(key, table, _defined(curves[key, table]))
        for key in keys
        for table in TABLES
        if (key, table) in curves
    ]
    return tuple(measured for measured in found if measured.curves)


def _defined(curves: Mapping[int, Curve]) -> dict[int, Curve]:
    return {seed: c for seed, c in curves.items() if not np.isnan(c.values).all()}


MEASURES_HEADER: Final = ("half of the fall at", "relative to grokking")
"""Columns of `measure_rows` after those of the moments."""


def measure_rows(record: RunRecord, timeline: Timeline) -> list[list[str]]:
    """Return per measure its values at the moments, and when half of its fall was made.

    The bases that fit come first. All are medians over the seeds of the timeline; the last column
    compares each seed's half with its grokking.
    """
    return [
        [
            f"{measured.name}, {basis.name}" if basis.name else measured.name,
            *(two_digits(timeline.median(measured.curves, moment)) for moment in timeline.steps),
            *_half(measured, timeline),
        ]
        for basis in recorded_bases(record)
        for measured in basis.measures
    ]


def step_row(timeline: Timeline) -> list[str]:
    """Return the row that says at which step each moment was."""
    return ["step", *(f"{timeline.median_step(moment):,.0f}" for moment in timeline.steps)]


def norm_rows(record: RunRecord, timeline: Timeline) -> list[list[str]]:
    """Return per matrix its L2 norm at the moments."""
    return [
        [f"‖{matrix}‖", *(f"{timeline.median(curves, m):.1f}" for m in timeline.steps)]
        for matrix in record.matrices
        if (curves := record.curves["l2_norm", matrix])
    ]


def two_digits(value: float) -> str:
    """Return a measure from 0 to 1 as text."""
    return UNKNOWN if math.isnan(value) else f"{value:.2f}"


def _half(measured: Measured, timeline: Timeline) -> list[str]:
    seeds = timeline.steps[START]
    curves = {seed: curve for seed, curve in measured.curves.items() if seed in seeds}
    halves = {s: half_fall(c.steps.tolist(), c.values.tolist()) for s, c in curves.items()}
    fallen = {seed: step for seed, step in halves.items() if step is not None}
    grokked = timeline.steps.get("grokked", {})
    leads = [step - grokked[seed] for seed, step in fallen.items() if seed in grokked]
    no_fall = f"no fall of {SMALLEST_CHANGE:g} or more"
    return [f"{np.median(list(fallen.values())):,.0f}" if fallen else no_fall, _relative(leads)]


def _relative(leads: Sequence[int]) -> str:
    """Say how far before or after grokking something happened, in the median."""
    if not leads:
        return UNKNOWN
    middle = float(np.median(leads))
    if middle == 0:
        return "at the same step"
    return f"{abs(middle):,.0f} steps {'before' if middle < 0 else 'after'}"


def changes(record: RunRecord, timeline: Timeline, first: str, last: str) -> list[str]:
    """Return per basis a clause: which measures fell and rose from one moment to another."""
    found = [
        (basis.name, [(m.name, *_ends(m, timeline, first, last)) for m in basis.measures])
        for basis in recorded_bases(record)
    ]
    return [
        f"{f'in the {name}, ' if name else ''}{text}"
        for name, ends in found
        if (text := _changes([end for end in ends if not np.isnan(end[1:]).any()]))
    ]


def _ends(measured: Measured, timeline: Timeline, first: str, last: str) -> tuple[float, float]:
    return timeline.median(measured.curves, first), timeline.median(measured.curves, last)


def _changes(ends: Sequence[tuple[str, float, float]]) -> str:
    moved = [
        f"{name} {'fell' if b < a else 'rose'} from {a:.2f} to {b:.2f}"
        for name, a, b in ends
        if abs(b - a) >= SMALLEST_CHANGE
    ]
    stayed = [f"{name} {a:.2f} to {b:.2f}" for name, a, b in ends if abs(b - a) < SMALLEST_CHANGE]
    if not moved:
        little = f"no measure changed by {SMALLEST_CHANGE:g} or more"
        return f"{little} ({', '.join(stayed)})" if stayed else ""
    others = f"; the others changed by less than {SMALLEST_CHANGE:g} ({', '.join(stayed)})"
    return joined_by_and(moved) + (others if stayed else "")


def middle_and_range(values: Sequence[float]) -> str:
    """Return some steps as their median and range: `500 (median; 400 to 600)`."""
    low, high = min(values), max(values)
    if low == high:
        return f"{low:,.0f}"
    return f"{np.median(values):,.0f} (median; {low:,.0f} to {high:,.0f})"
