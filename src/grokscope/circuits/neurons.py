"""The neurons that write to the logits: which matter most, and what they respond to."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Array, Float

from grokscope.circuits.pairs import Read, over_pairs
from grokscope.errors import UsageError
from grokscope.models import MLP, Model


def last_hidden(model: Model) -> Read:
    """Return what reads the neurons of the last hidden layer at the last position."""
    if isinstance(model, MLP):
        last = f"hidden.{len(model.W_hidden) - 1}.post"
        return lambda _, activations: activations[last]
    name = f"blocks.{len(model.blocks) - 1}.mlp_post"
    return lambda _, activations: activations[name][:, -1]


def neuron_strengths(model: Model, task: int = 0) -> Float[np.ndarray, "d_mlp"]:
    """Return how much each neuron moves the logits over all pairs.

    **Arguments:** the network; which operation of a mixture, from 0.

    **Returns:** standard deviation of the activation times the norm of the neuron's column of
    W_L, in units of the logits.
    """
    n, total, squares = 0, 0.0, 0.0
    for block in over_pairs(model, last_hidden(model), task):
        flat = block.reshape(-1, block.shape[-1]).astype(np.float64)
        n, total, squares = n + len(flat), total + flat.sum(0), squares + (flat**2).sum(0)
    mean = np.asarray(total) / n
    # σ_j · ‖W_L[:, j]‖
    deviation = np.sqrt(np.maximum(np.asarray(squares) / n - mean**2, 0))
    return deviation * np.linalg.norm(np.asarray(model.neuron_logit_map, np.float64), axis=0)


def all_activations(model: Model, task: int = 0) -> Float[np.ndarray, "p p d_mlp"]:
    """Return the activations of all neurons at the last position, at [x, y, neuron], float32.

    **Arguments:** the network; which operation of a mixture, from 0.
    """
    return np.concatenate(list(over_pairs(model, last_hidden(model), task)))


def strongest_neurons(strengths: Float[np.ndarray, "d_mlp"], count: int) -> list[int]:
    """Return the numbers of the `count` strongest neurons, the strongest first.

    **Arguments:** what `neuron_strengths` returns; how many.
    """
    return np.argsort(-strengths, kind="stable")[:count].tolist()


def neuron_activations(
    model: Model, neurons: Sequence[int], task: int = 0
) -> Float[np.ndarray, "d_mlp p p"]:
    """Return the activations of some neurons at the last position for all pairs.

    **Arguments:**

    - `model`: the network.
    - `neurons`: numbers of neurons of the last hidden layer.
    - `task`: which operation of a mixture, from 0.

    **Returns:** activations at [chosen neuron, x, y].

    **Raises:** `UsageError` for a neuron that does not exist.
    """
    chosen, width = np.asarray(neurons, int), model.neuron_logit_map.shape[1]
    if np.any((chosen < 0) | (chosen >= width)):
        raise UsageError("no such neuron", got=list(neurons), allowed=f"0 to {width - 1}")
    hidden = last_hidden(model)

    def read(logits: Array, activations: dict[str, Array]) -> Array:
        return hidden(logits, activations)[:, chosen]

    return np.moveaxis(np.concatenate(list(over_pairs(model, read, task))), 2, 0)
