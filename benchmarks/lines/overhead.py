"""What evaluating, measuring and saving add to training, at the default schedule."""

import dataclasses
import importlib.metadata
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.clock import Spread, seconds, take_turns
from benchmarks.effort import Effort
from benchmarks.row import Row, at_most
from benchmarks.workload import Training
from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.runner.check import check
from grokscope.runner.loop import begin_training
from grokscope.runner.observe import Observation, Rows, make_observer
from grokscope.runner.program import run_axis, step
from grokscope.runner.training_run import TrainingRun
from grokscope.tasks import Task


class TimedFolder(RunFolder):
    """A run folder that knows how long its writing took."""

    checkpoints = 0.0
    saves = 0.0

    def save_checkpoint(self, *arguments: Any, **named: Any) -> Path:
        """Write the weights of one seed."""
        save = super().save_checkpoint
        written: list[Path] = []
        self.checkpoints += seconds(lambda: written.append(save(*arguments, **named)))
        return written[0]

    def append(self, *arguments: Any, **named: Any) -> None:
        """Add the rows since the last save."""
        append = super().append
        self.saves += seconds(lambda: append(*arguments, **named))

    def save_state(self, *arguments: Any, **named: Any) -> None:
        """Replace the state that resuming needs."""
        save = super().save_state
        self.saves += seconds(lambda: save(*arguments, **named))


def measure(effort: Effort) -> list[Row]:
    """Return the share of a run that is not training, and its parts."""
    with tempfile.TemporaryDirectory() as folder:
        return _rows(effort, Path(folder) / "run")


def _rows(effort: Effort, path: Path) -> list[Row]:
    training = Training(50)
    schedule = dataclasses.replace(training.config.schedule, stop=False)
    config = dataclasses.replace(training.config, schedule=schedule)
    folder = _folder(config, path)
    run = TrainingRun(check(config), folder)
    begin_training(run)

    def chunk() -> None:
        """What the loop does between two evaluations."""
        (result,) = step([run])
        run.record(result)
        if run.save_is_due:
            run.save()

    chunks = effort.stretch // training.n_steps
    work = {
        "run": _repeated(chunk, chunks),
        "training": _repeated(training, chunks),
    }
    # the turns that do not count: one chunk compiles, the log-spaced checkpoints are yet to come
    chunk()
    training()
    folder.checkpoints = folder.saves = 0.0
    rounds = [{name: seconds(turn) for name, turn in work.items()} for _ in range(effort.repeats)]
    whole = Spread([times["run"] for times in rounds])
    share = whole.minus(Spread([times["training"] for times in rounds])).over(whole).times(100)
    total, steps = sum(whole.values), effort.repeats * effort.stretch
    per_cent = 100 * steps / training.n_steps / total
    alone = _parts(training, effort.repeats)
    parts = {name: t.times(per_cent) for name, t in alone.items()}
    matched = alone["matched"].minus(alone["additive"]).times(per_cent)
    every = training.n_steps / schedule.spectra_every
    table_a4 = alone["observe"].minus(alone["matched"]).times(per_cent * every)
    return [
        at_most(
            "share of a run that is not training",
            share,
            5,
            " %",
            f"{steps} steps in rounds of {effort.stretch}, against as many of pure training",
        ),
        Row(
            "of which evaluation and measures",
            parts["additive"].text(" %"),
            note="every 50 steps: all 9,409 pairs, norms, spectra, and to the host; by itself",
        ),
        at_most(
            "of which the matched measures",
            matched,
            2,
            " %",
            "every 50 steps; an evaluation with them against one without, in turns",
        ),
        at_most(
            "of which Table A.4",
            table_a4,
            2,
            " %",
            f"every {schedule.spectra_every} steps: 9 losses on two sides; likewise",
        ),
        Row("of which making rows", parts["rows"].text(" %"), note="by itself"),
        Row(
            "of which checkpoints",
            f"{100 * folder.checkpoints / total:.2g} %",
            note="at 100, 200, 400 … and every 1000 steps",
        ),
        Row(
            "of which saving rows and state",
            f"{100 * folder.saves / total:.2g} %",
            note="every 500 steps",
        ),
    ]


def _folder(config: RunConfig, path: Path) -> TimedFolder:
    manifest = Manifest.new(
        config.to_json(),
        Task.from_config(config.task).canonical,
        device=jax.devices()[0].device_kind,
        jaxlib=importlib.metadata.version("jaxlib"),
        run_axis=run_axis(),
    )
    RunFolder.create(path, manifest)
    return TimedFolder(path, manifest)


def _repeated(work: Callable[[], Any], times: int) -> Callable[[], None]:
    def turn() -> None:
        for _ in range(times):
            work()

    return turn


def _parts(training: Training, repeats: int) -> dict[str, Spread]:
    """Return the seconds of one evaluation and of its rows, each by itself.

    The evaluation is without the matched basis (`additive`), with its measures (`matched`), and
    with Table A.4 too (`observe`).
    """
    config, model = training.config, training.model()
    first = jax.tree_util.tree_map(lambda a: a[0], training.inputs.observed)

    def looking(seen: bool, due: bool) -> Callable[[], Observation]:
        program = jax.jit(make_observer(config.task.p, config.eta))
        views = first.views if seen else (None,)
        observed = first._replace(due=jnp.asarray(due), views=views)

        def look() -> Observation:
            with jax.default_matmul_precision("float32"):
                return jax.device_get(program(model, observed))

        return look

    observe = looking(True, due=True)
    observation, rows = observe(), Rows(("x + y",))

    def add_rows() -> None:
        rows.add_values(0, 0, observation.values)
        rows.add_spectra(0, 0, observation.spectra)
        rows.take()

    work = {"additive": looking(False, due=False), "matched": looking(True, due=False)}
    return take_turns({**work, "observe": observe, "rows": add_rows}, repeats)
