"""Runs on the disk whose networks were built by formula; nothing is trained."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
from tests.explanation.build import build_clock
from tests.explanation.networks import make

from grokscope.config.run import ModelConfig, RunConfig, TaskConfig
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.models import Model, named_weights, weight_axes, with_weights
from grokscope.tasks.structure import structure

KEYS = {"x + y": (2, 5, 9), "x*y": (1, 4, 10)}
P = 23
GROKKED_AT = 200
STEPS = (100, 200, 300)
"""Checkpoints: noise, then the embedding alone, then the whole clock."""


def clock(operation: str) -> Model:
    best = structure(operation, P).best
    assert best is not None
    return build_clock(make, best, KEYS[operation], 8)


def noise(model: Model) -> Model:
    """The same network with random numbers for all weights."""
    rng = np.random.default_rng(0)
    return with_weights(
        model,
        {n: rng.normal(size=W.shape).astype(np.float32) for n, W in named_weights(model).items()},
    )


def half_built(model: Model) -> Model:
    """The clock with random numbers for the unembedding."""
    rng = np.random.default_rng(1)
    drawn = rng.normal(size=model.W_U.shape).astype(np.float32)
    return with_weights(model, named_weights(model) | {"W_U": drawn})


def write(path: Path, operation: str, seeds: tuple[int, ...], grokked: bool) -> RunFolder:
    """Write a run with three checkpoints per seed and accuracies that do as they are told."""
    whole = clock(operation)
    models = dict(zip(STEPS, (noise(whole), half_built(whole), whole), strict=True))
    sizes = ModelConfig(d_model=whole.W_E.shape[1], heads=1, d_mlp=whole.neuron_logit_map.shape[1])
    config = RunConfig(task=TaskConfig((operation,), p=P), model=sizes, seeds=seeds)
    manifest = Manifest.new(config.to_json(), operation, device="cpu", jaxlib="1", run_axis="map")
    folder = RunFolder.create(path, dataclasses.replace(manifest, status="grokked"))
    rows = [
        {
            "seed": seed,
            "step": step,
            "measure": "test_accuracy",
            "matrix": None,
            "basis": None,
            "value": float(grokked and step >= GROKKED_AT),
        }
        for seed in seeds
        for step in range(0, 501, 50)
    ]
    folder.append(
        pa.Table.from_pylist(rows, METRIC_SCHEMA), pa.Table.from_pylist([], SPECTRA_SCHEMA), 500
    )
    for seed in seeds:
        for step, model in models.items():
            tensors = {name: np.asarray(W) for name, W in named_weights(model).items()}
            meta = {"p": P, "model": dataclasses.asdict(sizes), "operation": operation}
            folder.save_checkpoint(seed, step, tensors, weight_axes(model), meta)
    return folder
