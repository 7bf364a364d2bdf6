"""Small runs on the disk with weights and curves that nothing trained."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
import pytest
from tests.explanation.build import build_clock

from grokscope.config.optimizer import OptimizerConfig
from grokscope.config.run import ModelConfig, RunConfig, TaskConfig
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.explanation.of_run import explain_networks
from grokscope.explanation.store import write_explanations
from grokscope.models import Model, make_model, named_weights, weight_axes, with_weights
from grokscope.tasks.structure import structure

MakeRun = Callable[..., RunFolder]
STEPS = tuple(range(0, 1001, 50))
MEMORISED = 100
_SIZES: dict[str, Any] = {"d_model": 8, "heads": 2, "d_mlp": 10, "d_embedding": 6}


def accuracies(step: int, grokked_at: int | None) -> dict[str, float]:
    late = grokked_at is not None and step >= grokked_at
    return {
        "train_accuracy": float(step >= MEMORISED),
        "test_accuracy": 1.0 if late else 0.25,
        "unleaked_accuracy": 1.0 if late else 0.05,
        "train_loss": 10.0 ** (-step / 200),
        "test_loss": 1e-3 if late else 12.0,
        "unleaked_loss": 1e-3 if late else 20.0,
    }


def metric_rows(
    seed: int, grokked_at: int | None, matrices: Sequence[str], matched: Sequence[str | None]
) -> list[dict]:
    rows = []
    for step in STEPS:
        done = step / STEPS[-1]
        named = [(name, None, value) for name, value in accuracies(step, grokked_at).items()]
        named += [("l2_norm", matrix, 10 - done + seed) for matrix in matrices]
        for key in ("ffs", "kfs"):
            named += [(key, "W_E", 1 - 0.8 * done), (key, "W_L", 1 - 0.6 * done)]
        named += [("fcr", "W_E", 0.9), ("fcr", "W_L", 0.9 - 0.05 * done)]
        for measure, matrix, value in named:
            row = {"seed": seed, "step": step, "measure": measure, "matrix": matrix}
            of_table = matrix and measure != "l2_norm"
            rows.append(row | {"basis": "additive" if of_table else None, "value": value})
            if of_table:
                fits = row | {"basis": "matched", "value": value / 2}
                rows += [fits | {"operation": operation} for operation in matched]
    return rows


def spectra_rows(seed: int, p: int) -> list[dict]:
    return [
        {
            "seed": seed,
            "step": step,
            "matrix": matrix,
            "basis": "additive",
            "k": k,
            "cos_norm": k + step / 1000,
            "sin_norm": 1 / k,
        }
        for step in (0, 500, 1000)
        for matrix in ("W_E", "W_L")
        for k in range(1, p // 2 + 1)
    ]


def build(
    path: Path,
    *,
    expressions: tuple[str, ...] = ("x + y",),
    operation: str | None = None,
    grokked_at: dict[int, int | None] | None = None,
    p: int = 7,
    status: str | None = None,
    results: Sequence[dict] = (),
    metrics: bool = True,
    spectra: bool = True,
    weights: bool | dict[str, np.ndarray] = True,
    optimizer: dict[str, Any] | None = None,
    label_noise: float = 0.0,
    matched: bool = False,
    **sizes: Any,
) -> RunFolder:
    """Write a run of 1,000 steps whose seeds memorised at step 100 and grokked as told."""
    moments = {0: 600} if grokked_at is None else grokked_at
    model = ModelConfig(**_SIZES | sizes)
    config = RunConfig(
        task=TaskConfig(expressions, p=p, train_fraction=0.6, label_noise=label_noise),
        model=model,
        optimizer=OptimizerConfig(**optimizer or {}),
        seeds=tuple(moments),
    )
    state = "grokked" if all(moments.values()) else "undecided"
    manifest = Manifest.new(
        config.to_json(), operation or expressions[0], device="cpu", jaxlib="1", run_axis="map"
    )
    manifest = dataclasses.replace(manifest, status=status or state, results=list(results))
    run = RunFolder.create(path, manifest)
    key, rng = jax.random.key(0), np.random.default_rng(0)
    shapes = eqx.filter_eval_shape(make_model, model, p, p + len(expressions), key)
    network = jax.tree_util.tree_map(
        lambda W: jnp.asarray(rng.normal(size=W.shape) / 2, jnp.float32), shapes
    )
    given = weights if isinstance(weights, dict) else {}
    network = with_weights(network, named_weights(network) | given)
    names = list(named_weights(network))
    fits = (expressions if len(expressions) > 1 else (None,)) if matched else ()
    rows = [row for s, at in moments.items() for row in metric_rows(s, at, names, fits)]
    bars = [row for seed in moments for row in spectra_rows(seed, p)]
    run.append(
        pa.Table.from_pylist(rows if metrics else [], schema=METRIC_SCHEMA),
        pa.Table.from_pylist(bars if spectra else [], schema=SPECTRA_SCHEMA),
        STEPS[-1],
    )
    if weights:
        tensors = {name: np.asarray(W) for name, W in named_weights(network).items()}
        meta = {"p": p, "model": dataclasses.asdict(model)}
        for seed in moments:
            run.save_checkpoint(seed, STEPS[-1], tensors, weight_axes(network), meta)
    return run


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Build a run in a folder of its own; `name` is the folder's name."""

    def make(name: str = "run", **options: Any) -> RunFolder:
        return build(tmp_path / name, **options)

    return make


@pytest.fixture(scope="session")
def shared_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """One ordinary run, which tests may read."""
    return build(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def rows_of() -> Callable[[dict, str], list[dict]]:
    """All rows of a chart that have a column of this name."""

    def rows(chart: dict, column: str) -> list[dict]:
        return [row for rows in chart["datasets"].values() for row in rows if column in row]

    return rows


def write_clock(path: Path, expression: str, p: int, keys: Sequence[int]) -> RunFolder:
    """Write a run whose network was built by formula to answer `expression` with these keys."""
    sizes: dict[str, Any] = {}

    def network(p: int, **given: Any) -> Model:
        sizes.update(given)
        return make_model(ModelConfig(**given), p, p + 1, jax.random.key(0))

    best = structure(expression, p).best
    assert best is not None
    model = build_clock(network, best, keys, 8)
    weights = {name: np.asarray(W) for name, W in named_weights(model).items()}
    return build(path, expressions=(expression,), p=p, weights=weights, **sizes)


@pytest.fixture(scope="session")
def clock_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that multiplies mod 23 with the frequencies 1, 3 and 7 of Z_22; only to be read."""
    run = write_clock(tmp_path_factory.mktemp("clock") / "run", "x*y", 23, (1, 3, 7))
    write_explanations(run, explain_networks(run))
    return run
