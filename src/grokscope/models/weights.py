"""The weights of a model by the field's names, for saving, measuring and freezing."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import jax
import numpy as np
from jaxtyping import Array

from grokscope.config.imported import ImportedConfig
from grokscope.config.validate import Part
from grokscope.errors import UsageError
from grokscope.forking import refuse_after_fork
from grokscope.models.imported import AXES, Imported
from grokscope.models.mlp import MLP
from grokscope.models.transformer import Transformer

Model = Transformer | MLP
AnyModel = Model | Imported
"""What can be asked and explained; only a `Model` can be trained."""
_Any = TypeVar("_Any", bound=AnyModel)

PARTS: Final[dict[str, Part]] = {
    "W_E": "embedding",
    "W_Q": "attention",
    "W_K": "attention",
    "W_V": "attention",
    "W_O": "attention",
    "W_in": "mlp",
    "W_hidden": "mlp",
    "W_out": "mlp",
    "W_U": "unembedding",
}
"""Which part of the network, as in `--freeze`, each matrix belongs to."""

_TRANSFORMER_AXES: Final = {
    "W_E": ("token", "d_model"),
    "W_Q": ("head", "d_model", "d_head"),
    "W_K": ("head", "d_model", "d_head"),
    "W_V": ("head", "d_model", "d_head"),
    "W_O": ("head", "d_head", "d_model"),
    "W_in": ("d_model", "d_mlp"),
    "W_out": ("d_mlp", "d_model"),
    "W_U": ("d_model", "class"),
}
_MLP_AXES: Final = {
    "W_E": ("token", "d_embedding"),
    "W_in": ("d_embedding", "d_mlp"),
    "W_hidden": ("d_mlp", "d_mlp"),
    "W_out": ("d_mlp", "d_embedding"),
    "W_U": ("d_embedding", "class"),
}


def _name(path: tuple[Any, ...], layers: int) -> str:
    """`W_E`, or with several layers `W_Q.0`; what lies in a dictionary has its name there."""
    if isinstance(path[-1], jax.tree_util.DictKey):
        return path[-1].key
    matrix = next(str(k.name) for k in reversed(path) if isinstance(k, jax.tree_util.GetAttrKey))
    index = [k.idx for k in path if isinstance(k, jax.tree_util.SequenceKey)]
    return f"{matrix}.{index[0]}" if index and layers > 1 else matrix


def _layers(model: AnyModel) -> int:
    if isinstance(model, Imported):
        return 1
    return len(model.blocks if isinstance(model, Transformer) else model.W_hidden)


def named_weights(model: AnyModel) -> dict[str, Array]:
    """Return every weight matrix by name, in the order of the data flow within the tree."""
    if isinstance(model, Imported):
        return {"W_E": model.W_E, **model.weights, "W_U": model.W_U}
    leaves, _ = jax.tree_util.tree_flatten_with_path(model)
    return {_name(path, _layers(model)): leaf for path, leaf in leaves}


def with_weights(model: _Any, weights: Mapping[str, np.ndarray | Array]) -> _Any:
    """Return the model with all its matrices replaced by those of the same names.

    Of the model only the shapes count.

    **Raises:** `UsageError` where a matrix is missing or has another shape, and in a process that
    was forked after JAX was used.
    """
    refuse_after_fork()

    def replace(path: tuple[Any, ...], old: Array | jax.ShapeDtypeStruct) -> Array:
        name = _name(path, _layers(model))
        new = weights.get(name)
        if new is None or new.shape != old.shape:
            got = "nothing" if new is None else f"shape {new.shape}"
            raise UsageError(
                f"matrix {name} does not fit the model", got=got, allowed=f"shape {old.shape}"
            )
        return jax.device_put(new.astype(old.dtype))

    return jax.tree_util.tree_map_with_path(replace, model)


def weight_axes(model: AnyModel) -> dict[str, tuple[str, ...]]:
    """Return the axis words of every matrix, as checkpoints record them."""
    if isinstance(model, Imported):
        return {name: AXES[name.split(".")[0]] for name in named_weights(model)}
    axes = _TRANSFORMER_AXES if isinstance(model, Transformer) else _MLP_AXES
    return {name: axes[name.split(".")[0]] for name in named_weights(model)}


def part_of(name: str) -> Part:
    """Return which part of the network a matrix belongs to: `W_Q.0` to the attention."""
    return PARTS[name.split(".")[0]]


def matrices(model: Any) -> Any:
    """Return a tree like the model, or a part of one, with each matrix's field as its leaf."""
    return jax.tree_util.tree_map_with_path(lambda path, _: _name(path, layers=1), model)


def parts(model: Model) -> Any:
    """Return a tree like the model with the part that each matrix belongs to as its leaf."""
    return jax.tree_util.tree_map(PARTS.__getitem__, matrices(model))


def wiring_of(model: AnyModel, operation_index: int = 0) -> tuple[ImportedConfig, dict[str, Any]]:
    """Return a network as one that could be imported: how it is wired, and its matrices."""
    weights = named_weights(model)
    if isinstance(model, Imported):
        return model.config, weights
    tokens = ("x", str(model.p + operation_index), "y")
    if isinstance(model, Transformer):
        named = {
            f"{name}.0" if name not in ("W_E", "W_U") and "." not in name else name: W
            for name, W in weights.items()
        }
        return ImportedConfig(p=model.p, tokens=tokens), named
    # what the last hidden layer writes, W_out·W_U, is one matrix there
    hidden = [weights["W_in"], *model.W_hidden]
    found = {"W_E": weights["W_E"], "W_U": model.neuron_logit_map.T}
    found |= {f"W_in.{i}": W for i, W in enumerate(hidden)}
    return ImportedConfig(p=model.p, kind="mlp", tokens=tokens, combine="sum"), found
