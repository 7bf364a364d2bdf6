"""From a configuration to what the trainer takes: models, examples and splits of every seed."""

import functools
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np
from jaxtyping import Float, UInt32

from grokscope.config.optimizer import OptimizerConfig
from grokscope.config.run import ModelConfig, RunConfig
from grokscope.models import Model, make_model
from grokscope.runner.check import Checked
from grokscope.runner.matched import MatchedView
from grokscope.runner.observe import Observed
from grokscope.runner.transfer import Source, take_over
from grokscope.tasks import Split, Task, training_labels
from grokscope.training import RunInputs, TrainState, initial_state, stream

T = TypeVar("T")


class Prepared(NamedTuple):
    """The runs of a configuration, one per seed, before the first update."""

    states: TrainState
    """With a leading run axis."""
    inputs: RunInputs
    """With a leading run axis."""


def prepare(checked: Checked, source: Source | None = None) -> Prepared:
    """Return everything that training needs; the same seed always gives the same run.

    **Arguments:** the configuration; the run that it takes weights over from, if any.
    """
    config, task, splits = checked
    views = tuple(MatchedView.of(task, number) for number in range(task.n_tasks))
    models = _models(config.model, task.p, task.n_tokens, np.array(config.seeds, np.uint32))
    if source is not None:
        taken = [
            take_over(_one_of(models, i), task, source, seed, config.transfer.load)
            for i, seed in enumerate(config.seeds)
        ]
        models = _stack(taken)
    inputs = [
        _inputs(config, task, split, views, seed)
        for split, seed in zip(splits, config.seeds, strict=True)
    ]
    return Prepared(_states(models, config.optimizer.compiled), _stack(inputs))


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _models(config: ModelConfig, p: int, n_tokens: int, seeds: UInt32[Any, "seed"]) -> Model:
    """Return the networks before training, with a leading run axis."""
    return jax.lax.map(lambda seed: make_model(config, p, n_tokens, stream(seed, "weights")), seeds)


@functools.partial(jax.jit, static_argnums=1)
def _states(models: Model, optimizer: OptimizerConfig) -> TrainState:
    """Return the states before the first update, with a leading run axis."""
    return jax.vmap(lambda model: initial_state(model, optimizer))(models)


def _inputs(
    config: RunConfig,
    task: Task,
    splits: tuple[Split, ...],
    views: tuple[MatchedView | None, ...],
    seed: int,
) -> RunInputs:
    labels = training_labels(task, splits, config.task.label_noise, seed)
    tokens = task.tokens()
    chosen = [split.train_index for split in splits]
    train_tokens = np.concatenate([t[index] for t, index in zip(tokens, chosen, strict=True)])
    train_labels = np.concatenate([y[index] for y, index in zip(labels, chosen, strict=True)])
    kind = np.stack([split.kind for split in splits])
    return RunInputs(
        seed=np.uint32(seed),
        tokens=train_tokens,
        labels=train_labels,
        learning_rate=np.float32(config.optimizer.learning_rate),
        weight_decay=np.float32(config.optimizer.weight_decay),
        weights=_weights(config.task.task_weights, len(chosen[0])),
        observed=Observed(tokens, np.stack(list(labels)), kind, np.bool_(False), views),
    )


def _weights(task_weights: tuple[float, ...], examples: int) -> Float[np.ndarray, "example"] | None:
    """Return w_t / n for every example of every operation t; None where all weights are 1."""
    if all(weight == 1 for weight in task_weights):
        return None
    return np.repeat(np.array(task_weights, np.float32) / examples, examples)


def _stack(runs: list[T]) -> T:
    """Return the runs as one tree with a leading run axis; no program is compiled for it."""
    return jax.device_put(jax.tree_util.tree_map(lambda *leaves: np.stack(leaves), *runs))


def _one_of(models: Model, i: int) -> Model:
    return jax.device_put(jax.tree_util.tree_map(lambda a: np.asarray(a)[i], models))
