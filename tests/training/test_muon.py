"""Muon against its definition in float64: on which matrices, how large, with what decay."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.config.optimizer import OptimizerConfig
from grokscope.models import named_weights
from grokscope.training.optimizer import make_optimizer, split_frozen

N_STEPS, MOMENTUM, RATE, DECAY = 4, 0.9, 0.01, 0.5
TABLES = ("W_E", "W_U")


def as_matrix(name: str, W: np.ndarray) -> np.ndarray:
    """Return an attention matrix as the one between the residual stream and all heads."""
    if W.ndim == 2:
        return W
    if name == "W_O":
        return W.reshape(-1, W.shape[2])
    return W.transpose(1, 0, 2).reshape(W.shape[1], -1)


def orthogonalised(M: np.ndarray) -> np.ndarray:
    """Jordan's five Newton–Schulz steps."""
    X = M / (np.linalg.norm(M) + 1e-8)
    for _ in range(5):
        A = X @ X.T
        X = 3.4445 * X + (-4.7750 * A + 2.0315 * A @ A) @ X
    return X


def by_definition(name: str, w: np.ndarray, gradients: list[np.ndarray]) -> list[np.ndarray]:
    """Return the weights, as one matrix, after every step."""
    w, m, v, path = as_matrix(name, w), 0.0, 0.0, []
    for t, g in enumerate((as_matrix(name, g) for g in gradients), start=1):
        if name in TABLES:
            m, v = 0.9 * m + 0.1 * g, 0.98 * v + 0.02 * g * g
            change = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.98**t)) + 1e-8)
        else:
            m = MOMENTUM * m + (1 - MOMENTUM) * g
            # Nesterov: one step ahead, each part without the bias of its start at 0
            ahead = MOMENTUM * m / (1 - MOMENTUM ** (t + 1))
            ahead = ahead + (1 - MOMENTUM) * g / (1 - MOMENTUM**t)
            change = 0.2 * np.sqrt(max(w.shape)) * orthogonalised(ahead)
        w = w - RATE * (change + DECAY * w)
        path.append(w)
    return path


@pytest.fixture(params=["transformer", "mlp"])
def model(request: pytest.FixtureRequest, lab: Callable[..., Any]) -> Any:
    model = lab(architecture=request.param).states([0]).model
    return jax.tree_util.tree_map(lambda W: jnp.asarray(W[0]), model)


def train(model: Any, gradients: list[Any], config: OptimizerConfig) -> list[Any]:
    trains, frozen = split_frozen(model, config.freeze)

    @jax.jit
    def step(trains: Any, gradient: Any, moments: Any, rate: Any, decay: Any) -> Any:
        optimizer = make_optimizer(config, rate, decay)
        updates, moments = optimizer.update(gradient, moments, trains)
        return jax.tree_util.tree_map(jnp.add, trains, updates), moments

    one, path = jnp.float32(1), []
    moments = make_optimizer(config, one, one).init(trains)
    for gradient in gradients:
        mine, _ = split_frozen(gradient, config.freeze)
        trains, moments = step(trains, mine, moments, jnp.float32(RATE), jnp.float32(DECAY))
        path.append(eqx.combine(trains, frozen))
    return path


def drawn_like(model: Any) -> list[Any]:
    rng = np.random.default_rng(1)
    return [
        jax.tree_util.tree_map(lambda W: jnp.asarray(rng.normal(size=W.shape), jnp.float32), model)
        for _ in range(N_STEPS)
    ]


def test_every_step_is_that_of_the_definition(model: Any) -> None:
    gradients = drawn_like(model)
    path = train(model, gradients, OptimizerConfig(method="muon", momentum=MOMENTUM))
    named = [named_weights(g) for g in gradients]
    for name, w in named_weights(model).items():
        mine = [np.asarray(g[name], np.float64) for g in named]
        expected = by_definition(name, np.asarray(w, np.float64), mine)
        for step, weights in enumerate(path):
            found = as_matrix(name, np.asarray(named_weights(weights)[name]))
            assert_allclose(found, expected[step], atol=2e-5, err_msg=f"{name} at {step}")


def test_a_frozen_part_stays_and_the_others_do_not_notice(model: Any) -> None:
    gradients = drawn_like(model)
    free = train(model, gradients, OptimizerConfig(method="muon"))[-1]
    some = train(model, gradients, OptimizerConfig(method="muon", freeze=("mlp", "unembedding")))
    before = named_weights(model)
    for name, W in named_weights(some[-1]).items():
        held = name in ("W_in", "W_out", "W_U") or name.startswith("W_hidden")
        expected = before[name] if held else named_weights(free)[name]
        assert_allclose(W, expected, rtol=1e-6, err_msg=name)


def test_every_direction_moves_alike(lab: Callable[..., Any]) -> None:
    """However differently the gradient pulls: by η · 0.2 · √(larger side), up to a third."""
    model = jax.tree_util.tree_map(
        lambda W: jnp.asarray(W[0]), lab(architecture="transformer").states([0]).model
    )
    gradient = drawn_like(model)[0]
    left, right = (np.linalg.qr(np.random.default_rng(s).normal(size=(8, 8)))[0] for s in (2, 3))
    pull = (left * np.geomspace(1, 0.05, 8) @ right).reshape(8, 2, 4).transpose(1, 0, 2)
    gradient = eqx.tree_at(lambda m: m.blocks[0].W_Q, gradient, jnp.asarray(pull, jnp.float32))
    path = train(model, [gradient], OptimizerConfig(method="muon"))
    before, after = (np.asarray(m.blocks[0].W_Q, np.float64) for m in (model, path[0]))
    step = as_matrix("W_Q", after - (1 - RATE * DECAY) * before)
    sizes = np.linalg.svd(step)[1] / (RATE * 0.2 * 8**0.5)
    assert sizes.max() < 1.3
    assert sizes.min() > 0.66
