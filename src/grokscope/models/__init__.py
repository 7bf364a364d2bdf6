"""Networks as plain trees of weights, with activations that can be read and edited by name."""

import jax
from jaxtyping import PRNGKeyArray

from grokscope.config.run import ModelConfig
from grokscope.models.activations import Edit
from grokscope.models.imported import Imported
from grokscope.models.imported_network import imported_network
from grokscope.models.mlp import MLP
from grokscope.models.tokens import Inputs
from grokscope.models.transformer import Block, Transformer
from grokscope.models.weights import (
    AnyModel,
    Model,
    matrices,
    named_weights,
    part_of,
    parts,
    weight_axes,
    wiring_of,
    with_weights,
)

__all__ = [
    "MLP",
    "AnyModel",
    "Block",
    "Edit",
    "Imported",
    "Inputs",
    "Model",
    "Transformer",
    "imported_network",
    "make_model",
    "matrices",
    "model_shapes",
    "named_weights",
    "part_of",
    "parts",
    "weight_axes",
    "wiring_of",
    "with_weights",
]


def make_model(config: ModelConfig, p: int, n_tokens: int, key: PRNGKeyArray) -> Model:
    """Return a freshly initialised network for residues mod p.

    **Arguments:** sizes; modulus; size of the vocabulary (p and the operator tokens); key.
    """
    kind = Transformer if config.architecture == "transformer" else MLP
    return kind(config, p, n_tokens, key)


def model_shapes(config: ModelConfig, p: int, n_tokens: int) -> Model:
    """Return the network with the shape and type of each matrix in its place; nothing is drawn."""
    return jax.eval_shape(lambda: make_model(config, p, n_tokens, jax.random.key(0)))
