"""A network from a checkpoint."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from grokscope.circuits.pairs import not_finite
from grokscope.config import ModelConfig
from grokscope.errors import RunFolderError
from grokscope.models import Model, make_model, with_weights
from grokscope.runs.folder import RunFolder


class Network(NamedTuple):
    """The weights of one seed at one step."""

    model: Model
    seed: int
    step: int


def load_network(folder: RunFolder, seed: int, step: int | None = None) -> Network:
    """Return the network of `seed` at `step`, or at its last checkpoint.

    **Raises:** `RunFolderError` when there is no such checkpoint, or it cannot be read, or
    it is not finite; `UsageError` when its matrices do not fit the sizes that it records.
    """
    network = load_any_network(folder, seed, step)
    if broken := not_finite(network.model):
        raise RunFolderError(f"{broken} of a checkpoint is not finite: training diverged",
                             got=f"seed {seed}, step {network.step}")  # fmt: skip
    return network


def load_any_network(folder: RunFolder, seed: int, step: int | None = None) -> Network:
    """Return the same also where it is not finite."""
    return network_of(*folder.load_checkpoint(seed, step))


def network_of(tensors: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Network:
    """Return the network of a checkpoint's tensors and facts; raises as `load_any_network`."""
    try:
        config, p = ModelConfig(**meta["model"]), int(meta["p"])
        n_tokens = len(tensors["W_E"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunFolderError("a checkpoint does not describe its network", got=error) from error
    shapes = eqx.filter_eval_shape(make_model, config, p, n_tokens, jax.random.key(0))
    blank = jax.tree_util.tree_map(lambda W: jnp.asarray(np.zeros(W.shape, W.dtype)), shapes)
    return Network(with_weights(blank, tensors), meta["seed"], meta["step"])
