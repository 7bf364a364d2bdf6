"""A small run on the disk, and what a save of it holds."""

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA


def rows_between(first: int, last: int) -> tuple[pa.Table, pa.Table]:
    """Metrics and spectra of two seeds at every 50th step of first < step <= last."""
    steps = [step for step in range(0, last + 1, 50) if first < step]
    metrics = [
        {
            "seed": seed,
            "step": step,
            "measure": measure,
            "matrix": matrix,
            "basis": basis,
            "value": value,
        }
        for step in steps
        for seed in (0, 4_000_000_000)
        for measure, matrix, basis, value in (
            ("test_accuracy", None, None, step / 1000 + (seed > 0) / 2),
            ("unleaked_accuracy", None, None, float("nan")),
            ("ffs", "W_E", "multiplicative", 77.0),
            ("ffs", "W_E", "additive", 1 / (1 + step)),
            ("ffs", "W_L", "additive", float("nan") if seed == 0 else 0.25),
        )
    ]
    spectra = [
        {
            "seed": 0,
            "step": step,
            "matrix": "W_E",
            "basis": "additive",
            "k": k,
            "cos_norm": k + step / 7,
            "sin_norm": 0.0,
        }
        for step in steps
        for k in range(1, 4)
    ]
    return (
        pa.Table.from_pylist(metrics, schema=METRIC_SCHEMA),
        pa.Table.from_pylist(spectra, schema=SPECTRA_SCHEMA),
    )


def save(run: RunFolder, first: int, last: int) -> None:
    """One whole save: rows of first < step <= last, checkpoints, state."""
    run.append(*rows_between(first, last), last)
    for seed in (0, 4_000_000_000):
        weights = {"W_E": np.full((3, 2), last + seed, np.float32)}
        run.save_checkpoint(seed, last, weights, {"W_E": ("token", "d_model")}, {"p": 3})
    run.save_state(last, {"weights": np.arange(6.0) * last}, {"best": [last, None]})


def fingerprint(folder: Path) -> dict[str, str]:
    """Digest of every file of a run, without manifest (it holds times) and lock."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("manifest.json", ".lock")
    }


def new_manifest(**changes: object) -> Manifest:
    document = RunConfig(seeds=(0, 4_000_000_000)).to_json() | changes
    return Manifest.new(document, "x + y", device="cpu", jaxlib="1.2.3", run_axis="map")


@pytest.fixture
def helpers() -> SimpleNamespace:
    """The functions above, for tests, which cannot import this file."""
    return SimpleNamespace(
        rows_between=rows_between,
        save=save,
        fingerprint=fingerprint,
        new_manifest=new_manifest,
        path=Path(__file__),
    )


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", new_manifest())


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes `os.write` or `os.fsync` fail as on a full disk."""

    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    return lambda name: monkeypatch.setattr(os, name, fail)
