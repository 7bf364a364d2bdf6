"""From runs on the disk to the small results of an experiment."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from pathlib import Path
from typing import Any

from grokscope.errors import RunFolderError
from grokscope.experiments.paper.manifest import hardware_words, manifest
from grokscope.experiments.paper.plan import Plan
from grokscope.experiments.sweeps.job import job_of
from grokscope.numerics import computing
from grokscope.paper import keeping
from grokscope.paper.experiment import Experiment
from grokscope.paper.reading import Reading
from grokscope.paper.request import Request
from grokscope.paper.results import Results
from grokscope.paper.summary import place, summary_rows
from grokscope.paper.wanted import Donor, Found, Wanted, find_runs


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
    wanted = plan.runs
    found = find_runs(wanted, folders, warn)
    rows: list[dict[str, Any]] = []
    series: dict[str, list[dict[str, Any]]] = {}
    known = sum(run is not None for run in found)
    runs: list[Found] = []
    for cell, run in zip(wanted, found, strict=True):
        if run is None:
            broken = job_of(cell.config).name in failed
            rows.append(place(cell) | {"status": "failed" if broken else "not run"})
            continue
        try:
            kept, own = _read(experiment, cell, Reading(run), known)
        except RunFolderError as error:
            if warn is not None:
                warn(f"failed: {error}")
            rows.append(place(cell) | {"status": "failed"})
            continue
        for name, lines in kept.items():
            series.setdefault(name, []).extend({"row": len(rows), **line} for line in lines)
        rows += own
        runs.append(run)
    facts = _facts(runs, len(wanted))
    taken = {cell.source for cell, run in zip(wanted, found, strict=True) if run is not None}
    donors = [s for s in plan.sources if _donor(s) in taken]
    if donors:
        facts["sources"] = _sources(donors, find_runs(donors, folders))
    return Results(manifest(experiment, request, **facts), rows, series)


def _read(
    experiment: Experiment, cell: Wanted, reading: Reading, n_runs: int
) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """Return the long tables and the rows of one run, all of them or none."""
    tables = _kept(experiment, cell, reading, n_runs)
    return {name: list(lines) for name, lines in tables}, summary_rows(cell, reading)


def _kept(
    experiment: Experiment, cell: Wanted, reading: Reading, n_runs: int
) -> Iterable[tuple[str, Iterable[dict[str, Any]]]]:
    """Give each long table that the experiment keeps, with the rows of one run."""
    operations = cell.labels["operation"].split(", ")
    mixed = operations if len(operations) > 1 else []
    if experiment.curves:
        n_lines = n_runs * (len(experiment.curves) + len(mixed))
        yield "curves", keeping.curves(reading, experiment.curves, keeping.buckets(n_lines), mixed)
    for name in experiment.keeps:
        if name == "etas":
            lines = n_runs * len(keeping.ETAS) * len(keeping.TABLES)
            yield name, keeping.etas(reading, keeping.buckets(lines))
        else:
            yield name, keeping.KEEPERS[name](reading)


def _donor(source: Wanted) -> Donor:
    return Donor(source.labels["operation"], source.config.schedule.steps, source.seed)


def _sources(wanted: Sequence[Wanted], found: Sequence[Found | None]) -> str:
    """Say of each network that weights are taken from whether it had grokked."""
    return "; ".join(
        f"{cell.labels['operation']}, seed {cell.seed}: {_end(cell, run)}"
        for cell, run in zip(wanted, found, strict=True)
    )


def _end(cell: Wanted, run: Found | None) -> str:
    steps = cell.config.schedule.steps
    if run is None or (run.result.get("steps") or 0) < steps:
        return f"step {steps:,}, its own run is not here"
    at = run.result["grokked_at"]
    return f"{'undecided' if at is None else f'grokked at {at:,}'}, taken at {steps:,}"


def _facts(runs: Sequence[Found], n_wanted: int) -> dict[str, Any]:
    """Return what the manifest says of all runs together."""
    if not runs:
        return {"runs": f"none of {n_wanted}"}
    folders = {run.folder.path: run.folder.manifest for run in runs}
    hours = sum(m.times.get("training_seconds", 0) for m in folders.values()) / 3600
    machines = Counter(hardware_words(m.hardware) for m in folders.values())
    commits = sorted({m.git_commit or "unknown" for m in folders.values()})
    steps = sorted({run.config.schedule.steps for run in runs})
    return {
        "runs": f"{len(runs)} of {n_wanted}",
        "steps": " or ".join(f"{n:,}" for n in steps),
        "training_time": f"{hours:.1f} hours of training, all runs added up",
        "hardware": "; ".join(_counted(name, n) for name, n in machines.most_common()),
        "trained_with": ", ".join(commit[:12] for commit in commits),
    }


def _counted(machine: str, n: int) -> str:
    return f"{machine} ({n} {'run' if n == 1 else 'runs'})"
