"""The MLP of the authors' code: a shared embedding, a summed projection, hidden ReLU layers.

Source: arXiv 2402.16726, Appendix; the published code's `MLP` (no biases).
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from grokscope.config.run import ModelConfig
from grokscope.models.activations import Edit, Tape
from grokscope.models.initial import normal_matrices
from grokscope.models.tokens import TokenModel, on_batch


class MLP(TokenModel):
    """Tokens x, op, y in, logits over the p residues out; every matrix ~ N(0, 1/fan-in).

    Its activations are `embedding`, `input_pre`, `input_post`, `hidden.0.pre`, `hidden.0.post` …,
    `output`, `logits`.
    """

    W_E: Float[Array, "token d_embedding"]
    W_in: Float[Array, "d_embedding d_mlp"]
    W_hidden: tuple[Float[Array, "d_mlp d_mlp"], ...]
    W_out: Float[Array, "d_mlp d_embedding"]
    W_U: Float[Array, "d_embedding class"]

    def __init__(self, config: ModelConfig, p: int, n_tokens: int, key: PRNGKeyArray) -> None:
        e, m = config.d_embedding, config.d_model
        shapes = [(n_tokens, e), (e, m), *[(m, m)] * config.layers, (m, e), (e, p)]
        self.W_E, self.W_in, *hidden, self.W_out, self.W_U = normal_matrices(
            list(jax.random.split(key, len(shapes))), shapes, [shape[0] ** -0.5 for shape in shapes]
        )
        self.W_hidden = tuple(hidden)

    def __call__(self, tokens: Any) -> Float[Array, "... class"]:
        """Return the logits; the input projection is computed once per token.

        **Arguments:** as for `trace`.

        **Raises:** `UsageError` for tokens that the network does not have.
        """
        return on_batch(tokens, self.W_E, self.W_U, self._logits)

    def _logits(self, tokens: Int[Array, "example pos"]) -> Float[Array, "example class"]:
        neurons = jax.nn.relu(jnp.sum((self.W_E @ self.W_in)[tokens], axis=1))
        for W in self.W_hidden:
            neurons = jax.nn.relu(neurons @ W)
        return neurons @ self.neuron_logit_map.T

    def _trace(
        self, tokens: Int[Array, "example pos"], edits: Mapping[str, Edit] | None
    ) -> tuple[Float[Array, "example class"], dict[str, Array]]:
        tape = Tape(edits)
        embedded = tape.mark("embedding", self.W_E[tokens])
        before = tape.mark("input_pre", jnp.sum(embedded @ self.W_in, axis=1))
        neurons = tape.mark("input_post", jax.nn.relu(before))
        for i, W in enumerate(self.W_hidden):
            before = tape.mark(f"hidden.{i}.pre", neurons @ W)
            neurons = tape.mark(f"hidden.{i}.post", jax.nn.relu(before))
        output = tape.mark("output", neurons @ self.W_out)
        logits = tape.mark("logits", output @ self.W_U)
        return logits, tape.close()

    @property
    def hidden(self) -> str:
        """Name of the neurons of the last hidden layer."""
        return f"hidden.{len(self.W_hidden) - 1}.post"

    @property
    def neuron_logit_map(self) -> Float[Array, "class d_mlp"]:
        """W_L = W_U·W_out: what each neuron of the last hidden layer writes to each answer."""
        return (self.W_out @ self.W_U).T
