"""Whether a run of a sweep has come to its end, as its folder says."""

from pathlib import Path
from typing import Final

from grokscope.config import RunConfig
from grokscope.errors import RunFolderError
from grokscope.runs.atomic import shown
from grokscope.runs.folder import MANIFEST_NAME, METRICS_NAME, SPECTRA_NAME, RunFolder
from grokscope.runs.manifest import Manifest
from grokscope.runs.metrics import verified_parts

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
        verify(run)
    except RunFolderError as error:
        again = f"restore it from a copy, or remove {shown(run)} to train it again"
        raise RunFolderError(error.what, next_step=again) from None
    return manifest.status


def verify(run: Path) -> None:
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
