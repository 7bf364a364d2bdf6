"""Train one run into a folder: begin or resume, save, stop, and say how it ended."""

import contextlib
import dataclasses
import importlib.metadata
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax

from grokscope.config.run import RunConfig
from grokscope.disk.atomic import path_for_shell, path_in_words
from grokscope.disk.environment import environment
from grokscope.disk.folder import MANIFEST_NAME, RunFolder, interval_within_budget
from grokscope.disk.manifest import Manifest
from grokscope.errors import (
    AFTER_DIVERGENCE,
    DivergedError,
    FolderMovedError,
    GrokscopeError,
    RunInterruptedError,
    UsageError,
)
from grokscope.models import make_model
from grokscope.numerics import ambient, computing
from grokscope.runner.check import check
from grokscope.runner.identity import first_difference
from grokscope.runner.interrupt import StopRequest, stop_requests
from grokscope.runner.program import advance_runs, begin_runs, run_axis
from grokscope.runner.progress import Beginning, Callbacks, Evaluation, NoCallbacks, overall_status
from grokscope.runner.training_run import TrainingRun, pair_counts
from grokscope.runner.transfer import read_source
from grokscope.tasks import one_sided


@dataclass(frozen=True)
class Run:
    """A trained run: where it lies and how each seed ended."""

    folder: RunFolder
    results: list[dict[str, Any]]

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path


@computing()
def train_run(
    config: RunConfig,
    out: Path,
    *,
    resume: bool = False,
    listener: Callbacks | None = None,
    lock: bool = True,
) -> Run:
    """Train all seeds of `config`, keeping everything in the folder `out`.

    **Arguments:**

    - `config`: what to train; to resume, that of the folder, with `steps` possibly raised.
    - `out`: a new folder, or to resume, that of the run.
    - `resume`: go on with the run in `out`; where there is none, begin it.
    - `listener`: is told how it goes.
    - `lock`: False trains also where the file system has no locks.

    **Raises:** `UsageError` for a configuration or folder that cannot be used; `DiskError` when
    something cannot be written, or the folder is moved; `DivergedError` and
    `RunInterruptedError` after saving.
    """
    listener = listener or NoCallbacks()
    resuming, folder = open_run(config, out, resume=resume, lock=lock)
    with folder.lock(), stop_requests() as wish:
        if resuming:
            _warn_of_other_bits(folder, listener)
        with failed_on_error(folder):
            return _train(folder, config.task.p, listener, wish)


def _train(folder: RunFolder, p: int, listener: Callbacks, wish: StopRequest) -> Run:
    """Train what is left of a run, whose lock the caller holds."""
    listener.preparing(f"{folder.manifest.operation} mod {p}: its structure and first weights")
    training = load_training(folder)
    for line in one_sided(training.task):
        listener.warn(line)
    listener.begin(_beginning(training))
    listener.preparing(f"compiling, and measuring the network on all {p**2:,} pairs")
    clock = _Clock()
    start_training(training)
    while training.active and not wish and not folder.moved:
        advance_runs([training])
        listener.evaluated(_evaluation(training, clock))
    return finish_training(training)


@contextlib.contextmanager
def failed_on_error(folder: RunFolder) -> Iterator[None]:
    """Mark a run that an error ends as failed; what was saved is kept and can go on."""
    try:
        yield
    except Exception:
        mark_failed(folder)
        raise


def mark_failed(folder: RunFolder) -> None:
    """Say that a run does not train any more, where the folder still says that it does."""
    if folder.manifest.status == "running":
        with contextlib.suppress(GrokscopeError):  # a full disk, a folder that is gone
            folder.write_manifest(dataclasses.replace(folder.manifest, status="failed"))


def open_run(
    config: RunConfig, out: Path, *, resume: bool, lock: bool = True, inside: Path | None = None
) -> tuple[bool, RunFolder]:
    """Return whether there is a run to go on with, and the folder of it or of a new one.

    **Arguments:** as of `train_run`, and `inside`: a folder around `out` that has to be there.
    """
    check(config)
    if resume and (out / MANIFEST_NAME).exists():
        return True, _reopen(config, RunFolder.open(out, lock=lock))
    return False, RunFolder.create(out, _new_manifest(config), lock=lock, inside=inside)


def load_training(folder: RunFolder) -> TrainingRun:
    """Return the training of a folder, at its last save; the caller holds its lock."""
    training = TrainingRun(RunConfig.from_json(folder.manifest.config), folder)
    training.restore()
    folder.write_manifest(dataclasses.replace(folder.manifest, status="running"))
    return training


def start_training(training: TrainingRun) -> None:
    """Observe the initial weights, unless that is done."""
    if training.step == 0 and training.folder.load_state() is None:
        begin_runs(training)


class _Clock:
    """Steps per second since the first chunk, which also compiles."""

    def __init__(self) -> None:
        self._start: tuple[int, float] | None = None

    def rate(self, step: int) -> float:
        now = time.perf_counter()
        if self._start is None:
            self._start = (step, now)
            return float("nan")
        return (step - self._start[0]) / (now - self._start[1])


