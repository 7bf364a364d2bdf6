"""AdamW against its definition in float64, against PyTorch, and what freezing leaves alone."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from numpy.testing import assert_allclose

from grokscope.config import OptimizerConfig
from grokscope.models import named_weights
from grokscope.training.optimizer import adamw, split_frozen

N_STEPS = 9
CONFIGS = [
    OptimizerConfig(),
    OptimizerConfig(beta1=0.5, beta2=0.7, weight_decay=3.0, learning_rate=0.02),
    OptimizerConfig(beta1=0.0, beta2=0.999, weight_decay=0.0),
    OptimizerConfig(warmup=4, weight_decay=2.0, learning_rate=0.05),
    OptimizerConfig(warmup=100),
]


@pytest.fixture(scope="module")
def start() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def gradients() -> np.ndarray:
    """Of very different sizes: ε = 1e-8 counts in the second row, the third has none at all."""
    sizes = np.array([1, 1e-8, 0, 1e3])[None, :, None]
    return (np.random.default_rng(1).normal(size=(N_STEPS, 4, 6)) * sizes).astype(np.float32)


def ours(config: OptimizerConfig, start: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Return the weights after each update."""

    @jax.jit
    def train(
        weights: jax.Array, gradients: jax.Array, learning_rate: jax.Array, decay: jax.Array
    ) -> jax.Array:
        optimizer = adamw(config, learning_rate, decay)

        def step(carry: Any, gradient: jax.Array) -> Any:
            weights, moments = carry
            updates, moments = optimizer.update(gradient, moments, weights)
            weights = optax.apply_updates(weights, updates)
            return (weights, moments), weights

        return jax.lax.scan(step, (weights, optimizer.init(weights)), gradients)[1]

    traced = (np.float32(config.learning_rate), np.float32(config.weight_decay))
    return np.asarray(train(start, gradients, *traced))


def by_definition(config: OptimizerConfig, start: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """AdamW of Loshchilov and Hutter, one number at a time."""
    path = np.zeros(gradients.shape)
    for at in np.ndindex(start.shape):
        w, m, v = float(start[at]), 0.0, 0.0
        for t in range(1, N_STEPS + 1):
            g = float(gradients[(t - 1, *at)])
            rate = config.learning_rate
            if t < config.warmup:
                rate *= t / config.warmup
            m = config.beta1 * m + (1 - config.beta1) * g
            v = config.beta2 * v + (1 - config.beta2) * g * g
            m_hat, v_hat = m / (1 - config.beta1**t), v / (1 - config.beta2**t)
            w -= rate * (m_hat / (v_hat**0.5 + 1e-8) + config.weight_decay * w)
            path[(t - 1, *at)] = w
    return path


@pytest.mark.parametrize("config", CONFIGS)
def test_every_update_is_that_of_the_definition(
    config: OptimizerConfig, start: np.ndarray, gradients: np.ndarray
) -> None:
    expected = by_definition(config, start, gradients)
    assert np.abs(expected[-1] - start).max() > 1e-4
    moved = ours(config, start, gradients) - start
    assert_allclose(moved, expected - start, rtol=2e-4, atol=3e-7)


@pytest.mark.parametrize("config", CONFIGS[:3])
def test_every_update_is_that_of_pytorch(
    config: OptimizerConfig, start: np.ndarray, gradients: np.ndarray
) -> None:
    torch = pytest.importorskip("torch")
    weights = torch.nn.Parameter(torch.from_numpy(start.copy()))
    theirs = torch.optim.AdamW(
        [weights],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        weight_decay=config.weight_decay,
    )
    found = ours(config, start, gradients)
    for step, gradient in enumerate(gradients):
        weights.grad = torch.from_numpy(gradient.copy())
        theirs.step()
        assert_allclose(found[step], weights.detach().numpy(), rtol=1e-5, atol=3e-7)


def test_without_gradient_a_weight_decays_and_nothing_else() -> None:
    start, nothing = np.full((1, 1), 2, np.float32), np.zeros((N_STEPS, 1, 1), np.float32)
    config = OptimizerConfig(learning_rate=0.1, weight_decay=0.5)
    path = ours(config, start, nothing)[:, 0, 0]
    assert_allclose(path, 2 * (1 - 0.1 * 0.5) ** np.arange(1, N_STEPS + 1), rtol=1e-6)


@pytest.mark.parametrize("architecture", ["transformer", "mlp"])
def test_freezing_splits_a_network_by_its_parts(lab: Callable[..., Any], architecture: str) -> None:
    model = lab(architecture=architecture).states([0]).model
    trains, frozen = split_frozen(model, ("embedding", "mlp"))
    assert trains.W_E is None
    assert frozen.W_E is model.W_E
    assert frozen.W_U is None
    names = {"W_E", "W_in", "W_out"} | ({"W_hidden"} if architecture == "mlp" else set())
    held = [W for name, W in named_weights(jax.tree_util.tree_map(jnp.asarray, model)).items()
            if name in names]  # fmt: skip
    assert [W.shape for W in jax.tree_util.tree_leaves(frozen)] == [W.shape for W in held]
    leaves = zip(*map(jax.tree_util.tree_leaves, (eqx.combine(trains, frozen), model)), strict=True)
    assert all(joined is own for joined, own in leaves)
