"""Train what an experiment is missing: first the sources, then its cells."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from grokscope.errors import RunInterruptedError
from grokscope.experiments.engines.engine import Engine
from grokscope.experiments.paper.plan import Plan
from grokscope.experiments.sweeps import sweep as sweeps
from grokscope.experiments.sweeps.job import Job
from grokscope.experiments.sweeps.sweep import Watcher, run_sweep
from grokscope.runs.sweep_parts import failures


def train(
    plan: Plan,
    out: Path,
    engine: Engine,
    view: Callable[[], AbstractContextManager[Watcher]],
    merge: Sequence[Path] = (),
    *,
    lock: bool = True,
) -> None:
    """Train every sweep of a plan, each in a folder of its own in `out`.

    **Arguments:**

    - `plan`: of the experiment.
    - `out`: its folder.
    - `engine`: trains the batches.
    - `view`: gives the watcher of one sweep.
    - `merge`: folders whose ended runs are taken over first.
    - `lock`: False trains also where the file system has no locks.

    **Raises:** `UsageError` for a folder that cannot be used; `DiskError`;
    `RunInterruptedError` after saving.
    """
    for name, spec in plan.specs.items():
        try:
            with view() as watcher:
                run_sweep(spec, out / name, engine=engine, merge=merge, lock=lock, watcher=watcher)
        except RunInterruptedError as error:
            raise RunInterruptedError(error.what, next_step="the same command goes on") from None


def left(plan: Plan, out: Path, merge: Sequence[Path] = ()) -> dict[str, list[tuple[Job, int]]]:
    """Return, per sweep, the jobs that are left to train with their steps; writes nothing.

    Runs of the folders `merge` that are done count as done.
    """
    return {name: sweeps.plan(spec, out / name, merge).left for name, spec in plan.specs.items()}


def failed(plan: Plan, out: Path) -> dict[str, str]:
    """Return the errors of the runs that failed, by the names of their jobs."""
    found: dict[str, str] = {}
    for name in plan.specs:
        found |= failures(out / name)
    return found
