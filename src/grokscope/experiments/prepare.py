"""From a configuration to what the trainer takes: models, examples and splits of every seed."""

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from grokscope.circuits.matched import Matched
from grokscope.config import RunConfig
from grokscope.experiments.check import check
from grokscope.experiments.matched_view import matched_of
from grokscope.experiments.observe import Observed
from grokscope.models import make_model
from grokscope.tasks import Split, Task
from grokscope.training import RunInputs, TrainState, initial_state, stream

T = TypeVar("T")


class Prepared(NamedTuple):
    """The runs of a configuration, one per seed, before the first update."""

    task: Task
    splits: list[Split]
    states: TrainState
    """With a leading run axis."""
    inputs: RunInputs
    """With a leading run axis."""
    matched: Matched | None
    """The basis that fits the operation, where one is known."""


def prepare(config: RunConfig) -> Prepared:
    """Return everything that training needs; the same seed always gives the same run."""
    task, splits = check(config)
    states = [_state(config, task, seed) for seed in config.seeds]
    inputs = [_inputs(config, task, *pair) for pair in zip(splits, config.seeds, strict=True)]
    return Prepared(task, splits, _stack(states), _stack(inputs), matched_of(task))


def _state(config: RunConfig, task: Task, seed: int) -> TrainState:
    key = stream(seed, "weights")
    model = make_model(config.model, task.p, task.n_tokens, key)
    return initial_state(model, config.optimizer)


def _inputs(config: RunConfig, task: Task, split: Split, seed: int) -> RunInputs:
    labels, tokens = task.labels(seed), task.tokens()
    train = split.train_index
    return RunInputs(
        seed=jnp.uint32(seed),
        tokens=jnp.asarray(tokens[:, train].reshape(-1, 3)),
        labels=jnp.asarray(labels[:, train].reshape(-1)),
        learning_rate=jnp.float32(config.optimizer.learning_rate),
        weight_decay=jnp.float32(config.optimizer.weight_decay),
        observed=Observed(jnp.asarray(labels), jnp.asarray(split.kind), jnp.asarray(False)),
    )


def _stack(runs: list[T]) -> T:
    return jax.tree_util.tree_map(lambda *leaves: jnp.stack(leaves), *runs)
