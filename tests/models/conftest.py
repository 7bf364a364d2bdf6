"""Small networks with weights large enough that attention is far from uniform."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grokscope.config.run import ModelConfig
from grokscope.models import Model, make_model

Make = Callable[..., Model]


def make(p: int = 7, n_tasks: int = 1, seed: int = 0, **sizes: Any) -> Model:
    """Return a network with random weights, larger than the initial ones."""
    settings: dict[str, Any] = {"d_model": 12, "heads": 3, "d_mlp": 20, "d_embedding": 9}
    config = ModelConfig(**settings | sizes)
    shapes = eqx.filter_eval_shape(make_model, config, p, p + n_tasks, jax.random.key(0))
    rng = np.random.default_rng(seed)
    return jax.tree_util.tree_map(
        lambda W: jnp.asarray(rng.normal(size=W.shape) / 2, jnp.float32), shapes
    )


@pytest.fixture(scope="session")
def network() -> Make:
    """The function `make`, for tests, which cannot import this file."""
    return make
