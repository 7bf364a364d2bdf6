"""One run of a sweep: its configuration, the name that follows from it, and whether it is done."""

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grokscope.config.run import RunConfig
from grokscope.config.validate import SETS_OF_PARTS, in_order
from grokscope.disk.atomic import canonical_json, digest, path_in_words
from grokscope.disk.folder import MANIFEST_NAME, METRICS_NAME, SPECTRA_NAME, RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.disk.metrics import verified_parts
from grokscope.disk.names import slug
from grokscope.errors import RunFolderError, UsageError
from grokscope.tasks.expression import parse

_DIGITS: Final = 10
_NOT_IDENTITY: Final = ("steps", "checkpoint_every")
"""Settings that a resumed run may change: more of the same run, or more of it kept."""


@dataclass(frozen=True)
class Job:
    """One run folder of a sweep; made by `job_of`.

    **Arguments:**

    - `name`: its folder's name inside `SWEEP/runs`; equal runs have equal names.
    - `config`: what to train, with one seed.
    """

    name: str
    config: RunConfig

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON, from which `from_json` makes the job again."""
        return {"name": self.name, "config": self.config.to_json()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Job":
        """Rebuild from `to_json`."""
        return cls(document["name"], RunConfig.from_json(document["config"]))


def job_of(config: RunConfig) -> Job:
    """Return the job of a configuration.

    The name says operation, p, train fraction and seed to the reader; a digest of `identity`
    tells the other settings apart. A run that weights are taken from is meant from here, wherever
    the worker will be: its path is made absolute.

    **Raises:** `UsageError` for an operation that cannot be read, and for several seeds.
    """
    if len(config.seeds) != 1:
        raise UsageError(
            "a run of a sweep has one seed",
            got=config.seeds,
            next_step="make seed an axis of the sweep",
        )
    config = _from_here(config)
    task, (seed,) = config.task, config.seeds
    operation = slug(", ".join(map(canonical, task.expressions)))
    mark = digest(identity(config).encode())[:_DIGITS]
    return Job(f"{operation}-p{task.p}-r{task.train_fraction:g}-s{seed}-{mark}", config)


def _from_here(config: RunConfig) -> RunConfig:
    source = config.transfer.source
    if source is None:
        return config
    transfer = dataclasses.replace(config.transfer, source=str(Path(source).resolve()))
    return dataclasses.replace(config, transfer=transfer)


def identity(config: RunConfig) -> str:
    """Return what makes a run this run and no other, as one text.

    These are the settings that differ from their defaults, so that a setting which a later
    version adds changes no name. Operations are in their canonical form, parts of the network in
    the order in which they follow each other there. `steps` does not count, because an undecided
    run can be trained on; nor does `checkpoint_every`, which is widened where the disk is small.
    """
    expressions = tuple(map(canonical, config.task.expressions))
    task = dataclasses.replace(config.task, expressions=expressions)
    ours = settings(dataclasses.replace(config, task=task))
    ours |= {name: in_order(ours[name]) for name in SETS_OF_PARTS}
    kept = {
        name: value
        for name, value in ours.items()
        if value != _DEFAULTS.get(name) and name not in _NOT_IDENTITY
    }
    return canonical_json(kept)


def settings(config: RunConfig) -> dict[str, Any]:
    """Return every setting of a configuration by its plain name."""
    flat: dict[str, Any] = {}
    for name, value in config.to_json().items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat


@functools.lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """Return an operation in its one spelling; raises `UsageError` as `parse`."""
    return parse(text).canonical


_DEFAULTS: Final = settings(RunConfig())


ENDED: Final = ("grokked", "undecided", "diverged")
"""States in which a run came to its end by itself."""
INTERRUPTED: Final = "interrupted"
"""Saved before its end, to go on."""


def status_if_done(run: Path, config: RunConfig) -> str | None:
    """Return how the run in `run` ended, or None where there is something left to train.

    **Raises:** `RunFolderError` when it is damaged.
    """
    if not (run / MANIFEST_NAME).exists():
        return None
    manifest = RunFolder.open(run).manifest
    if not is_done(manifest, config):
        return None
    try:
        verify_run(run)
    except RunFolderError as error:
        again = f"restore it from a copy, or remove {path_in_words(run)} to train it again"
        raise RunFolderError(error.what, next_step=again) from None
    return manifest.status


def verify_run(run: Path) -> None:
    """Raise `RunFolderError` where what a run recorded is damaged."""
    for name in (METRICS_NAME, SPECTRA_NAME):
        verified_parts(run / name)


def is_done(manifest: Manifest, config: RunConfig) -> bool:
    """Whether a run has nothing left to train, also when it may take the steps of `config`."""
    if manifest.status not in ENDED:
        return False
    trained_to = manifest.config["schedule"]["steps"] >= config.schedule.steps
    stopped = manifest.status == "grokked" and config.schedule.stop
    return manifest.status == "diverged" or stopped or trained_to
