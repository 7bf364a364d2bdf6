"""Every method against its definition in float64 and PyTorch, and what freezing leaves alone."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from numpy.testing import assert_allclose

from grokscope.config.optimizer import OptimizerConfig
from grokscope.models import named_weights
from grokscope.training.optimizer import make_optimizer, split_frozen

N_STEPS = 9
CONFIGS = [
    OptimizerConfig(),
    OptimizerConfig(beta1=0.5, beta2=0.7, weight_decay=3.0, learning_rate=0.02),
    OptimizerConfig(beta1=0.0, beta2=0.999, weight_decay=0.0),
    OptimizerConfig(warmup=4, weight_decay=2.0, learning_rate=0.05),
    OptimizerConfig(warmup=100),
]
L2_CONFIGS = [
    OptimizerConfig(method="adam", weight_decay=0.03),
    OptimizerConfig(method="adam", weight_decay=0.0, learning_rate=0.02, beta1=0.5, warmup=3),
    OptimizerConfig(method="sgd", weight_decay=0.1, learning_rate=0.02),
    OptimizerConfig(method="sgd", momentum=0.0, weight_decay=0.0, learning_rate=0.5, warmup=6),
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
        optimizer = make_optimizer(config, learning_rate, decay)

        def step(carry: Any, gradient: jax.Array) -> Any:
            weights, moments = carry
            updates, moments = optimizer.update(gradient, moments, weights)
            weights = optax.apply_updates(weights, updates)
            return (weights, moments), weights

        return jax.lax.scan(step, (weights, optimizer.init(weights)), gradients)[1]

    traced = (np.float32(config.learning_rate), np.float32(config.weight_decay))
    return np.asarray(train(start, gradients, *traced))


def by_definition(config: OptimizerConfig, start: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """The method as its authors wrote it down, one number at a time."""
    path = np.zeros(gradients.shape)
    for at in np.ndindex(start.shape):
        w, m, v = float(start[at]), 0.0, 0.0
        for t in range(1, N_STEPS + 1):
            g = float(gradients[(t - 1, *at)])
            rate = config.learning_rate
            if t < config.warmup:
                rate *= t / config.warmup
            if config.method != "adamw":
                g += config.weight_decay * w
            if config.method == "sgd":
                m = config.momentum * m + g
                w -= rate * m
            else:
                m = config.beta1 * m + (1 - config.beta1) * g
                v = config.beta2 * v + (1 - config.beta2) * g * g
                m_hat, v_hat = m / (1 - config.beta1**t), v / (1 - config.beta2**t)
                decay = config.weight_decay * w if config.method == "adamw" else 0
                w -= rate * (m_hat / (v_hat**0.5 + 1e-8) + decay)
            path[(t - 1, *at)] = w
    return path


@pytest.mark.parametrize("config", CONFIGS + L2_CONFIGS)
def test_every_update_is_that_of_the_definition(
    config: OptimizerConfig, start: np.ndarray, gradients: np.ndarray
) -> None:
    expected = by_definition(config, start, gradients)
    assert np.abs(expected[-1] - start).max() > 1e-4
    moved, expected = ours(config, start, gradients) - start, expected - start
    # a large step of sgd is known to the digits of its largest term
    digits = 2e-7 * np.abs(expected).max(axis=(0, 2), keepdims=True)
    assert np.all(np.abs(moved - expected) <= 2e-4 * np.abs(expected) + 3e-7 + digits)


@pytest.mark.parametrize("config", [*CONFIGS[:3], L2_CONFIGS[0], L2_CONFIGS[2]])
def test_every_update_is_that_of_pytorch(
    config: OptimizerConfig, start: np.ndarray, gradients: np.ndarray
) -> None:
    torch = pytest.importorskip("torch")
    weights = torch.nn.Parameter(torch.from_numpy(start.copy()))
    numbers: dict[str, Any] = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    if config.method == "sgd":
        theirs = torch.optim.SGD([weights], momentum=config.momentum, **numbers)
    else:
        kind = torch.optim.AdamW if config.method == "adamw" else torch.optim.Adam
        theirs = kind([weights], betas=(config.beta1, config.beta2), **numbers)
    found = ours(config, start, gradients)
    for step, gradient in enumerate(gradients):
        weights.grad = torch.from_numpy(gradient.copy())
        theirs.step()
        assert_allclose(found[step], weights.detach().numpy(), rtol=1e-5, atol=3e-7)


@pytest.mark.parametrize("warmup", [0, 4])
def test_the_default_is_the_program_that_it_was_before_there_were_others(warmup: int) -> None:
    """Operation by operation, that of Optax's AdamW; so are the bits of every run."""
    config = OptimizerConfig(warmup=warmup)

    def by_hand(learning_rate: jax.Array, weight_decay: jax.Array) -> Any:
        def rate(count: Any) -> jax.Array:
            share = (jnp.asarray(count) + 1).astype(jnp.float32) / warmup
            return learning_rate * jnp.minimum(1.0, share)

        return optax.adamw(
            rate if warmup else learning_rate, b1=0.9, b2=0.98, weight_decay=weight_decay
        )

    def program(make: Callable[..., Any]) -> str:
        def step(weights: Any, gradient: Any, state: Any, rate: Any, decay: Any) -> Any:
            with jax.numpy_dtype_promotion("standard"):
                return make(rate, decay).update(gradient, state, weights)

        weights, one = {"a": jnp.ones((2, 3)), "b": None}, jnp.float32(1)
        state = make(one, one).init(weights)
        return str(jax.make_jaxpr(step)(weights, weights, state, one, one))

    ours = program(lambda rate, decay: make_optimizer(config, rate, decay))
    assert ours == program(by_hand)
    assert ours != program(lambda rate, decay: make_optimizer(L2_CONFIGS[0], rate, decay))


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
    held = [
        W
        for name, W in named_weights(jax.tree_util.tree_map(jnp.asarray, model)).items()
        if name in names
    ]
    assert [W.shape for W in jax.tree_util.tree_leaves(frozen)] == [W.shape for W in held]
    leaves = zip(*map(jax.tree_util.tree_leaves, (eqx.combine(trains, frozen), model)), strict=True)
    assert all(joined is own for joined, own in leaves)
