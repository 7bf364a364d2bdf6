"""The same training in PyTorch, as an ordinary and as an informed user write it: the peers."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import nn
from torch.nn import functional

from benchmarks.apart import cores
from grokscope.config.optimizer import OptimizerConfig
from grokscope.config.run import ModelConfig

Weights = Mapping[str, np.ndarray]


class Peer(nn.Module):
    """The paper's transformer: one causal block over x, op, y, without biases or positions."""

    def __init__(self, config: ModelConfig, p: int, n_tokens: int) -> None:
        super().__init__()
        d = config.d_model
        self.heads = config.heads
        self.embedding = nn.Embedding(n_tokens, d)
        self.query_key_value = nn.Linear(d, 3 * d, bias=False)
        self.output = nn.Linear(d, d, bias=False)
        self.mlp_in = nn.Linear(d, config.d_mlp, bias=False)
        self.mlp_out = nn.Linear(config.d_mlp, d, bias=False)
        self.unembedding = nn.Linear(d, p, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the logits at the last position."""
        residual = self.embedding(tokens)
        split = self.query_key_value(residual).unflatten(-1, (3, self.heads, -1))
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        residual = residual + self.output(mixed.transpose(1, 2).flatten(2))
        residual = residual + self.mlp_out(functional.relu(self.mlp_in(residual)))
        return self.unembedding(residual[:, -1])


class InformedPeer(Peer):
    """The same network by somebody who knows what the answer needs, as our own fast path does.

    Query, key and value are formed once per token, attention and MLP run at the last position, and
    neurons write to the logits through W_L = W_U·W_out.
    """

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the logits at the last position."""
        table = self.embedding.weight
        query, key, value = self.query_key_value(table).unflatten(-1, (3, self.heads, -1)).unbind(1)
        scores = torch.einsum("qhk,shk->qsh", query, key) / query.shape[-1] ** 0.5
        last = tokens[:, -1]
        pattern = scores[last[:, None], tokens].softmax(dim=1)
        mixed = (pattern[..., None] * value[tokens]).sum(dim=1)
        residual = table[last] + self.output(mixed.flatten(1))
        neurons = functional.relu(self.mlp_in(residual))
        neuron_logit_map = self.unembedding.weight @ self.mlp_out.weight
        return self.unembedding(residual) + neurons @ neuron_logit_map.T


class PeerTraining:
    """Trains `n_steps` further with every call.

    **Arguments:**

    - `weights`: the matrices of a one-block `Transformer` by name.
    - `tokens`, `labels`: the training examples.
    - `compiled`: whether forward, loss and backward go through `torch.compile`.
    - `informed`: whether it is the `InformedPeer`, with its loss in float32.
    """

    def __init__(
        self,
        model: ModelConfig,
        optimizer: OptimizerConfig,
        weights: Weights,
        tokens: Int[np.ndarray, "example pos"],
        labels: Int[np.ndarray, "example"],
        n_steps: int,
        *,
        compiled: bool,
        informed: bool,
    ) -> None:
        torch.set_num_threads(cores())
        kind = InformedPeer if informed else Peer
        self.peer = kind(model, weights["W_U"].shape[1], len(weights["W_E"]))
        self.precision = torch.float32 if informed else torch.float64
        state = {name: torch.tensor(W) for name, W in in_torch_layout(weights).items()}
        self.peer.load_state_dict(state)
        self.tokens, self.labels = torch.tensor(tokens).long(), torch.tensor(labels).long()
        self.loss = torch.compile(self._loss) if compiled else self._loss
        self.n_steps = n_steps
        self.optimizer = torch.optim.AdamW(
            self.peer.parameters(),
            lr=optimizer.learning_rate,
            betas=(optimizer.beta1, optimizer.beta2),
            weight_decay=optimizer.weight_decay,
            fused=True,
        )

    def __call__(self) -> None:
        for _ in range(self.n_steps):
            self.optimizer.zero_grad(set_to_none=True)
            self.loss().backward()
            self.optimizer.step()

    def loss_and_gradients(self) -> tuple[float, dict[str, np.ndarray]]:
        """Return the loss and its gradients, in the layout of `in_torch_layout`."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss()
        loss.backward()
        named = self.peer.named_parameters()
        return loss.item(), {name: W.grad.numpy() for name, W in named if W.grad is not None}

    def _loss(self) -> torch.Tensor:
        # float64, as the paper: float32 loses the gradient of a confident prediction, which the
        # informed one puts up with
        return functional.cross_entropy(self.peer(self.tokens).to(self.precision), self.labels)


def in_torch_layout(weights: Weights) -> dict[str, Float[np.ndarray, "..."]]:
    """Return a transformer's matrices, or their gradients, by the names and shapes of `Peer`."""

    def joined(name: str) -> np.ndarray:
        """(head, d_model, d_head) → (head · d_head, d_model)"""
        return weights[name].transpose(0, 2, 1).reshape(-1, weights[name].shape[1])

    W_O = weights["W_O"]
    return {
        "embedding.weight": weights["W_E"],
        "query_key_value.weight": np.concatenate([joined(n) for n in ("W_Q", "W_K", "W_V")]),
        "output.weight": W_O.reshape(-1, W_O.shape[-1]).T,
        "mlp_in.weight": weights["W_in"].T,
        "mlp_out.weight": weights["W_out"].T,
        "unembedding.weight": weights["W_U"].T,
    }
