"""Run folders with curves and spectra that nothing trained."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.paper.fake_results import fill

from grokscope.config.run import RunConfig, configure
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.paper.results import Results

STEPS = tuple(range(0, 1001, 50))
P = 11
MakeRun = Callable[..., RunFolder]


def record(path: Path, config: RunConfig, grokked_at: int | None = 500) -> RunFolder:
    """Write a run whose test accuracy jumps at a step, and whose spectra become sparse."""
    status = "undecided" if grokked_at is None else "grokked"
    results = [
        {
            "seed": seed,
            "status": status,
            "memorised_at": 100,
            "grokked_at": grokked_at,
            "diverged_at": None,
            "steps": STEPS[-1],
        }
        for seed in config.seeds
    ]
    operation = ", ".join(config.task.expressions)
    manifest = Manifest.new(config.to_json(), operation, device="cpu", jaxlib="1", run_axis="map")
    manifest = dataclasses.replace(manifest, status=status, results=results)
    run = RunFolder.create(path, manifest)
    metrics = [row for seed in config.seeds for row in _metrics(seed, grokked_at)]
    spectra = [row for seed in config.seeds for row in _spectra(seed, config.task.p)]
    run.append(
        pa.Table.from_pylist(metrics, schema=METRIC_SCHEMA),
        pa.Table.from_pylist(spectra, schema=SPECTRA_SCHEMA),
        STEPS[-1],
    )
    return run


def _metrics(seed: int, grokked_at: int | None) -> list[dict[str, Any]]:
    rows = []
    for step in STEPS:
        late = grokked_at is not None and step >= grokked_at
        values = {
            "train_accuracy": 1.0,
            "test_accuracy": 1.0 if late else 0.25,
            "unleaked_accuracy": 1.0 if late else 0.05,
            "table_a4_restricted_loss_train": 0.5,
        }
        named = [(name, None, value) for name, value in values.items()]
        named += [
            (key, table, 1 - 0.5 * step / STEPS[-1])
            for key in ("ffs", "fcr")
            for table in ("W_E", "W_L")
        ]
        for measure, matrix, value in named:
            rows.append(
                {
                    "seed": seed,
                    "step": step,
                    "measure": measure,
                    "matrix": matrix,
                    "basis": "additive" if matrix else None,
                    "value": value,
                }
            )
    return rows


def _spectra(seed: int, p: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "seed": seed,
            "step": step,
            "matrix": matrix,
            "basis": "additive",
            "k": k,
            "cos_norm": float(rng.uniform(0.1, 1)),
            "sin_norm": float(rng.uniform(0.1, 1)),
        }
        for step in (0, 250, 500)
        for matrix in ("W_E", "W_L")
        for k in range(1, p // 2 + 1)
    ]


def small(*operations: str, **settings: Any) -> RunConfig:
    given = {"p": P, "steps": STEPS[-1], "seeds": (0,)} | settings
    return configure(operations, d_model=8, heads=2, d_mlp=8, **given)


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run: `make_run("x + y", name="a", grokked_at=None, train_fraction=0.5)`."""

    def make(
        *operations: str, name: str = "run", grokked_at: int | None = 500, **settings: Any
    ) -> RunFolder:
        return record(tmp_path / "runs" / name, small(*operations, **settings), grokked_at)

    return make


@pytest.fixture
def config_of() -> Callable[..., RunConfig]:
    """Return small configurations: `config_of("x + y", train_fraction=0.5)`."""
    return small


@pytest.fixture(scope="session")
def fake() -> Callable[..., Results]:
    """Results of an experiment: `fake(experiment, run=False)` has none."""
    return fill
