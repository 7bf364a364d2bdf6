"""What is explained: logits as a function of token embeddings, and what else a network shows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from grokscope.explanation.pairs import (
    PAIRS_PER_BLOCK,
    Logits,
    attention_layers,
    attention_patterns,
    in_blocks,
    last_hidden,
    not_finite,
)
from grokscope.fourier.characters import Table
from grokscope.models import AnyModel, Imported, Transformer, named_weights

_PAIRS_PER_BLOCK: Final = 16384


class Rows(NamedTuple):
    """What stands for the residues at either position: a row of an embedding for each."""

    x: Float[np.ndarray, "p column"]
    y: Float[np.ndarray, "p column"]


class Written(NamedTuple):
    """What the neurons hand on to the logits, as a function of the pair."""

    values: Float[np.ndarray, "p p column"]
    logits: Callable[[Float[np.ndarray, "p p column"]], Logits]
    """The logits with other values in their place."""


class Attention(NamedTuple):
    """What the heads of the last block do at the position where the answer is read."""

    patterns: Float[np.ndarray, "head pos p p"]
    """Weights on every position."""
    circuits: Float[np.ndarray, "head d_model d_model"]
    """W_V·W_O of each head."""


class Gradients(NamedTuple):
    """Gradients of a logit of each of some pairs, with respect to both embeddings."""

    of_x: Float[np.ndarray, "pair d_model"]
    of_y: Float[np.ndarray, "pair d_model"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Network:
    """A network as far as it is known; every part makes further claims testable.

    **Arguments:**

    - `p`: number of residues.
    - `W_E`: what stands for the residues at x and at y; None where only logits are known.
    - `shared`: whether both are one table.
    - `x_alone`: whether the rows for x can be changed while those for y stay.
    - `logits_of`: leads rows to the logits at [x, y, answer]; without `W_E` it is given None.
    - `W_L`: what each neuron writes to each answer; None where that is no table.
    - `neurons_of`: leads rows to the neurons [x, y, neuron] where the answer is read.
    - `written_of`: leads rows to what the neurons hand on.
    - `gradients_of`: pairs x and y, and an answer of each, to gradients.
    - `attention_of`: what the heads do.
    - `broken`: which weights are not finite, "" for none.
    """

    p: int
    W_E: Rows | None = None
    shared: bool = True
    x_alone: bool = True
    logits_of: Callable[[Rows | None], Logits]
    W_L: Table | None = None
    neurons_of: Callable[[Rows | None], Float[np.ndarray, "p p d_mlp"]] | None = None
    written_of: Callable[[Rows | None], Written] | None = None
    gradients_of: (
        Callable[
            [Int[np.ndarray, "pair"], Int[np.ndarray, "pair"], Int[np.ndarray, "pair"]], Gradients
        ]
        | None
    ) = None
    attention_of: Callable[[], Attention] | None = None
    broken: str = ""

    @cached_property
    def embedding(self) -> Table | None:
        """One row per residue: W_E, or where x and y have tables of their own both side by side."""
        if self.W_E is None or self.shared:
            return self.W_E and self.W_E.x
        return np.concatenate(self.W_E, axis=1)

    def rows_of(self, table: Table) -> Rows:
        """Return a table like `embedding` as the rows at x and at y."""
        return Rows(self.of_x(table), self.of_y(table))

    def of_x(self, columns: Float[np.ndarray, "... column"]) -> Float[np.ndarray, "... d_model"]:
        """Return the part that position x reads of columns like those of `embedding`."""
        return columns if self.shared or self.W_E is None else columns[..., : self.W_E.x.shape[1]]

    def of_y(self, columns: Float[np.ndarray, "... column"]) -> Float[np.ndarray, "... d_model"]:
        """Return the part that position y reads."""
        return columns if self.shared or self.W_E is None else columns[..., self.W_E.x.shape[1] :]


def of_model(model: AnyModel, operation_index: int = 0) -> Network:
    """Return a network that grokscope can run, as one to be explained.

    **Arguments:** the network; which operation of a mixture, from 0.

    **Raises:** `UsageError` for an operation that the network has no operator token for.
    """
    known = _Runnable(model, operation_index)
    heads = attention_layers(model) > 0 and _has_attention(model)
    neurons = not isinstance(model, Imported) or model.has_neurons
    return Network(
        p=model.p,
        W_E=known.rows,
        shared=known.shared,
        logits_of=known.logits_of,
        W_L=np.asarray(model.neuron_logit_map, np.float64) if neurons else None,
        neurons_of=known.neurons_of if neurons else None,
        written_of=known.written_of if neurons else None,
        gradients_of=known.gradients_of,
        attention_of=known.attention_of if heads else None,
        broken=not_finite(model),
    )


class _Runnable:
    """A network that grokscope can run, with its inputs."""

    def __init__(self, model: AnyModel, operation_index: int) -> None:
        self.model, self.inputs = model, model.inputs(operation_index)
        self.operation_index = operation_index
        inputs, W_E = self.inputs, np.asarray(model.W_E, np.float64)
        self.rows = Rows(*(W_E[f : f + model.p] for f in (inputs.first_x, inputs.first_y)))
        self.shared = inputs.first_x == inputs.first_y

    def with_rows(self, rows: Rows | None) -> tuple[AnyModel, Int[np.ndarray, "pair pos"]]:
        """Return the network with rows of its own for x and y, and the inputs that read them."""
        # its own rows go the same way, so that one program serves all edits
        given = self.rows if rows is None else rows
        # they stand behind all other tokens
        W_E = jnp.concatenate([self.model.W_E, *(jnp.asarray(r, jnp.float32) for r in given)])
        first = len(self.model.W_E)
        moved = self.inputs.moved(first, first + self.model.p)
        return eqx.tree_at(lambda m: m.W_E, self.model, W_E), moved

    def over_pairs(self, rows: Rows | None, run: Callable[..., Array], size: int) -> np.ndarray:
        """Return what `run` gives of the network and its inputs at [x, y]."""
        found = np.concatenate(list(in_blocks(*self.with_rows(rows), run, size)))
        return found.reshape(self.model.p, self.model.p, -1)

    def logits_of(self, rows: Rows | None) -> Logits:
        """Return the logits of the residues."""
        return self.over_pairs(rows, _logits, _PAIRS_PER_BLOCK)[:, :, : self.model.p]

    def neurons_of(self, rows: Rows | None) -> Float[np.ndarray, "p p d_mlp"]:
        """Return the neurons of the last hidden layer."""
        hidden = last_hidden(self.model)
        return self.over_pairs(rows, lambda m, t: hidden(*m.trace(t)), PAIRS_PER_BLOCK)

    def written_of(self, rows: Rows | None) -> Written:
        """Return what the neurons write to the logits, where that is all they do, or themselves."""
        if isinstance(self.model, Imported) and not self.model.is_linear_behind_neurons:
            return self._into_residual(self.model, rows)
        hidden = last_hidden(self.model)

        def write(model: AnyModel, tokens: Int[Array, "pair pos"]) -> Array:
            return jnp.einsum("nm,cm->nc", hidden(*model.trace(tokens)), model.neuron_logit_map)

        written = self.over_pairs(rows, write, PAIRS_PER_BLOCK)
        direct = self.logits_of(rows) - written
        return Written(written, lambda values: direct + values)

    def _into_residual(self, model: Imported, rows: Rows | None) -> Written:
        """Return what the neurons add to the residual stream; behind it stands a norm."""
        place = f"blocks.{model.layers - 1}"
        W_out = model.weights[f"W_out.{model.layers - 1}"]
        bias = model.weights.get(f"b_out.{model.layers - 1}", 0.0)

        def add(run: Imported, tokens: Int[Array, "pair pos"]) -> Array:
            found = run.trace(tokens)[1]
            parts = found[f"{place}.mlp_post"] @ W_out, found[f"{place}.residual_middle"] + bias
            return jnp.stack([run.where_read(part) for part in parts])

        def both(run: Imported, tokens: Int[Array, "pair pos"]) -> Array:
            return jnp.moveaxis(add(run, tokens), 0, 1).reshape(len(tokens), -1)

        written, direct = np.split(self.over_pairs(rows, both, PAIRS_PER_BLOCK), 2, axis=2)
        end = eqx.filter_jit(lambda model, residual: model.behind_neurons(residual))

        def logits(values: Float[np.ndarray, "p p d_model"]) -> Logits:
            with jax.default_matmul_precision("float32"):
                return np.asarray(end(model, jnp.asarray(direct + values, jnp.float32)))[
                    :, :, : model.p
                ]

        return Written(written, logits)

    def gradients_of(
        self,
        x: Int[np.ndarray, "pair"],
        y: Int[np.ndarray, "pair"],
        answers: Int[np.ndarray, "pair"],
    ) -> Gradients:
        """Return gradients of some answers' logits with respect to both embeddings."""
        tokens = self.inputs.tokens[x * self.model.p + y]
        found = np.asarray(
            _logit_gradient(
                self.model, jnp.asarray(tokens, jnp.int32), jnp.asarray(answers, jnp.int32)
            ),
            np.float64,
        )
        return Gradients(found[:, self.inputs.at_x], found[:, self.inputs.at_y])

    def attention_of(self) -> Attention:
        """Return what the heads of the last block do."""
        patterns = attention_patterns(self.model, operation_index=self.operation_index)
        W_V, W_O = _values_and_outputs(self.model)
        return Attention(patterns, np.matmul(W_V, W_O))


