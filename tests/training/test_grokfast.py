"""Grokfast against its definition in float64, and what it is for."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.testing import assert_allclose

from grokscope.config.optimizer import OptimizerConfig
from grokscope.training.filters import grokfast
from grokscope.training.optimizer import make_optimizer

STRENGTH, ALPHA = 2.0, 0.75


def filtered(gradients: np.ndarray, strength: float = STRENGTH) -> np.ndarray:
    """Return what comes out at every step."""
    transform: Any = grokfast(strength, ALPHA)

    def step(state: Any, g: jax.Array) -> Any:
        out, state = transform.update({"W": g, "frozen": None}, state)
        return state, out["W"]

    state = transform.init({"W": jnp.zeros(gradients.shape[1:]), "frozen": None})
    return np.asarray(jax.lax.scan(step, state, jnp.asarray(gradients, jnp.float32))[1])


def test_every_step_is_that_of_the_definition() -> None:
    gradients = np.random.default_rng(0).normal(size=(12, 3, 4))
    mu, expected = gradients[0], []
    for g in gradients:
        mu = ALPHA * mu + (1 - ALPHA) * g
        expected.append(g + STRENGTH * mu)
    assert_allclose(filtered(gradients), expected, rtol=1e-5, atol=1e-6)


def test_what_is_slow_grows_and_what_is_quick_does_not() -> None:
    constant = np.ones((50, 1))
    assert_allclose(filtered(constant), (1 + STRENGTH) * constant, rtol=1e-6)
    quick = np.resize([1.0, -1.0], (400, 1))
    # μ settles at ±(1 − α) / (1 + α)
    gain = 1 + STRENGTH * (1 - ALPHA) / (1 + ALPHA)
    assert_allclose(filtered(quick)[-2:], gain * quick[-2:], rtol=1e-5)


def test_it_stands_before_the_optimiser_and_its_weight_decay() -> None:
    config = OptimizerConfig(
        method="sgd", momentum=0.0, grokfast=STRENGTH, grokfast_alpha=ALPHA, learning_rate=0.5
    )
    optimizer: Any = make_optimizer(config, jnp.float32(0.5), jnp.float32(0.1))
    update, _ = optimizer.update(jnp.ones(3), optimizer.init(jnp.ones(3)), jnp.full(3, 2.0))
    # only the gradient of the loss is filtered: −η · (3 · 1 + 0.1 · 2)
    assert_allclose(update, -0.5 * (3 + 0.1 * 2) * np.ones(3), rtol=1e-6)
