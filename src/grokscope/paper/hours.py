"""All experiments in the hours that a machine has: what tells most is trained first."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, NamedTuple

from grokscope.config.validate import check_number
from grokscope.errors import TimeIsUpError, UsageError
from grokscope.paper.experiment import Experiment, Request, experiments, load_experiment
from grokscope.paper.page import write_paper_page
from grokscope.paper.plan import CELLS_NAME, SOURCES_NAME, Plan, plan
from grokscope.paper.results import shown_results, with_shared
from grokscope.paper.run import (
    count_labels,
    failed_jobs,
    jobs_left,
    summarise,
    train_experiment,
)
from grokscope.paper.store import (
    CellResult,
    Cells,
    add_cells,
    better_of,
    cell_id,
    read_cells,
)
from grokscope.paper.tables import table_a5
from grokscope.progress import doing, showing
from grokscope.sweeps.engines.engine import Engine
from grokscope.sweeps.job import Job, job_of
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


def small_parts(steps: int | None = None) -> Iterator[Part]:
    """Yield every experiment's smallest version; first those that only count labels."""
    kinds = {name: load_experiment(name).kind for name in experiments()}
    yield from (Part(name, Request()) for name, kind in kinds.items() if kind != "training")
    for name, kind in kinds.items():
        if kind == "training":
            yield Part(name, Request(steps=steps, small=True))


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
    yield from small_parts()
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
    - `folder`: where results are kept and added to.
    - `runs`: more folders of runs; those that fit are taken over.
    - `warn`: is told of what failed or cannot be read, and of cells with two outcomes.
    - `known`: more folders of results, only to be read. What is known is not trained again.
    """

    def __init__(
        self,
        out: Path,
        folder: Path,
        runs: Sequence[Path],
        warn: Callable[[str], None],
        known: Sequence[Path] = (),
    ) -> None:
        self._out, self._folder, self._runs, self._warn = out, folder, list(runs), warn
        self._folders = [folder, *known]
        self._said: set[str] = set()

    def train(
        self,
        parts: Iterable[Part],
        engine: Engine | None,
        view: Callable[[], AbstractContextManager[SweepCallbacks]],
        *,
        hours: float = math.inf,
        lock: bool = True,
    ) -> dict[str, CellResult]:
        """Train what is not known, until all is or the time is up, and add the results.

        **Arguments:**

        - `parts`: what to train, in this order.
        - `engine`, `view`, `lock`: as for `train_experiment`; without an engine nothing is trained.
        - `hours`: how long.

        **Returns:** what was found, by cell, also of runs that have not ended.

        **Raises:** as `train_experiment`, after adding the results.
        """
        until, found = time.monotonic() + 3600 * hours, {}
        for part in parts:
            experiment = part.request.apply(load_experiment(part.name))
            if experiment.kind == "labels":
                found |= self._count(part, experiment)
                continue
            planned = plan(experiment, self._out)
            known = self._known(part.name, planned)
            if engine is not None and time.monotonic() >= until:
                break
            try:
                if engine is not None and len(known) < len(planned.cells):
                    train_experiment(
                        planned,
                        self._out,
                        engine,
                        view,
                        self._runs,
                        lock=lock,
                        without=known,
                        until=until,
                    )
            except TimeIsUpError:
                break
            finally:
                for job, error in failed_jobs(planned, self._out).items():
                    self._warn(f"failed: {job}: {error}")
                if engine is None or len(known) < len(planned.cells):
                    found |= self._read(part.name, experiment, planned)
        return found

    def left(self, parts: Iterable[Part]) -> Iterator[tuple[Part, int, list[tuple[Job, int]]]]:
        """Yield each part, how many runs it has, and the jobs that are left with their steps."""
        seen: set[str] = set()
        for part in parts:
            experiment = part.request.apply(load_experiment(part.name))
            if experiment.kind == "labels":
                continue
            planned = plan(experiment, self._out)
            known = self._known(part.name, planned) | seen
            of_sweeps = jobs_left(planned, self._out, self._runs)
            cells = [(job, n) for job, n in of_sweeps[CELLS_NAME] if job.name not in known]
            sources = of_sweeps.get(SOURCES_NAME, []) if cells else []
            jobs = [(job, n) for job, n in sources if job.name not in seen] + cells
            seen |= {job.name for job, _ in jobs}
            yield part, len(planned.cells) + len(planned.sources), jobs

    def share(self) -> None:
        """Add to every experiment what runs of the others tell about it."""
        for name in experiments():
            whole = load_experiment(name)
            if whole.kind == "training":
                for request in (Request(), Request(small=True)):
                    experiment = request.apply(whole)
                    self._read(name, experiment, plan(experiment, self._out))

    @showing()
    def write_page(
        self, name: str, request: Request | None = None, found: Cells | None = None
    ) -> Path:
        """Write the page of what is known of an experiment and return its path.

        **Arguments:**

        - `name`: the experiment's.
        - `request`: what was asked for; None shows whatever is known.
        - `found`: what is known besides what is kept.
        """
        experiment = (request or Request()).apply(load_experiment(name))
        planned = None if experiment.kind == "labels" else plan(experiment, self._out)
        doing(f"writing the page of {name}")
        cells = () if planned is None else planned.cells
        others = (self._kept(other) for other in experiments() if other != name)
        kept, _ = better_of(with_shared(self._kept(name), cells, others), found or {})
        failed = () if planned is None else failed_jobs(planned, self._out)
        results = shown_results(experiment, kept, cells, request, failed)
        return write_paper_page(experiment, results, self._out)

    def _known(self, name: str, planned: Plan) -> set[str]:
        """Return the jobs whose results are kept, grokked or after as many steps."""
        kept = self._kept(name)
        found = set()
        for cell in planned.cells:
            result = kept.get(cell_id(cell.key))
            if result is not None and _is_enough(result, cell.config.schedule.steps):
                found.add(job_of(cell.config).name)
        return found

    def _kept(self, name: str) -> Cells:
        """Return the results that are kept of an experiment, wherever."""
        kept: Cells = {}
        for folder in self._folders:
            kept, _ = better_of(kept, read_cells(folder, name))
        return kept

    @showing()
    def _count(self, part: Part, experiment: Experiment) -> dict[str, CellResult]:
        """Add what the labels say, and return it."""
        doing(f"counting the labels of {part.name}")
        return self._add(part.name, count_labels(experiment, part.request))

    @showing()
    def _read(self, name: str, experiment: Experiment, planned: Plan) -> dict[str, CellResult]:
        """Add what the runs say that there are, and return it."""
        doing(f"reading the runs of {name}")
        folders = [self._out, *self._runs]
        return self._add(name, summarise(experiment, planned, folders, self._warn))

    def _add(self, name: str, found: dict[str, CellResult]) -> dict[str, CellResult]:
        for line in add_cells(self._folder, name, found):
            if line not in self._said:  # experiments share cells
                self._warn(line)
                self._said.add(line)
        return found


def _is_enough(result: CellResult, steps: int) -> bool:
    row = result.rows[0]
    return row["status"] != "undecided" or (row["steps"] or 0) >= steps


def reproduce(
    name: str,
    request: Request,
    campaign: Campaign,
    engine: Engine | None,
    view: Callable[[], AbstractContextManager[SweepCallbacks]],
    *,
    page: bool = False,
    hours: float | None = None,
    lock: bool = True,
) -> list[Path]:
    """Train what is missing, add the results to those that are kept, and return the pages.

    **Arguments:**

    - `name`: of an experiment, or `all`.
    - `request`: its parts; of all together only the number of steps, and whether they are small.
    - `campaign`: where runs, pages and results are.
    - `engine`, `view`, `hours`, `lock`: as for `Campaign.train`.
    - `page`: only write the pages, from kept results alone.

    **Raises:** as `Campaign.train`; `UsageError` for parts of all, or hours that are none.
    """
    parts = parts_of(name, request)
    if hours is not None:
        check_number("hours", hours, "over 0", over=0)
    found = {}
    # without training, what the runs say of all experiments together is shared below
    if not page and (engine is not None or name != ALL):
        limit = math.inf if hours is None else hours
        found = campaign.train(parts, engine, view, hours=limit, lock=lock)
    if name != ALL:
        shown = None if page and request == Request() else request
        return [campaign.write_page(name, shown, found)]
    if not page:
        campaign.share()
    return [campaign.write_page(each) for each in experiments()]


def parts_of(name: str, request: Request) -> list[Part]:
    """Return what is to be trained, in order; raises `UsageError` for parts of all."""
    if name != ALL:
        load_experiment(name)
        return [Part(name, request)]
    if request != Request(steps=request.steps, small=request.small):
        raise UsageError(
            "all experiments together have an order of their own",
            got=request.words.strip(),
            allowed="a number of steps, and their small versions",
            next_step="name one experiment to choose its parts",
        )
    return list((small_parts if request.small else parts_in_order)(request.steps))
