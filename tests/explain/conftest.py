"""Small networks with large random weights, and their plain forward pass for one pair."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grokscope.config import ModelConfig
from grokscope.models import Model, Transformer, make_model

Make = Callable[..., Model]


def make(p: int = 7, n_tasks: int = 1, **sizes: Any) -> Model:
    settings: dict[str, Any] = {"d_model": 12, "heads": 3, "d_mlp": 10, "d_embedding": 9}
    config = ModelConfig(**settings | sizes)
    shapes = eqx.filter_eval_shape(make_model, config, p, p + n_tasks, jax.random.key(0))
    rng = np.random.default_rng(0)
    return jax.tree_util.tree_map(
        lambda W: jnp.asarray(rng.normal(size=W.shape) / 2, jnp.float32), shapes
    )


def pass_of(model: Transformer, tokens: list[int]) -> SimpleNamespace:
    """The last position of the last block, in float64, head by head and position by position."""
    rows = [np.asarray(model.W_E, np.float64)[token] for token in tokens]
    pattern, neurons = np.empty(0), np.empty(0)
    for block in model.blocks:
        W = {name: np.asarray(getattr(block, name), np.float64) for name in vars(block)}
        n_heads, _, d_head = W["W_Q"].shape
        pattern, after = np.zeros((n_heads, 3)), []
        for q, row in enumerate(rows):
            out = row.copy()
            for h in range(n_heads):
                score = [(row @ W["W_Q"][h]) @ (r @ W["W_K"][h]) for r in rows[: q + 1]]
                weight = np.exp(np.array(score) / np.sqrt(d_head))
                weight /= weight.sum()
                pattern[h, : q + 1] = weight
                for share, r in zip(weight, rows, strict=False):
                    out += share * (r @ W["W_V"][h] @ W["W_O"][h])
            neurons = np.maximum(out @ W["W_in"], 0)
            after.append(out + neurons @ W["W_out"])
        rows = after
    logits = rows[-1] @ np.asarray(model.W_U, np.float64)
    return SimpleNamespace(pattern=pattern, neurons=neurons, logits=logits)


@pytest.fixture(scope="session")
def network() -> Make:
    """The function `make`, for tests, which cannot import this file."""
    return make


@pytest.fixture(scope="session")
def one_pass() -> Callable[..., SimpleNamespace]:
    """The function `pass_of`."""
    return pass_of
