"""Every pair (x, y) through a network: its logits, its neurons, and where its heads look."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from grokscope.errors import UsageError
from grokscope.models import AnyModel, Imported, Transformer, named_weights

PAIRS_PER_BLOCK: Final = 4096
_OURS: Final = ("x", "op", "y")
Logits = Float[np.ndarray, "p p class"]
"""Logits of all pairs, at [x, y, answer]."""
Read = Callable[[Array, dict[str, Array]], Array]
"""What to keep of a pass: (logits, activations by name) → an array with one row per pair."""


def not_finite(model: AnyModel) -> str:
    """Return which matrix of a network is not finite, "" where all are.

    W_L = W_U·W_out can overflow where neither factor has.
    """
    for name, W in named_weights(model).items():
        if not np.isfinite(W).all():
            return name
    return "" if np.isfinite(model.neuron_logit_map).all() else "W_L"


def over_pairs(
    model: AnyModel, read: Read, operation_index: int = 0
) -> Iterator[Float[np.ndarray, "p p ..."]]:
    """Run all p² pairs, block by block.

    **Arguments:**

    - `model`: the network.
    - `read`: picks what is kept of the logits and activations of `model.trace`.
    - `operation_index`: which operation of a mixture, from 0.

    **Returns:** for each block its first axis: the next few x, its second: all y, then what
    `read` gives per pair.

    **Raises:** `UsageError` for an operation that the network has no operator token for.
    """
    p = model.p

    def run(model: AnyModel, tokens: Int[Array, "pair pos"]) -> Array:
        return read(*model.trace(tokens))

    # whole rows x, so that a block has two axes
    rows = max(1, min(p, PAIRS_PER_BLOCK // p))
    for found in in_blocks(model, model.inputs(operation_index).tokens, run, rows * p):
        yield found.reshape(-1, p, *found.shape[1:])


def on_all_pairs(
    model: AnyModel, read: Read, operation_index: int = 0
) -> Float[np.ndarray, "p p ..."]:
    """Return what `read` gives at [x, y]; arguments as for `over_pairs`."""
    return np.concatenate(list(over_pairs(model, read, operation_index)))


def in_blocks(
    model: AnyModel,
    tokens: Int[np.ndarray, "pair pos"],
    run: Callable[[AnyModel, Int[Array, "pair pos"]], Array],
    size: int,
) -> Iterator[Float[np.ndarray, "pair ..."]]:
    """Run a network on some inputs, so many at a time.

    **Arguments:** the network; its inputs; what leads from both to an array with one row per
    input; inputs per block.
    """
    last, compiled = len(tokens) - 1, eqx.filter_jit(run)
    size = min(size, len(tokens))
    for start in range(0, len(tokens), size):
        # the last block repeats the last input, so that all have one shape and one program
        block = tokens[np.minimum(np.arange(start, start + size), last)]
        with jax.default_matmul_precision("float32"):
            found = np.asarray(compiled(model, jnp.asarray(block)))
        yield found[: len(tokens) - start]


def logits_over_pairs(model: AnyModel, operation_index: int = 0) -> Logits:
    """Return the logits at [x, y, answer], for one operation of a mixture (from 0)."""
    return logits_of_all_answers(model, operation_index)[:, :, : model.p]


def logits_of_all_answers(
    model: AnyModel, operation_index: int = 0
) -> Float[np.ndarray, "p p column"]:
    """Return the same with answers that are no residues, which networks of others may have."""
    return on_all_pairs(model, lambda logits, _: logits, operation_index)


def attention_patterns(
    model: AnyModel, layer: int = -1, operation_index: int = 0
) -> Float[np.ndarray, "head pos p p"]:
    """Return how much each head, at the last position, attends to x, op and y.

    **Arguments:**

    - `model`: a transformer.
    - `layer`: which block, the last by default.
    - `operation_index`: which operation of a mixture, from 0.

    **Returns:** weights at [head, position, x, y], of ours from 0 to 1; those of the three
    positions x, op, y sum to 1. What a head looking from y gives to x is `[head, 0]`.

    **Raises:** `UsageError` for a network without attention and for a block that does not exist.
    """
    n_layers = attention_layers(model)
    if not n_layers:
        raise UsageError("an MLP has no attention", allowed="transformers")
    if not -n_layers <= layer < n_layers:
        raise UsageError("no such block", got=layer, allowed=f"0 to {n_layers - 1}")
    name, last = f"blocks.{layer % n_layers}.pattern", read_at(model)

    def read(_: Array, activations: dict[str, Array]) -> Array:
        # of a network that reads the mean over positions, the mean over where it looks from
        return activations[name].mean(2) if last is None else activations[name][:, :, last]

    return np.moveaxis(on_all_pairs(model, read, operation_index), (2, 3), (0, 1))


def attention_layers(model: AnyModel) -> int:
    """Return how many blocks with attention a network has; 0 for an MLP."""
    if isinstance(model, Transformer):
        return len(model.blocks)
    return model.layers if isinstance(model, Imported) and model.config.kind != "mlp" else 0


def read_at(model: AnyModel) -> int | None:
    """Return the position at which the answer is read; None for the mean over all."""
    return model.read if isinstance(model, Imported) else -1


def positions_of(model: AnyModel) -> tuple[str, ...]:
    """Return what stands at each position: `x`, `op`, `y`; of an imported network its own tokens.

    A single token that is the same for all pairs is `=`.
    """
    if not isinstance(model, Imported):
        return _OURS
    places = model.config.places
    fixed = sum(token.residue is None for token in places)
    return tuple(
        token.residue or ("=" if fixed == 1 else text)
        for token, text in zip(places, model.config.tokens, strict=True)
    )


def last_hidden(model: AnyModel) -> Read:
    """Return what reads the neurons of the last hidden layer where the answer is read."""
    if not attention_layers(model):
        return lambda _, activations: activations[model.hidden]
    if isinstance(model, Imported):
        return lambda _, activations: model.where_read(activations[model.hidden])
    return lambda _, activations: activations[model.hidden][:, -1]


def neuron_activations(
    model: AnyModel, neurons: Sequence[int], operation_index: int = 0
) -> Float[np.ndarray, "d_mlp p p"]:
    """Return the activations of some neurons for all pairs, where the answer is read.

    **Arguments:**

    - `model`: the network.
    - `neurons`: numbers of neurons of the last hidden layer.
    - `operation_index`: which operation of a mixture, from 0.

    **Returns:** activations at [chosen neuron, x, y].

    **Raises:** `UsageError` for a neuron that does not exist.
    """
    chosen, width = np.asarray(neurons, int), model.neuron_logit_map.shape[1]
    if np.any((chosen < 0) | (chosen >= width)):
        raise UsageError("no such neuron", got=list(neurons), allowed=f"0 to {width - 1}")
    hidden = last_hidden(model)

    def read(logits: Array, activations: dict[str, Array]) -> Array:
        return hidden(logits, activations)[:, chosen]

    return np.moveaxis(on_all_pairs(model, read, operation_index), 2, 0)


def neuron_strengths(model: AnyModel, operation_index: int = 0) -> Float[np.ndarray, "d_mlp"]:
    """Return how much each neuron moves the logits over all pairs.

    **Arguments:** the network; which operation of a mixture, from 0.

    **Returns:** standard deviation of the activation times the norm of the neuron's column of
    W_L, in units of the logits; of one that overflows, as in a network that diverges, nan.
    """
    n, total, squares = 0, 0.0, 0.0
    for block in over_pairs(model, last_hidden(model), operation_index):
        flat = block.reshape(-1, block.shape[-1]).astype(np.float64)
        n, total, squares = n + len(flat), total + flat.sum(0), squares + (flat**2).sum(0)
    mean = np.asarray(total) / n
    # σ_j · ‖W_L[:, j]‖
    with np.errstate(invalid="ignore"):
        deviation = np.sqrt(np.maximum(np.asarray(squares) / n - mean**2, 0))
    return deviation * np.linalg.norm(np.asarray(model.neuron_logit_map, np.float64), axis=0)
