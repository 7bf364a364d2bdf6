"""Each progress measure from the first to the last evaluation, in every basis of a run."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from grokscope.measures import MEASURES
from grokscope.report.figures.progress import SHOWN, TABLES
from grokscope.report.record import Curve, RunRecord
from grokscope.tasks.structure import structure_of

FITS = "basis that fits"
ADDITIVE = "additive basis"


class Fall(NamedTuple):
    """One measure of one table in one basis."""

    key: str
    table: str
    curves: Mapping[int, Curve]
    """Per seed that has it defined somewhere."""

    @property
    def name(self) -> str:
        """The measure and its table in words."""
        return f"{MEASURES[self.key].symbol} of {self.table}"

    @property
    def ends(self) -> tuple[float, float]:
        """First and last value, medians over the seeds; raises where no seed has it."""
        ends = [c.values[~np.isnan(c.values)][[0, -1]] for c in self.curves.values()]
        first, last = np.median(ends, axis=0)
        return float(first), float(last)


class Basis(NamedTuple):
    """What was recorded in one basis."""

    name: str
    """Empty where there is no other, and it need not be said."""
    falls: tuple[Fall, ...]


def bases(record: RunRecord) -> list[Basis]:
    """Return the bases of a run: those that fit its operations, then the additive one.

    Where the additive one is what fits, or nothing else was recorded, it stands alone.
    """
    fits = list(_fitting(record))
    name = ADDITIVE if fits else ""
    falls = [Fall(k, t, _defined(record.curves.get((k, t), {}))) for k in SHOWN for t in TABLES]
    return [*fits, Basis(name, tuple(falls))]


def fitting(record: RunRecord) -> list[int]:
    """Return the operations of a run that have rows in another basis than the additive one."""
    return [number for number in range(record.task.n_tasks)
            if record.matched_curves(number) and not _is_additive(record, number)]  # fmt: skip


def _fitting(record: RunRecord) -> Iterator[Basis]:
    for number in fitting(record):
        expression, curves = record.task.expressions[number], record.matched_curves(number)
        of = f" {expression.canonical}" if record.task.n_tasks > 1 else ""
        found = [Fall(key, table, _defined(curves[key, table]))
                 for key in SHOWN for table in TABLES if (key, table) in curves]  # fmt: skip
        yield Basis(f"{FITS}{of}", tuple(found))


def _is_additive(record: RunRecord, number: int) -> bool:
    """Whether the coordinates are x and y themselves."""
    best = structure_of(record.task, number).best
    return best is not None and best.n == record.p and best.u_text == "x"


def _defined(curves: Mapping[int, Curve]) -> dict[int, Curve]:
    return {seed: c for seed, c in curves.items() if not np.isnan(c.values).all()}
