"""One run of a sweep: its configuration, the name that follows from it, and whether it is done."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grokscope.config.run import RunConfig
from grokscope.disk.atomic import digest, path_in_words
from grokscope.disk.folder import MANIFEST_NAME, METRICS_NAME, SPECTRA_NAME, RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.disk.metrics import verified_parts
from grokscope.disk.names import slug
from grokscope.errors import RunFolderError, UsageError
from grokscope.runner.identity import canonical, identity

_DIGITS: Final = 10


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
