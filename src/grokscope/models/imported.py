"""Networks that somebody else trained: transformers and MLPs with what ours do not have.

Positions, biases, LayerNorm, GELU, gates, "=" tokens, several blocks, tables of their own for x and
y, one-hot inputs. Their matrices have one orientation here, whatever the file had.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from grokscope.config.imported import ImportedConfig
from grokscope.errors import UsageError
from grokscope.models.activations import Edit, Tape
from grokscope.models.tokens import Inputs, on_batch

ACTIVATIONS: Final[dict[str, Callable[[Array], Array]]] = {
    "relu": jax.nn.relu,
    "gelu": lambda a: jax.nn.gelu(a, approximate=False),
    "gelu_tanh": lambda a: jax.nn.gelu(a, approximate=True),
    "silu": jax.nn.silu,
    "square": jnp.square,
    "identity": lambda a: a,
}
AXES: Final = {
    "W_E": ("token", "d_model"),
    "W_pos": ("position", "d_model"),
    "norm1_w": ("d_model",),
    "norm1_b": ("d_model",),
    "W_Q": ("head", "d_model", "d_head"),
    "b_Q": ("head", "d_head"),
    "W_K": ("head", "d_model", "d_head"),
    "b_K": ("head", "d_head"),
    "W_V": ("head", "d_model", "d_head"),
    "b_V": ("head", "d_head"),
    "W_O": ("head", "d_head", "d_model"),
    "b_O": ("d_model",),
    "norm2_w": ("d_model",),
    "norm2_b": ("d_model",),
    "W_in": ("d_in", "neuron"),
    "b_in": ("neuron",),
    "W_gate": ("d_in", "neuron"),
    "b_gate": ("neuron",),
    "W_out": ("neuron", "d_model"),
    "b_out": ("d_model",),
    "norm_w": ("d_model",),
    "norm_b": ("d_model",),
    "W_U": ("d_model", "class"),
    "b_U": ("class",),
}
"""Every matrix that a network may have, with its axes; those of a block end in its number, as
`W_Q.0`, and so do the layers of an MLP, as `W_in.1`."""
OF_A_BLOCK: Final = tuple(list(AXES)[2:-4])
"""Those that each block has; an MLP's layers have `W_in` and `b_in` of them."""


