"""All experiments in the hours that a machine has: what tells most is trained first."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, NamedTuple

from grokscope.errors import TimeIsUpError
from grokscope.paper.experiment import Request, experiments, load_experiment
from grokscope.paper.plan import Plan, plan
from grokscope.paper.run import (
    count_labels,
    keep_and_show,
    summarise,
    train_experiment,
)
from grokscope.paper.store import CellResult, add_cells, cell_id, read_cells
from grokscope.paper.tables import table_a5
from grokscope.sweeps.engines.engine import Engine
from grokscope.sweeps.job import job_of
from grokscope.sweeps.sweep import SweepCallbacks

ALL: Final = "all"
"""The name that stands for every experiment."""
_FIRST_STEPS: Final = 10_000
"""Steps of every run at first; those that are undecided go on in the end."""
_THRESHOLDS: Final = "table-a5"


class Part(NamedTuple):
    """Some cells of an experiment."""

    name: str
    request: Request


def parts_in_order(steps: int | None = None) -> Iterator[Part]:
    """Yield parts of all experiments, those that tell most first.

    These are every experiment's smallest version; its smallest training fraction, seed by seed;
    the fractions on both sides of each threshold of Table A.5; all the rest, seed by seed; and in
    the end the undecided runs, with as many steps as the paper's.

    **Arguments:**

    - `steps`: of every run; None is 10,000 at first, and the paper's 300,000 in the end.
    """
    all_of_them = {name: load_experiment(name) for name in experiments()}
    trained = {name: e for name, e in all_of_them.items() if e.kind == "training"}
    yield from (Part(name, Request()) for name in all_of_them if name not in trained)
    yield from (Part(name, Request(small=True)) for name in trained)
    limit = steps or _FIRST_STEPS
    seeds = next(iter(trained.values())).axes["seed"]
    for seed in seeds:
        for name, experiment in trained.items():
            smallest = min(experiment.axes["train_fraction"])
            yield Part(name, Request(seeds=(seed,), fractions=(smallest,), steps=limit))
    for operation, row in table_a5().items():
        fractions = _around(row.smallest_fraction, sorted(row.cells))
        yield Part(_THRESHOLDS, Request((operation,), seeds[:1], fractions, steps=limit))
    for seed in seeds:
        yield from (Part(name, Request(seeds=(seed,), steps=limit)) for name in trained)
    if steps is None:
        yield from (Part(name, Request()) for name in trained)


def _around(threshold: float | None, fractions: list[float]) -> tuple[float, ...]:
    """Return the smallest fraction that grokked and the one before it, or else the largest."""
    at = len(fractions) - 1 if threshold is None else fractions.index(threshold)
    return tuple(fractions[max(at - 1, 0) : at + 1])


class Campaign:
    """Training of parts of experiments, one after the other, and the results that they add.

    **Arguments:**

    - `out`: where runs and pages go.
    - `folder`: where results are kept; what is known there is not trained again.
    - `warn`: is told of what cannot be read, and of cells with two outcomes.
    """

    def __init__(self, out: Path, folder: Path, warn: Callable[[str], None]) -> None:
        self._out, self._folder, self._warn = out, folder, warn

    def train(
        self,
        parts: Iterable[Part],
        engine: Engine,
        view: Callable[[], AbstractContextManager[SweepCallbacks]],
        *,
        hours: float = math.inf,
        lock: bool = True,
    ) -> None:
        """Train what is not known, until all is or the time is up, and add the results.

        **Arguments:**

        - `parts`: what to train, in this order.
        - `engine`, `view`, `lock`: as for `train_experiment`.
        - `hours`: how long.

        **Raises:** as `train_experiment`, after adding the results.
        """
        until = time.monotonic() + 3600 * hours
        for part in parts:
            experiment = part.request.apply(load_experiment(part.name))
            if experiment.kind == "labels":
                self._add(part.name, count_labels(experiment, part.request))
                continue
            planned = plan(experiment, self._out)
            known = self._known(part.name, planned)
            if len(known) == len(planned.cells):
                continue
            if time.monotonic() >= until:
                break
            try:
                train_experiment(
                    planned, self._out, engine, view, lock=lock, without=known, until=until
                )
            except TimeIsUpError:
                break
            finally:
                found = summarise(experiment, planned, [self._out], self._warn)
                self._add(part.name, found)

    def left(self, parts: Iterable[Part]) -> Iterator[tuple[Part, int]]:
        """Yield the parts of which something is to be trained, with how many cells that are."""
        seen: set[str] = set()
        for part in parts:
            experiment = part.request.apply(load_experiment(part.name))
            if experiment.kind == "labels":
                continue
            planned = plan(experiment, self._out)
            known = self._known(part.name, planned)
            jobs = {job_of(cell.config).name for cell in planned.cells} - known - seen
            seen |= jobs
            if jobs:
                yield part, len(jobs)

    def share(self) -> None:
        """Add to every experiment what runs of the others tell about it."""
        for name in experiments():
            whole = load_experiment(name)
            if whole.kind == "training":
                for request in (Request(), Request(small=True)):
                    experiment = request.apply(whole)
                    planned = plan(experiment, self._out)
                    found = summarise(experiment, planned, [self._out], self._warn)
                    self._add(name, found)

    def write_page(self, name: str) -> Path | None:
        """Write the page of all that is known of an experiment; None where nothing is."""
        if not read_cells(self._folder, name):
            return None
        experiment = load_experiment(name)
        planned = None if experiment.kind == "labels" else plan(experiment, self._out)
        return keep_and_show(experiment, None, planned, {}, self._folder, self._out, self._warn)

    def _known(self, name: str, planned: Plan) -> set[str]:
        """Return the jobs whose results are kept, grokked or after as many steps."""
        kept = read_cells(self._folder, name)
        found = set()
        for cell in planned.cells:
            result = kept.get(cell_id(cell.key))
            if result is not None and _is_enough(result, cell.config.schedule.steps):
                found.add(job_of(cell.config).name)
        return found

    def _add(self, name: str, found: Mapping[str, CellResult]) -> None:
        for line in add_cells(self._folder, name, found):
            self._warn(line)


def _is_enough(result: CellResult, steps: int) -> bool:
    row = result.rows[0]
    return row["status"] != "undecided" or (row["steps"] or 0) >= steps
