"""Run an experiment: train what is missing, count labels, and summarise what lies on the disk."""

import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from grokscope.disk.environment import environment
from grokscope.disk.manifest import now
from grokscope.disk.sweep_folder import failures
from grokscope.errors import RunFolderError, RunInterruptedError, line_of
from grokscope.numerics import computing
from grokscope.paper import summary
from grokscope.paper.experiment import Experiment, Request
from grokscope.paper.labels import label_cells, label_rows
from grokscope.paper.plan import Cell, CellRun, Plan, SourceRun, find_runs
from grokscope.paper.store import CellResult, cell_id
from grokscope.paper.summary import Reading, cell_columns, summary_rows
from grokscope.sweeps import sweep as sweeps
from grokscope.sweeps.engines.engine import Engine
from grokscope.sweeps.job import Job
from grokscope.sweeps.sweep import SweepCallbacks, run_sweep


def train_experiment(
    plan: Plan,
    out: Path,
    engine: Engine,
    view: Callable[[], AbstractContextManager[SweepCallbacks]],
    merge: Sequence[Path] = (),
    *,
    lock: bool = True,
    without: Container[str] = (),
    until: float = math.inf,
) -> None:
    """Train every sweep of a plan, each in a folder of its own in `out`.

    **Arguments:**

    - `plan`: of the experiment.
    - `out`: its folder.
    - `engine`: trains the batches.
    - `view`: gives the callbacks of one sweep.
    - `merge`: folders whose ended runs are taken over first.
    - `lock`: False trains also where the file system has no locks.
    - `without`, `until`: as for `run_sweep`.

    **Raises:** `UsageError` for a folder that cannot be used; `DiskError`;
    `RunInterruptedError` after saving.
    """
    for name, spec in plan.specs.items():
        try:
            with view() as callbacks:
                run_sweep(
                    spec,
                    out / name,
                    engine=engine,
                    merge=merge,
                    lock=lock,
                    without=without,
                    until=until,
                    callbacks=callbacks,
                )
        except RunInterruptedError as error:
            raise type(error)(error.what, next_step="the same command goes on") from None


def jobs_left(
    plan: Plan, out: Path, merge: Sequence[Path] = ()
) -> dict[str, list[tuple[Job, int]]]:
    """Return, per sweep, the jobs that are left to train with their steps; writes nothing.

    Runs of the folders `merge` that are done count as done.
    """
    return {name: sweeps.plan(spec, out / name, merge).left for name, spec in plan.specs.items()}


def failed_jobs(plan: Plan, out: Path) -> dict[str, str]:
    """Return the errors of the runs that failed, by the names of their jobs."""
    found: dict[str, str] = {}
    for name in plan.specs:
        found |= failures(out / name)
    return found


def count_labels(experiment: Experiment, request: Request) -> dict[str, CellResult]:
    """Return the label statistics that an experiment asks for, by their cells.

    **Raises:** `UsageError` for operations or fractions that cannot be split.
    """
    axes, p = experiment.axes, int(experiment.fixed["p"])
    rows = label_rows(axes["operation"], axes["train_fraction"], axes["seed"], p)
    here = environment(device="cpu", jaxlib="", run_axis="")
    made = _provenance(here["git_commit"], here["hardware"], now())
    made["command"] = request.words.strip() or None
    return {
        cell: CellResult([{"cell": cell, **row, "status": "counted", **made}])
        for cell, row in zip(label_cells(experiment), rows, strict=True)
    }


@computing()
def summarise(
    experiment: Experiment,
    plan: Plan,
    folders: Sequence[Path],
    warn: Callable[[str], None] | None = None,
) -> dict[str, CellResult]:
    """Return the results of the runs that there are, by their cells.

    **Arguments:**

    - `experiment`: as it was asked for.
    - `plan`: its sources and cells.
    - `folders`: where runs lie.
    - `warn`: is told of each run that cannot be read; its cell has failed.
    """
    found: dict[str, CellResult] = {}
    sources = _sources_in_words(plan.sources, find_runs(plan.sources, folders))
    for cell, run in zip(plan.cells, find_runs(plan.cells, folders, warn), strict=True):
        if run is None:
            continue
        name = cell_id(cell.key)
        try:
            found[name] = _read_run(experiment, cell, run, sources)
        except RunFolderError as error:
            if warn is not None:
                warn(f"failed: {line_of(error)}")
            found[name] = CellResult([{"cell": name, **cell_columns(cell), "status": "failed"}])
    return found


def _read_run(
    experiment: Experiment, cell: Cell, run: CellRun, sources: Mapping[SourceRun, str]
) -> CellResult:
    """Return the rows and the long tables of one run."""
    reading, manifest = Reading(run), run.folder.manifest
    series = {name: list(lines) for name, lines in _series_of(experiment, cell, reading)}
    made = {
        "max_steps": run.config.schedule.steps,
        "source_steps": None if cell.source is None else cell.source.step,
        "weights_from": None if cell.source is None else sources.get(cell.source),
        **_provenance(manifest.git_commit, manifest.hardware, manifest.times["updated"]),
    }
    name = cell_id(cell.key)
    whole, *parts = summary_rows(cell, reading)
    rows = [{"cell": name, **whole, **made}, *({"cell": name, **part} for part in parts)]
    return CellResult(rows, {name: lines for name, lines in series.items() if lines})


def _provenance(commit: str | None, hardware: dict[str, Any], date: str) -> dict[str, Any]:
    """Return with what, where and when a row was computed."""
    return {
        "commit": (commit or "unknown")[:12],
        "processor": hardware_words(hardware),
        "date": date[:10],
    }


def hardware_words(hardware: dict[str, Any]) -> str:
    """Return a machine in a few words."""
    device = hardware.get("device", "cpu")
    cores = f"{hardware.get('processor', '?')}, {hardware.get('cores', '?')} cores"
    return cores if device == "cpu" else f"{device}, {cores}"


def _series_of(
    experiment: Experiment, cell: Cell, reading: Reading
) -> Iterator[tuple[str, Iterable[dict[str, Any]]]]:
    """Give each long table that the experiment keeps, with the rows of one run."""
    operations = cell.labels["operation"].split(", ")
    mixed = operations if len(operations) > 1 else []
    if experiment.curves:
        yield "curves", summary.curves(reading, experiment.curves, mixed)
    for name in experiment.series:
        yield name, summary.SERIES_OF_A_RUN[name](reading)


def _as_source_run(source: Cell) -> SourceRun:
    return SourceRun(source.labels["operation"], source.config.schedule.steps, source.seed)


def _sources_in_words(
    cells: Sequence[Cell], found: Sequence[CellRun | None]
) -> dict[SourceRun, str]:
    """Say of each network that weights are taken from whether it had grokked."""
    return {
        _as_source_run(cell): f"{cell.labels['operation']}, seed {cell.seed}:"
        f" {_end_in_words(cell, run)}"
        for cell, run in zip(cells, found, strict=True)
    }


def _end_in_words(cell: Cell, run: CellRun | None) -> str:
    steps = cell.config.schedule.steps
    if run is None or (run.result.get("steps") or 0) < steps:
        return f"step {steps:,}, its own run is not here"
    at = run.result["grokked_at"]
    return f"{'undecided' if at is None else f'grokked at {at:,}'}, taken at {steps:,}"
