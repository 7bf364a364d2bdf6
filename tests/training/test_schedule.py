"""The learning rate at every step is the formula's, whatever its size, and traced."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.config.optimizer import Decay, OptimizerConfig
from grokscope.training.optimizer import schedule

STEPS = np.arange(60)
SHAPES: dict[Decay, Any] = {
    "cosine": lambda s: (1 + np.cos(np.pi * s)) / 2,
    "linear": lambda s: 1 - s,
}


@pytest.mark.parametrize("decay", SHAPES)
@pytest.mark.parametrize("warmup", [0, 7])
def test_the_rate_falls_to_nothing(decay: Decay, warmup: int) -> None:
    config = OptimizerConfig(decay=decay, decay_steps=40, warmup=warmup)

    @jax.jit
    def rates(learning_rate: jax.Array) -> jax.Array:
        rate = schedule(config, learning_rate)
        assert callable(rate)
        with jax.numpy_dtype_promotion("standard"):
            return jnp.stack([jnp.asarray(rate(jnp.int32(s))) for s in STEPS])

    warm = np.minimum(1, (STEPS + 1) / max(warmup, 1))
    expected = 0.25 * warm * SHAPES[decay](np.minimum(STEPS / 40, 1))
    found = rates(jnp.float32(0.25))
    assert_allclose(found, expected, rtol=2e-6, atol=1e-8)
    assert_allclose(rates(jnp.float32(1)), 4 * found, rtol=1e-6)
    assert found.argmax() == max(warmup - 1, 0)
    assert not found[40:].any()


def test_without_warm_up_and_decay_it_is_a_number() -> None:
    eta = jnp.float32(0.3)
    assert schedule(OptimizerConfig(), eta) is eta
