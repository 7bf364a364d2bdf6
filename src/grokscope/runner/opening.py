"""The folder of a run before it trains: a new one, or one to go on with."""

import dataclasses
import importlib.metadata
from pathlib import Path
from typing import Any

import jax

from grokscope.config.run import RunConfig
from grokscope.disk.atomic import path_in_words
from grokscope.disk.environment import environment
from grokscope.disk.folder import MANIFEST_NAME, RunFolder, interval_within_budget
from grokscope.disk.manifest import Manifest
from grokscope.errors import UsageError
from grokscope.models import model_shapes
from grokscope.numerics import ambient
from grokscope.runner.check import Checked
from grokscope.runner.identity import first_difference
from grokscope.runner.program import run_axis
from grokscope.runner.transfer import read_source
from grokscope.tasks import Task


def open_run(
    checked: Checked, out: Path, *, resume: bool, lock: bool = True, inside: Path | None = None
) -> tuple[RunFolder, bool]:
    """Return a run's folder, and whether there was a run in it to go on with.

    **Arguments:** as of `train_run`, and `inside`: a folder around `out` that has to be there.

    **Raises:** `UsageError` with the first setting that differs, where it is another run.
    """
    if resume and (out / MANIFEST_NAME).exists():
        return _reopen(checked, RunFolder.open(out, lock=lock)), True
    return RunFolder.create(out, _new_manifest(checked), lock=lock, inside=inside), False


def refuse_fewer_steps(config: RunConfig, out: Path) -> None:
    """Raise `UsageError` where the run in `out` has more steps than a configuration asks for.

    It could not be told from one that stopped there by itself.
    """
    if not (out / MANIFEST_NAME).exists():
        return
    kept = RunFolder.open(out).manifest.config["schedule"]["steps"]
    if config.schedule.steps < kept:
        raise UsageError(
            "the maximum of steps can be raised, not lowered",
            got=config.schedule.steps,
            allowed=f"{kept} or more",
            next_step=f"leave --steps out to go on to {kept}; Ctrl-C saves and stops before",
        )


def _reopen(checked: Checked, folder: RunFolder) -> RunFolder:
    """Return the run to go on with, after raising its `steps` if asked to."""
    config = checked.config
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
    longer = dataclasses.replace(stored.schedule, steps=steps)
    config = _within_budget(dataclasses.replace(stored, schedule=longer), checked.task)
    folder.manifest = dataclasses.replace(folder.manifest, config=config.to_json())
    return folder


def _new_manifest(checked: Checked) -> Manifest:
    config = _within_budget(checked.config, checked.task)
    source = read_source(config)
    manifest = Manifest.new(config.to_json(), checked.task.canonical, **_machine())
    if source is not None:
        manifest = dataclasses.replace(manifest, transfer=source.record())
    return manifest


def _within_budget(config: RunConfig, task: Task) -> RunConfig:
    """Widen the interval between checkpoints until they fit `checkpoint_budget`."""
    shapes = model_shapes(config.model, task.p, task.n_tokens)
    size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree_util.tree_leaves(shapes))
    s = config.schedule
    every = interval_within_budget(
        s.steps, size, len(config.seeds), s.checkpoint_every, s.checkpoint_budget, s.eval_every
    )
    schedule = dataclasses.replace(s, checkpoint_every=every)
    return dataclasses.replace(config, schedule=schedule)


def other_bits(folder: RunFolder) -> str | None:
    """Say why this machine will not give the bits that the first one would have, if so."""
    before = _one_by_one(folder.manifest.determinism)
    now = _one_by_one(environment(**_machine())["determinism"])
    changed = [
        f"{key} {before.get(key)} → {now.get(key)}"
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
    if not changed:
        return None
    return (
        f"this run began elsewhere ({', '.join(changed)}): it goes on, but not to "
        "the bit as it would have there"
    )


def _machine() -> dict[str, Any]:
    return {
        "device": jax.devices()[0].device_kind,
        "jaxlib": importlib.metadata.version("jaxlib"),
        "run_axis": run_axis(),
        "settings": ambient(),
    }


def _one_by_one(determinism: dict[str, Any]) -> dict[str, Any]:
    """Return what bits depend on with each setting by its own name; older runs have none."""
    settings = determinism.get("settings", {})
    return {k: v for k, v in determinism.items() if k != "settings"} | settings