def _has_attention(model: AnyModel) -> bool:
    return not isinstance(model, Imported) or f"W_O.{model.layers - 1}" in model.weights


def _values_and_outputs(
    model: AnyModel,
) -> tuple[Float[np.ndarray, "head d_model d_head"], Float[np.ndarray, "head d_head d_model"]]:
    """W_V and W_O of the last block."""
    if isinstance(model, Transformer):
        found = model.blocks[-1].W_V, model.blocks[-1].W_O
    else:
        last, weights = attention_layers(model) - 1, named_weights(model)
        found = weights[f"W_V.{last}"], weights[f"W_O.{last}"]
    W_V, W_O = (np.asarray(W, np.float64) for W in found)
    return W_V, W_O


def _logits(model: AnyModel, tokens: Int[Array, "pair pos"]) -> Float[Array, "pair class"]:
    return model(tokens)


@eqx.filter_jit
def _logit_gradient(
    model: AnyModel, tokens: Int[Array, "pair pos"], answers: Int[Array, "pair"]
) -> Float[Array, "pair pos d_model"]:
    """Gradient of each pair's logit of its answer with respect to its embeddings."""

    def chosen(change: Float[Array, "pair pos d_model"]) -> Float[Array, ""]:
        logits, _ = model.trace(tokens, {"embedding": lambda embedding: embedding + change})
        # pairs do not touch each other: the gradient of the sum has that of every pair
        return jnp.sum(jnp.take_along_axis(logits, answers[:, None], axis=1))

    with jax.default_matmul_precision("float32"):
        return jax.grad(chosen)(jnp.zeros((*tokens.shape, model.W_E.shape[1])))