class Imported(eqx.Module):
    """A network that somebody else trained.

    **Arguments:**

    - `W_E`: the embedding, or of a network with one-hot inputs its first weights.
    - `W_U`: the unembedding, with answers that are no residues.
    - `weights`: the rest, by the names of `AXES`; what is not there is left out of the computation.
    - `config`: how it is wired.
    """

    W_E: Float[Array, "token d_model"]
    W_U: Float[Array, "... class"]
    weights: dict[str, Array]
    config: ImportedConfig = eqx.field(static=True)

    @property
    def layers(self) -> int:
        """Number of blocks, or of hidden layers."""
        names = [name for name in self.weights if name.startswith(("W_in.", "b_in.", "W_O."))]
        # rows that are added up may be a hidden layer without further weights
        least = 0 if self.config.kind == "mlp" else -1
        return 1 + max((int(name.rpartition(".")[2]) for name in names), default=least)

    @property
    def read(self) -> int | None:
        """Position at which the answer is read; None for the mean over all."""
        read = self.config.read
        return None if isinstance(read, str) else read % len(self.config.tokens)

    def where_read(self, values: Float[Array, "example pos column"]) -> Float[Array, "example ..."]:
        """Return what stands where the answer is read; for the mean, all positions side by side."""
        return values.reshape(len(values), -1) if self.read is None else values[:, self.read]

    @property
    def p(self) -> int:
        """Number of residues; answers beyond them are none."""
        return self.config.p

    @property
    def residues(self) -> Float[Array, "p d_model"]:
        """The rows of W_E that stand for residues at x."""
        first = self.config.first("x")
        return self.W_E[first : first + self.p]

    def inputs(self, operation_index: int = 0) -> Inputs:
        """Return the inputs of all pairs; it was trained on one operation, the first."""
        if operation_index:
            raise UsageError("no such operation", got=operation_index, allowed="0")
        config = self.config
        x, y = np.divmod(np.arange(config.p**2), config.p)
        values = {"x": x, "y": y, None: np.zeros_like(x)}
        tokens = np.stack([values[t.residue] + t.first for t in config.places], axis=1)
        at_x, at_y = config.at("x"), config.at("y")
        return Inputs(tokens.astype(np.int32), at_x, at_y, config.first("x"), config.first("y"))

    def __call__(self, tokens: Any) -> Float[Array, "... class"]:
        """Return the logits, on a fast path where a single block is read at one position.

        **Arguments:** as for `trace`.
        """
        is_plain = self.config.kind == "transformer" and self.layers == 1 and self.read is not None
        if not is_plain or "W_O.0" not in self.weights:
            return self.trace(tokens)[0]
        n = len(self.config.tokens)
        return on_batch(tokens, self.W_E, self.W_U, self._one_block_logits, n)

    def trace(
        self, tokens: Any, edits: Mapping[str, Edit] | None = None
    ) -> tuple[Float[Array, "... class"], dict[str, Array]]:
        """Run the forward pass, with every activation named and editable.

        **Arguments:**

        - `tokens`: what stands at each position, of each example or of one alone.
        - `edits`: functions by the name of an activation.

        **Returns:** logits over all answers, and all activations by name, those of `Transformer` or
        `MLP`.

        **Raises:** `UsageError` for tokens and activations that the network does not have.
        """

        run = self._transformer if self.config.kind == "transformer" else self._mlp

        def traced(batch: Int[Array, "example pos"]) -> tuple[Array, dict[str, Array]]:
            tape = Tape(edits)
            logits = tape.mark("logits", run(tape.mark("embedding", self.W_E[batch]), tape))
            return logits, tape.close()

        return on_batch(tokens, self.W_E, self.W_U, traced, len(self.config.tokens))

    def _transformer(
        self, residual: Float[Array, "example pos d_model"], tape: Tape
    ) -> Float[Array, "example class"]:
        if "W_pos" in self.weights:
            residual = residual + self.weights["W_pos"][None, : residual.shape[1]]
        for i in range(self.layers):
            residual = self._block(residual, tape, i)
        return self._unembedded(residual if self.read is None else residual[:, self.read])

    def _one_block_logits(self, tokens: Int[Array, "example pos"]) -> Float[Array, "example class"]:
        """Logits without work that the answer does not need.

        What a token is at a position does not depend on its pair, so that query, key and value
        are computed once for each; attention and MLP run where the answer is read.
        """
        weights, at, n = self.weights, self.read, tokens.shape[1]
        assert at is not None
        rows = jnp.broadcast_to(self.W_E, (n, *self.W_E.shape))
        if "W_pos" in weights:
            rows = rows + weights["W_pos"][:n, None]
        rows, read = self._before_attention(rows, 0)
        query = self._projected(read[at], "Q", 0)[tokens[:, at]]
        places = jnp.arange(n)
        key, value = (self._projected(read, one, 0)[places, tokens] for one in "KV")
        scores = jnp.einsum("nhk,nshk->nhs", query, key)
        pattern = self._pattern(scores, places <= at, query.shape[-1])
        mixed = jnp.einsum("nhs,nshk->nhk", pattern, value)
        moved = jnp.einsum("nhk,hkd->nd", mixed, weights["W_O.0"])
        residual = rows[at, tokens[:, at]] + self._with_bias(moved, "b_O.0")
        residual = self._behind(residual, "norm1", 0)
        if not self.has_neurons:
            return self._unembedded(residual)
        return self.behind_neurons(residual + self._added(residual, 0))

    def _unembedded(self, residual: Float[Array, "... d_model"]) -> Float[Array, "... class"]:
        """Logits of the residual stream where it is read; of all positions, for their mean."""
        normed = self._norm(residual, "norm")
        normed = normed.mean(axis=-2) if self.read is None else normed
        return self._with_bias(normed @ self.W_U, "b_U")

    def behind_neurons(self, residual: Float[Array, "... column"]) -> Float[Array, "... class"]:
        """Return the logits of the residual stream right behind the last block's neurons.

        **Arguments:** the stream `where_read`.
        """
        if self.read is None:
            n = len(self.config.tokens)
            residual = residual.reshape(*residual.shape[:-1], n, -1)
        return self._unembedded(self._behind(residual, "norm2", self.layers - 1))

    def _before_attention(
        self, residual: Float[Array, "... d_model"], i: int
    ) -> tuple[Float[Array, "... d_model"], Float[Array, "... d_model"]]:
        """The residual stream, and what attention reads of it."""
        if self.config.norm_place == "after":
            return residual, residual
        normed = self._norm(residual, "norm1", i)
        return normed if self.config.norm_place == "stream" else residual, normed

    def _behind(self, residual: Float[Array, "... d_model"], name: str, i: int) -> Array:
        """The residual stream behind attention or MLP, normed where norms stand there."""
        return self._norm(residual, name, i) if self.config.norm_place == "after" else residual

    def _block(
        self, residual: Float[Array, "example pos d_model"], tape: Tape, i: int
    ) -> Float[Array, "example pos d_model"]:
        name = f"blocks.{i}"
        if f"W_O.{i}" in self.weights:
            residual, read = self._before_attention(residual, i)
            query, key, value = (
                tape.mark(f"{name}.{place}", self._projected(read, letter, i))
                for place, letter in (("query", "Q"), ("key", "K"), ("value", "V"))
            )
            scores = tape.mark(f"{name}.scores", jnp.einsum("nqhk,nshk->nhqs", query, key))
            n = scores.shape[-1]
            seen = jnp.tril(jnp.ones((n, n), bool))
            pattern = tape.mark(f"{name}.pattern", self._pattern(scores, seen, query.shape[-1]))
            mixed = tape.mark(f"{name}.mixed", jnp.einsum("nhqs,nshk->nqhk", pattern, value))
            moved = jnp.einsum("nqhk,hkd->nqhd", mixed, self.weights[f"W_O.{i}"])
            moved = tape.mark(f"{name}.head_output", moved).sum(axis=2)
            residual = self._behind(residual + self._with_bias(moved, f"b_O.{i}"), "norm1", i)
        residual = tape.mark(f"{name}.residual_middle", residual)
        if f"W_in.{i}" in self.weights:
            residual = self._behind(residual + self._added(residual, i, tape), "norm2", i)
        return tape.mark(f"{name}.residual_after", residual)

    def _pattern(
        self, scores: Float[Array, "..."], seen: Bool[Array, "..."], d_head: int
    ) -> Float[Array, "..."]:
        """Attention weights of products of query and key, over the last axis."""
        scores = scores * (self.config.attention_scale or d_head**-0.5)
        if self.config.causal:
            scores = jnp.where(_over(scores, seen), scores, -jnp.inf)
        soft, mix = jax.nn.softmax(scores, axis=-1), self.config.attention_mix
        # c·softmax + 1 − c
        return soft if mix == 1 else mix * soft + (1 - mix)

    def _added(
        self, residual: Float[Array, "... d_model"], i: int, tape: Tape | None = None
    ) -> Float[Array, "... d_model"]:
        """What the MLP of a block adds."""
        tape = tape or Tape()
        after = self.config.norm_place == "after"
        read = residual if after else self._norm(residual, "norm2", i)
        pre = self._with_bias(read @ self.weights[f"W_in.{i}"], f"b_in.{i}")
        pre, active = tape.mark(f"blocks.{i}.mlp_pre", pre), ACTIVATIONS[self.config.activation]
        if f"W_gate.{i}" in self.weights:
            gate = self._with_bias(read @ self.weights[f"W_gate.{i}"], f"b_gate.{i}")
            post = tape.mark(f"blocks.{i}.mlp_gate", active(gate)) * pre
        else:
            post = active(pre)
        post = tape.mark(f"blocks.{i}.mlp_post", post)
        return self._with_bias(post @ self.weights[f"W_out.{i}"], f"b_out.{i}")

    def _projected(
        self, rows: Float[Array, "... d_model"], letter: str, i: int
    ) -> Float[Array, "... head d_head"]:
        """Query, key or value of each head."""
        found = jnp.einsum("...d,hdk->...hk", rows, self.weights[f"W_{letter}.{i}"])
        return self._with_bias(found, f"b_{letter}.{i}")

    def _mlp(
        self, embedded: Float[Array, "example pos d_model"], tape: Tape
    ) -> Float[Array, "example class"]:
        flat = {
            "concatenate": lambda: embedded.reshape(len(embedded), -1),
            "sum": lambda: embedded.sum(axis=1),
            "multiply": lambda: embedded.prod(axis=1),
        }[self.config.combine]()
        for i in range(self.layers):
            # what is added up may be the first layer's weights already
            joined = flat @ self.weights[f"W_in.{i}"] if f"W_in.{i}" in self.weights else flat
            pre = tape.mark(f"hidden.{i}.pre", self._with_bias(joined, f"b_in.{i}"))
            flat = tape.mark(f"hidden.{i}.post", ACTIVATIONS[self.config.activation](pre))
        return self._with_bias(flat @ self.W_U, "b_U")

    def _with_bias(self, values: Array, name: str) -> Array:
        return values + _over(values, self.weights[name]) if name in self.weights else values

    def _norm(self, values: Array, name: str, i: int | None = None) -> Array:
        """Norm the last axis, and scale and move it where there are weights for that."""
        if not self._norms(name):
            return values
        end = "" if i is None else f".{i}"
        if self.config.norm == "layer":
            values = values - values.mean(axis=-1, keepdims=True)
        size = jnp.mean(values**2, axis=-1, keepdims=True) + self.config.norm_epsilon
        values = values / jnp.sqrt(size)
        if f"{name}_w{end}" in self.weights:
            values = values * _over(values, self.weights[f"{name}_w{end}"])
        return self._with_bias(values, f"{name}_b{end}")

    def _norms(self, name: str) -> bool:
        """Whether there is a norm of this name: one with weights, or where no norm has any, all."""
        weighted = {key.partition("_")[0] for key in self.weights if key.startswith("norm")}
        return self.config.norm != "none" and (not weighted or name in weighted)

    @property
    def has_neurons(self) -> bool:
        """Whether the last block has an MLP; without, no claim on neurons can be tested."""
        return self.config.kind == "mlp" or f"W_in.{self.layers - 1}" in self.weights

    @property
    def hidden(self) -> str:
        """Name of the neurons of the last hidden layer."""
        if self.config.kind == "mlp":
            return f"hidden.{self.layers - 1}.post"
        return f"blocks.{self.layers - 1}.mlp_post"

    @property
    def is_linear_behind_neurons(self) -> bool:
        """Whether logits are a linear function of the neurons of the last hidden layer."""
        return self.config.kind == "mlp" or self.config.norm == "none"

    @property
    def neuron_logit_map(self) -> Float[Array, "p d_mlp"]:
        """W_L: what each neuron of the last hidden layer writes to each residue.

        Behind a norm it is that up to the size that the norm divides by, which depends on the
        pair: the mean over the residual stream is taken out and the gain is folded in. A network
        that reads the mean over positions has the neurons of each.
        """
        if self.config.kind == "mlp":
            return self.W_U.T[: self.p]
        if not self.has_neurons:
            return jnp.zeros((self.p, 0))
        written = self.weights[f"W_out.{self.layers - 1}"]
        config, last = self.config, f".{self.layers - 1}"
        names = ["norm2", "norm"] if config.norm_place == "after" else ["norm"]
        for name in filter(self._norms, names):
            if config.norm == "layer":
                written = written - written.mean(axis=1, keepdims=True)
            gain = f"{name}_w{last if name == 'norm2' else ''}"
            if gain in self.weights:
                written = written * self.weights[gain][None]
        W_L, n = (written @ self.W_U).T[: self.p], len(config.tokens)
        return W_L if self.read is not None else jnp.tile(W_L / n, (1, n))


def _over(values: Array, last: Array) -> Array:
    """Return an array as one with axes of length 1 before its own, as many as `values` has more."""
    return jnp.expand_dims(last, tuple(range(values.ndim - last.ndim)))
