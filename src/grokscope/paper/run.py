"""Run an experiment: train what is missing, count labels, and summarise what lies on the disk."""

import time
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from grokscope.disk.sweep_folder import failures
from grokscope.errors import RunFolderError, RunInterruptedError
from grokscope.measures import TABLES
from grokscope.numerics import computing
from grokscope.paper import summary
from grokscope.paper.experiment import Experiment, Request
from grokscope.paper.labels import label_rows
from grokscope.paper.plan import Cell, CellRun, Plan, SourceRun, find_runs
from grokscope.paper.results import Results, hardware_words, results_manifest
from grokscope.paper.summary import Reading, cell_columns, summary_rows
from grokscope.sweeps import sweep as sweeps
from grokscope.sweeps.engines.engine import Engine
from grokscope.sweeps.job import Job, job_of
from grokscope.sweeps.sweep import SweepCallbacks, run_sweep


def train_experiment(
    plan: Plan,
    out: Path,
    engine: Engine,
    view: Callable[[], AbstractContextManager[SweepCallbacks]],
    merge: Sequence[Path] = (),
    *,
    lock: bool = True,
) -> None:
    """Train every sweep of a plan, each in a folder of its own in `out`.

    **Arguments:**

    - `plan`: of the experiment.
    - `out`: its folder.
    - `engine`: trains the batches.
    - `view`: gives the callbacks of one sweep.
    - `merge`: folders whose ended runs are taken over first.
    - `lock`: False trains also where the file system has no locks.

    **Raises:** `UsageError` for a folder that cannot be used; `DiskError`;
    `RunInterruptedError` after saving.
    """
    for name, spec in plan.specs.items():
        try:
            with view() as callbacks:
                run_sweep(
                    spec, out / name, engine=engine, merge=merge, lock=lock, callbacks=callbacks
                )
        except RunInterruptedError as error:
            raise RunInterruptedError(error.what, next_step="the same command goes on") from None


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


def count_labels(experiment: Experiment, request: Request) -> Results:
    """Return the label statistics that an experiment asks for.

    **Raises:** `UsageError` for operations or fractions that cannot be split.
    """
    start = time.perf_counter()
    axes = experiment.axes
    p = int(experiment.fixed["p"])
    rows = label_rows(axes["operation"], axes["train_fraction"], axes["seed"], p)
    splits = sum(row["seeds"] for row in rows)
    seconds = time.perf_counter() - start
    facts = {"runs": f"no training: {splits:,} splits counted in {seconds:.0f} s"}
    return Results(results_manifest(experiment, request, **facts), rows)


@computing()
def summarise(
    experiment: Experiment,
    request: Request,
    plan: Plan,
    folders: Sequence[Path],
    failed: Container[str] = (),
    warn: Callable[[str], None] | None = None,
) -> Results:
    """Return the results of the runs that there are; the others are rows without numbers.

    **Arguments:**

    - `experiment`: as it was asked for.
    - `request`: what was asked for.
    - `plan`: its sources and cells.
    - `folders`: where runs lie.
    - `failed`: names of the jobs that failed.
    - `warn`: is told of each run that cannot be read; its cell has failed.
    """
    cells = plan.cells
    found = find_runs(cells, folders, warn)
    rows: list[dict[str, Any]] = []
    series: dict[str, list[dict[str, Any]]] = {}
    known = sum(run is not None for run in found)
    runs: list[CellRun] = []
    for cell, run in zip(cells, found, strict=True):
        if run is None:
            broken = job_of(cell.config).name in failed
            rows.append(cell_columns(cell) | {"status": "failed" if broken else "not run"})
            continue
        try:
            kept, own = _read_run(experiment, cell, Reading(run), known)
        except RunFolderError as error:
            if warn is not None:
                warn(f"failed: {error}")
            rows.append(cell_columns(cell) | {"status": "failed"})
            continue
        for name, lines in kept.items():
            series.setdefault(name, []).extend({"row": len(rows), **line} for line in lines)
        rows += own
        runs.append(run)
    facts = _facts_of_runs(runs, len(cells))
    taken = {cell.source for cell, run in zip(cells, found, strict=True) if run is not None}
    sources = [s for s in plan.sources if _as_source_run(s) in taken]
    if sources:
        facts["sources"] = _sources_in_words(sources, find_runs(sources, folders))
    return Results(results_manifest(experiment, request, **facts), rows, series)


def _read_run(
    experiment: Experiment, cell: Cell, reading: Reading, n_runs: int
) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """Return the long tables and the rows of one run, all of them or none."""
    tables = _series_of(experiment, cell, reading, n_runs)
    return {name: list(lines) for name, lines in tables}, summary_rows(cell, reading)


def _series_of(
    experiment: Experiment, cell: Cell, reading: Reading, n_runs: int
) -> Iterable[tuple[str, Iterable[dict[str, Any]]]]:
    """Give each long table that the experiment keeps, with the rows of one run."""
    operations = cell.labels["operation"].split(", ")
    mixed = operations if len(operations) > 1 else []
    if experiment.curves:
        n_lines = n_runs * (len(experiment.curves) + len(mixed))
        yield "curves", summary.curves(reading, experiment.curves, summary.buckets(n_lines), mixed)
    for name in experiment.series:
        if name == "etas":
            lines = n_runs * len(summary.ETAS) * len(TABLES)
            yield name, summary.etas(reading, summary.buckets(lines))
        else:
            yield name, summary.SERIES_OF_A_RUN[name](reading)


def _as_source_run(source: Cell) -> SourceRun:
    return SourceRun(source.labels["operation"], source.config.schedule.steps, source.seed)


def _sources_in_words(cells: Sequence[Cell], found: Sequence[CellRun | None]) -> str:
    """Say of each network that weights are taken from whether it had grokked."""
    return "; ".join(
        f"{cell.labels['operation']}, seed {cell.seed}: {_end_in_words(cell, run)}"
        for cell, run in zip(cells, found, strict=True)
    )


def _end_in_words(cell: Cell, run: CellRun | None) -> str:
    steps = cell.config.schedule.steps
    if run is None or (run.result.get("steps") or 0) < steps:
        return f"step {steps:,}, its own run is not here"
    at = run.result["grokked_at"]
    return f"{'undecided' if at is None else f'grokked at {at:,}'}, taken at {steps:,}"


def _facts_of_runs(runs: Sequence[CellRun], n_cells: int) -> dict[str, Any]:
    """Return what the manifest says of all runs together."""
    if not runs:
        return {"runs": f"none of {n_cells}"}
    folders = {run.folder.path: run.folder.manifest for run in runs}
    hours = sum(m.times.get("training_seconds", 0) for m in folders.values()) / 3600
    machines = Counter(hardware_words(m.hardware) for m in folders.values())
    commits = sorted({m.git_commit or "unknown" for m in folders.values()})
    steps = sorted({run.config.schedule.steps for run in runs})
    return {
        "runs": f"{len(runs)} of {n_cells}",
        "steps": " or ".join(f"{n:,}" for n in steps),
        "training_time": f"{hours:.1f} hours of training, all runs added up",
        "hardware": "; ".join(_machine_in_words(name, n) for name, n in machines.most_common()),
        "trained_with": ", ".join(commit[:12] for commit in commits),
    }


def _machine_in_words(machine: str, n: int) -> str:
    return f"{machine} ({n} {'run' if n == 1 else 'runs'})"
