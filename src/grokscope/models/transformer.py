"""The paper's transformer: causal blocks without positions, LayerNorm or biases.

Source: arXiv 2402.16726, Section 3 and Appendix A.
"""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from grokscope.config.run import ModelConfig
from grokscope.models.activations import Edit, Tape
from grokscope.models.initial import normal_matrices
from grokscope.models.tokens import TokenModel, on_batch


class Block(eqx.Module):
    """One block: causal multi-head attention, then a ReLU MLP, both added to the residual."""

    W_Q: Float[Array, "head d_model d_head"]
    W_K: Float[Array, "head d_model d_head"]
    W_V: Float[Array, "head d_model d_head"]
    W_O: Float[Array, "head d_head d_model"]
    W_in: Float[Array, "d_model d_mlp"]
    W_out: Float[Array, "d_mlp d_model"]

    def trace(
        self, residual: Float[Array, "example pos d_model"], tape: Tape, name: str
    ) -> Float[Array, "example pos d_model"]:
        """Run the block on every position, marking each activation as `name`.something."""

        def mark(place: str, value: Array) -> Array:
            return tape.mark(f"{name}.{place}", value)

        query = mark("query", jnp.einsum("nsd,hdk->nshk", residual, self.W_Q))
        key = mark("key", jnp.einsum("nsd,hdk->nshk", residual, self.W_K))
        value = mark("value", jnp.einsum("nsd,hdk->nshk", residual, self.W_V))
        # scores_qk = q·k / √d_head; a position sees itself and those before it
        scores = jnp.einsum("nqhk,nshk->nhqs", query, key) / query.shape[-1] ** 0.5
        pattern = mark("pattern", jax.nn.softmax(_causal(mark("scores", scores)), axis=-1))
        mixed = mark("mixed", jnp.einsum("nhqs,nshk->nqhk", pattern, value))
        moved = mark("head_output", jnp.einsum("nqhk,hkd->nqhd", mixed, self.W_O))
        residual = mark("residual_middle", residual + moved.sum(axis=2))
        before = mark("mlp_pre", residual @ self.W_in)
        after = mark("mlp_post", jax.nn.relu(before))
        return mark("residual_after", residual + after @ self.W_out)


def _causal(scores: Float[Array, "example head pos pos"]) -> Float[Array, "example head pos pos"]:
    seen = jnp.tril(jnp.ones(scores.shape[-2:], bool))
    return jnp.where(seen[None, None], scores, -jnp.inf)


class Transformer(TokenModel):
    """Tokens x, op, y in, logits over the p residues out, read at the last position.

    Operator tokens can be read but never answered: the class axis has p entries, so that
    W_U and W_L are tables over residues. Its activations are `embedding`; for each block `query`,
    `key`, `value`, `scores`, `pattern`, `mixed`, `head_output`, `residual_middle`, `mlp_pre`,
    `mlp_post`, `residual_after`; and `logits`.
    """

    W_E: Float[Array, "token d_model"]
    blocks: tuple[Block, ...]
    W_U: Float[Array, "d_model class"]

    def __init__(self, config: ModelConfig, p: int, n_tokens: int, key: PRNGKeyArray) -> None:
        d, h, k, m = config.d_model, config.heads, config.d_head, config.d_mlp
        block = [(h, d, k), (h, d, k), (h, d, k), (h, k, d), (d, m), (m, d)]
        n = len(block)
        of_W_E, of_W_U, *of_blocks = jax.random.split(key, config.layers + 2)
        # Every matrix ~ N(0, 1/d_model), W_out included; but W_E ~ N(0, 1/tokens).
        self.W_E, self.W_U, *matrices = normal_matrices(
            [of_W_E, of_W_U, *(key for each in of_blocks for key in jax.random.split(each, n))],
            [(n_tokens, d), (d, p), *block * config.layers],
            [n_tokens**-0.5, *[d**-0.5] * (1 + n * config.layers)],
        )
        self.blocks = tuple(Block(*matrices[i : i + n]) for i in range(0, len(matrices), n))

    def __call__(self, tokens: Any) -> Float[Array, "... class"]:
        """Return the logits, on the fast path where the network has a single block.

        **Arguments:** as for `trace`.

        **Raises:** `UsageError` for tokens that the network does not have.
        """
        if len(self.blocks) > 1:
            return self.trace(tokens)[0]
        return on_batch(tokens, self.W_E, self.W_U, lambda batch: _one_block_logits(self, batch))

    def _trace(
        self, tokens: Int[Array, "example pos"], edits: Mapping[str, Edit] | None
    ) -> tuple[Float[Array, "example class"], dict[str, Array]]:
        tape = Tape(edits)
        residual = tape.mark("embedding", self.W_E[tokens])
        for i, block in enumerate(self.blocks):
            residual = block.trace(residual, tape, f"blocks.{i}")
        logits = tape.mark("logits", residual[:, -1] @ self.W_U)
        return logits, tape.close()

    @property
    def hidden(self) -> str:
        """Name of the neurons of the last hidden layer."""
        return f"blocks.{len(self.blocks) - 1}.mlp_post"

    @property
    def neuron_logit_map(self) -> Float[Array, "class d_mlp"]:
        """W_L = W_U·W_out of the last block: what each neuron writes to each answer."""
        # In this order of operands XLA forms the gradient of W_L twice as fast.
        return jnp.einsum("dc,md->cm", self.W_U, self.blocks[-1].W_out)


def _one_block_logits(
    model: Transformer, tokens: Int[Array, "example pos"]
) -> Float[Array, "example class"]:
    """Logits of a one-block transformer without work that the answer does not need.

    A token's query, key and value do not depend on its pair, so they are computed once per
    token; the MLP runs at the last position only; neurons write to the logits through W_L.
    """
    block = model.blocks[0]
    query = jnp.einsum("td,hdk->thk", model.W_E, block.W_Q)
    key = jnp.einsum("td,hdk->thk", model.W_E, block.W_K)
    value = jnp.einsum("td,hdk->thk", model.W_E, block.W_V)
    scores = jnp.einsum("qhk,shk->qsh", query, key) / query.shape[-1] ** 0.5

    last = tokens[:, -1]
    pattern = jax.nn.softmax(scores[last[:, None], tokens], axis=1)
    mixed = sum(
        pattern[:, i, :, None] * value[tokens[:, i]] for i in range(tokens.shape[1])
    )  # Σ_position pattern · value
    d_model = model.W_E.shape[1]
    moved = jnp.reshape(mixed, (len(tokens), -1)) @ jnp.reshape(block.W_O, (-1, d_model))
    residual = model.W_E[last] + moved
    neurons = jax.nn.relu(residual @ block.W_in)
    return residual @ model.W_U + neurons @ model.neuron_logit_map.T
