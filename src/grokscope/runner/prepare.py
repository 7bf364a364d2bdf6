"""From a configuration to what the trainer takes: models, examples and splits of every seed."""

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from grokscope.config.run import RunConfig
from grokscope.models import make_model
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
    states = [_state(config, task, seed, source) for seed in config.seeds]
    inputs = [
        _inputs(config, task, split, views, seed)
        for split, seed in zip(splits, config.seeds, strict=True)
    ]
    return Prepared(_stack(states), _stack(inputs))


def _state(config: RunConfig, task: Task, seed: int, source: Source | None) -> TrainState:
    key = stream(seed, "weights")
    model = make_model(config.model, task.p, task.n_tokens, key)
    if source is not None:
        model = take_over(model, task, source, seed, config.transfer.load)
    return initial_state(model, config.optimizer)


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
        seed=jnp.uint32(seed),
        tokens=jnp.asarray(train_tokens),
        labels=jnp.asarray(train_labels),
        learning_rate=jnp.float32(config.optimizer.learning_rate),
        weight_decay=jnp.float32(config.optimizer.weight_decay),
        weights=_weights(config.task.task_weights, len(chosen[0])),
        observed=Observed(
            jnp.asarray(tokens), jnp.asarray(labels), jnp.asarray(kind), jnp.asarray(False), views
        ),
    )


def _weights(task_weights: tuple[float, ...], examples: int) -> Float[Array, "example"] | None:
    """Return w_t / n for every example of every operation t; None where all weights are 1."""
    if all(weight == 1 for weight in task_weights):
        return None
    return jnp.repeat(jnp.asarray(task_weights, jnp.float32) / examples, examples)


def _stack(runs: list[T]) -> T:
    return jax.tree_util.tree_map(lambda *leaves: jnp.stack(leaves), *runs)