def _new_manifest(config: RunConfig) -> Manifest:
    config = _within_budget(config)
    operation = check(config)[0].canonical
    source = read_source(config)
    manifest = Manifest.new(config.to_json(), operation, **_machine())
    if source is not None:
        manifest = dataclasses.replace(manifest, transfer=source.record())
    return manifest


def _machine() -> dict[str, Any]:
    return {
        "device": jax.devices()[0].device_kind,
        "jaxlib": importlib.metadata.version("jaxlib"),
        "run_axis": run_axis(),
        "settings": ambient(),
    }


def _within_budget(config: RunConfig) -> RunConfig:
    """Widen the interval between checkpoints until they fit `checkpoint_budget`."""
    task, _ = check(config)
    key = jax.random.key(0)
    shapes = eqx.filter_eval_shape(make_model, config.model, task.p, task.n_tokens, key)
    size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree_util.tree_leaves(shapes))
    s = config.schedule
    every = interval_within_budget(
        s.steps, size, len(config.seeds), s.checkpoint_every, s.checkpoint_budget, s.eval_every
    )
    schedule = dataclasses.replace(s, checkpoint_every=every)
    return dataclasses.replace(config, schedule=schedule)


def _reopen(config: RunConfig, folder: RunFolder) -> RunFolder:
    """Return the run to go on with, after raising its `steps` if asked to.

    **Raises:** `UsageError` with the first setting that differs, where it is another run.
    """
    if (different := first_difference(config, folder.manifest)) is not None:
        name, asked, kept = different
        raise UsageError(
            f"{path_in_words(folder.path)} holds another run",
            got=f"{name} {asked}",
            allowed=f"{name} {kept}",
            next_step=f"leave {name} out to go on with it, or choose another --out",
        )
    stored = RunConfig.from_json(folder.manifest.config)
    steps = max(config.schedule.steps, stored.schedule.steps)
    schedule = dataclasses.replace(stored.schedule, steps=steps)
    wanted = _within_budget(dataclasses.replace(stored, schedule=schedule))
    folder.manifest = dataclasses.replace(folder.manifest, config=wanted.to_json())
    return folder


def _warn_of_other_bits(folder: RunFolder, listener: Callbacks) -> None:
    """Say so when this machine will not give the bits that the first one would have."""
    before, now = folder.manifest.determinism, environment(**_machine())["determinism"]
    before, now = _one_by_one(before), _one_by_one(now)
    changed = [
        f"{key} {before.get(key)} → {now.get(key)}"
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
    if changed:
        listener.warn(
            f"this run began elsewhere ({', '.join(changed)}): it goes on, but not to "
            "the bit as it would have there"
        )


def _one_by_one(determinism: dict[str, Any]) -> dict[str, Any]:
    """Return what bits depend on with each setting by its own name; older runs have none."""
    settings = determinism.get("settings", {})
    return {k: v for k, v in determinism.items() if k != "settings"} | settings


def _beginning(training: TrainingRun) -> Beginning:
    return Beginning(
        config=training.config,
        operation=training.task.canonical,
        path=training.folder.path,
        step=training.step,
        **pair_counts(training.splits[0][0]),
    )


def _evaluation(training: TrainingRun, clock: _Clock) -> Evaluation:
    values = {c.name: training.latest[:, j].tolist() for j, c in enumerate(training.columns)}
    return Evaluation(training.step, training.seeds, values, clock.rate(training.step))


def finish_training(training: TrainingRun) -> Run:
    """Save, write the manifest, and raise where the run did not end by itself or diverged."""
    interrupted = training.active
    if interrupted:
        training.save()
    folder = training.folder
    status = "interrupted" if interrupted else overall_status(training.seeds)
    manifest = dataclasses.replace(
        folder.manifest,
        status=status,
        results=training.results(),
        times=folder.manifest.times | {"training_seconds": round(training.training_seconds, 3)},
    )
    folder.write_manifest(manifest)
    if interrupted:
        go_on = f"go on with: grokscope train --resume --out {path_for_shell(folder.path)}"
        if folder.moved:
            raise FolderMovedError(
                "the run's folder was moved while it trained, and lies in "
                f"{path_in_words(folder.path)}; "
                f"stopped at step {training.step}, everything is saved there",
                next_step=go_on,
            )
        raise RunInterruptedError(
            f"interrupted at step {training.step}; everything is saved", next_step=go_on
        )
    if status == "diverged":
        at = ", ".join(
            f"seed {s.seed} at step {s.diverged_at}"
            for s in training.seeds
            if s.diverged_at is not None
        )
        raise DivergedError(
            f"the loss is no longer finite ({at}); the run is saved as diverged",
            next_step=AFTER_DIVERGENCE,
        )
    return Run(folder, manifest.results)
