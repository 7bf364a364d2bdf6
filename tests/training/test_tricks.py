"""Loss, filters and optimiser together in the trainer, against a step by hand in float64."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from grokscope.config.optimizer import OptimizerConfig
from grokscope.models import named_weights
from grokscope.training import TrainState, make_chunk

EVERYTHING = OptimizerConfig(
    method="sgd",
    momentum=0.5,
    learning_rate=0.1,
    weight_decay=0.01,
    loss="stablemax",
    grokfast=2.0,
    grokfast_alpha=0.9,
    orthogonal_gradients=True,
    decay="linear",
    decay_steps=10,
)
KINDS = [
    OptimizerConfig(method="adam"),
    OptimizerConfig(method="sgd", warmup=3),
    OptimizerConfig(method="muon", grokfast=2.0, decay="cosine", decay_steps=9),
    OptimizerConfig(orthogonal_gradients=True, loss="stablemax"),
]
N_STEPS = 3


@functools.cache
def program(config: OptimizerConfig) -> Any:
    """One step; learning rate and weight decay come with the inputs, as they do in a sweep."""
    return make_chunk(config, lambda model, _: jnp.sum(model.W_E), 1, "map")


def train(lab: Any, seeds: list[int], **changes: Any) -> list[TrainState]:
    """Return the states after 0, 1, … steps."""
    chunk = program(dataclasses.replace(lab.optimizer, learning_rate=1e-3, weight_decay=1.0))
    path, inputs = [lab.states(seeds)], lab.inputs(seeds, **changes)
    for _ in range(N_STEPS):
        state, _ = chunk(path[-1], inputs, np.ones(len(seeds), bool))
        path.append(jax.tree_util.tree_map(np.asarray, state))
    return path


def run_of(tree: Any, i: int) -> Any:
    return jax.tree_util.tree_map(lambda a: np.asarray(a)[i], tree)


def numbers(model: Any) -> dict[str, np.ndarray]:
    model = jax.tree_util.tree_map(jnp.asarray, model)
    return {name: np.asarray(W, np.float64) for name, W in named_weights(model).items()}


def test_everything_at_once_is_by_hand(lab: Callable[..., Any]) -> None:
    small = lab(architecture="transformer", optimizer=EVERYTHING)
    inputs = jax.tree_util.tree_map(jnp.asarray, run_of(small.inputs([0]), 0))

    @jax.jit
    @jax.grad
    def slope(model: Any) -> jax.Array:
        # the formula as it is printed
        x = model.trace(inputs.tokens)[0]
        s = jnp.where(x >= 0, x + 1, 1 / (1 - jnp.minimum(x, 0)))
        own = jnp.take_along_axis(s, inputs.labels[:, None], axis=1)[:, 0]
        return jnp.mean(-jnp.log(own / jnp.sum(s, axis=1)))

    path = [run_of(state, 0).model for state in train(small, [0])]
    slow: dict[str, np.ndarray] = {}
    kept: dict[str, Any] = {}
    for step in range(N_STEPS):
        before, after = numbers(path[step]), numbers(path[step + 1])
        gradient = numbers(slope(jax.tree_util.tree_map(jnp.asarray, path[step])))
        for name, g in gradient.items():
            w = before[name]
            slow[name] = 0.9 * slow.get(name, g) + 0.1 * g
            g = g + 2 * slow[name]
            g = g - np.vdot(w, g) / np.vdot(w, w) * w
            kept[name] = 0.5 * kept.get(name, 0) + g + 0.01 * w
            expected = -0.1 * (1 - step / 10) * kept[name]
            assert_allclose(after[name] - w, expected, rtol=2e-3, atol=3e-7, err_msg=name)
            assert np.abs(expected).max() > 1e-5


@pytest.mark.parametrize("config", KINDS, ids=str)
def test_runs_of_one_program_differ_in_rate_and_decay(
    lab: Callable[..., Any], config: OptimizerConfig
) -> None:
    small = lab(architecture="mlp", optimizer=config)
    rates, decays = np.array([1e-3, 4e-3], np.float32), np.array([0.5, 0.0], np.float32)
    together = train(small, [0, 1], learning_rate=rates, weight_decay=decays)[-1]
    for i in range(2):
        own = {"learning_rate": rates[i : i + 1], "weight_decay": decays[i : i + 1]}
        alone = train(small, [i], **own)[-1]
        pairs = zip(*map(jax.tree_util.tree_leaves, (together, alone)), strict=True)
        for both, one in pairs:
            assert_array_equal(np.asarray(both)[i], np.asarray(one)[0])
    other = train(small, [0], learning_rate=rates[1:], weight_decay=decays[:1])[-1]
    assert not np.array_equal(other.model.W_E[0], together.model.W_E[0])
