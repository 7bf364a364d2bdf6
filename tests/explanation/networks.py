"""Small networks for tests: with large random weights, or built by formula, and a plain pass."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from grokscope.config.run import ModelConfig
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.network import of_model
from grokscope.fourier.basis import Basis
from grokscope.models import Model, Transformer, model_shapes
from grokscope.tasks.structure import Structure

Make = Callable[..., Model]


def make(p: int = 7, n_tasks: int = 1, **sizes: Any) -> Model:
    settings: dict[str, Any] = {"d_model": 12, "heads": 3, "d_mlp": 10, "d_embedding": 9}
    config = ModelConfig(**settings | sizes)
    shapes = model_shapes(config, p, p + n_tasks)
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


def structure_of(name: str, p: int) -> Structure:
    """A few structures, written down by hand: p is 11, 13, 17 or 23 where a logarithm is taken."""
    x, root = np.arange(p), {11: 2, 13: 2, 17: 3, 23: 5}.get(p, 0)
    power = np.array([pow(root, s, p) for s in range(p - 1)])
    log = np.full(p, -1)
    log[power] = np.arange(p - 1)
    u, v, g, n = {
        "x + y": (x, x, x, p),
        "x - y": (x, -x % p, x, p),
        "x*y": (log, log, power, p - 1),
        "x/y": (log, np.where(log >= 0, -log % (p - 1), -1), power, p - 1),
        "x^2 + y^2": (x**2 % p, x**2 % p, x, p),
        "x^2 - y": (x**2 % p, -x % p, x, p),
        "2x + 3y": (2 * x % p, 3 * x % p, x, p),
        "(x + y)^2": (x, x, x**2 % p, p),
    }[name]
    return Structure("separable", n, u, v, g, "u", "v", "g", name)


@dataclass(frozen=True, eq=False)
class Built(NetworkInBasis):
    """A network of ours in a basis, with the model that it is made of."""

    model: Any = None


def built(model: Model, labels: np.ndarray, basis: Basis, kind: np.ndarray | None = None) -> Built:
    return Built(of_model(model), labels, basis, kind, model=model)


def network_in_basis(model: Model, structure: Structure, **settings: Any) -> Built:
    """A network and a structure; labels are 0 where the structure is undefined."""
    labels = np.maximum(structure.labels(), 0).astype(np.int32)
    return built(model, labels, Basis(structure), **settings)
