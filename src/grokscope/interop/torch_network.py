"""A network of ours, or an imported one, as a PyTorch module with the same answers."""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from grokscope.config.imported import ImportedConfig
from grokscope.models import AnyModel, wiring_of


class _Pass:
    """The forward pass on tensors of PyTorch, which is imported only where it is used."""

    def __init__(
        self, config: ImportedConfig, find: Callable[[str], Any], names: Collection[str]
    ) -> None:
        self.config, self._find, self._names = config, find, names
        ends = (name.split(".") for name in names if name.startswith(("W_in.", "b_in.", "W_O.")))
        self._layers = 1 + max((int(end[1]) for end in ends), default=0)

    def logits(self, tokens: Any, neurons: Callable[[Any], Any]) -> Any:
        """Return the logits; `neurons` is handed those of the last hidden layer."""
        embedded = self._weight("W_E")[tokens]
        if self.config.kind == "mlp":
            return self._mlp(embedded, neurons)
        positions = self._find("W_pos")
        residual = embedded if positions is None else embedded + positions[: tokens.shape[1]]
        for i in range(self._layers):
            residual = self._block(residual, i, neurons if i == self._layers - 1 else None)
        read = self.config.read
        final = self._norm(residual if isinstance(read, str) else residual[:, read], "norm")
        final = final.mean(dim=1) if isinstance(read, str) else final
        return self._biased(final @ self._weight("W_U"), "b_U")

    def _block(self, residual: Any, i: int, neurons: Callable[[Any], Any] | None) -> Any:
        after = self.config.norm_place == "after"
        if self._find(f"W_O.{i}") is not None:
            read = residual if after else self._norm(residual, f"norm1.{i}")
            residual = read if self.config.norm_place == "stream" else residual
            residual = residual + self._attention(read, i)
            residual = self._norm(residual, f"norm1.{i}") if after else residual
        if self._find(f"W_in.{i}") is None:
            return residual
        read = residual if after else self._norm(residual, f"norm2.{i}")
        post = self._neurons(read, i)
        post = post if neurons is None else neurons(post)
        residual = residual + self._biased(post @ self._weight(f"W_out.{i}"), f"b_out.{i}")
        return self._norm(residual, f"norm2.{i}") if after else residual

    def _neurons(self, read: Any, i: int) -> Any:
        pre = self._biased(read @ self._weight(f"W_in.{i}"), f"b_in.{i}")
        if self._find(f"W_gate.{i}") is None:
            return self._active(pre)
        return self._active(self._biased(read @ self._weight(f"W_gate.{i}"), f"b_gate.{i}")) * pre

    def _attention(self, read: Any, i: int) -> Any:
        import torch

        query, key, value = (
            self._biased(
                torch.einsum("nsd,hdk->nshk", read, self._weight(f"W_{one}.{i}")), f"b_{one}.{i}"
            )
            for one in "QKV"
        )
        scale = self.config.attention_scale or query.shape[-1] ** -0.5
        scores = torch.einsum("nqhk,nshk->nhqs", query, key) * scale
        if self.config.causal:
            seen = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
            scores = scores.masked_fill(~seen, -torch.inf)
        mix = self.config.attention_mix
        pattern = mix * scores.softmax(dim=-1) + (1 - mix)
        mixed = torch.einsum("nhqs,nshk->nqhk", pattern, value)
        moved = torch.einsum("nqhk,hkd->nqd", mixed, self._weight(f"W_O.{i}"))
        return self._biased(moved, f"b_O.{i}")

    def _mlp(self, embedded: Any, neurons: Callable[[Any], Any]) -> Any:
        flat = {
            "concatenate": lambda: embedded.flatten(1),
            "sum": lambda: embedded.sum(dim=1),
            "multiply": lambda: embedded.prod(dim=1),
        }[self.config.combine]()
        for i in range(self._layers):
            W_in = self._find(f"W_in.{i}")
            joined = flat if W_in is None else flat @ W_in
            flat = self._active(self._biased(joined, f"b_in.{i}"))
        return self._biased(neurons(flat) @ self._weight("W_U"), "b_U")

    def _norm(self, values: Any, name: str) -> Any:
        kind, dot, block = name.partition(".")
        weighted = {name.partition("_")[0] for name in self._names if name.startswith("norm")}
        if self.config.norm == "none" or (weighted and kind not in weighted):
            return values
        if self.config.norm == "layer":
            values = values - values.mean(dim=-1, keepdim=True)
        size = (values**2).mean(dim=-1, keepdim=True) + self.config.norm_epsilon
        values = values / size.sqrt()
        gain = self._find(f"{kind}_w{dot}{block}")
        values = values if gain is None else values * gain
        return self._biased(values, f"{kind}_b{dot}{block}")

    def _biased(self, values: Any, name: str) -> Any:
        bias = self._find(name)
        return values if bias is None else values + bias

    def _weight(self, name: str) -> Any:
        return self._find(name)

    def _active(self, values: Any) -> Any:
        from torch.nn import functional

        name = self.config.activation
        if name in ("gelu", "gelu_tanh"):
            return functional.gelu(values, approximate="none" if name == "gelu" else "tanh")
        plain = {"relu": functional.relu, "silu": functional.silu, "square": lambda a: a * a}
        return plain.get(name, lambda a: a)(values)


def torch_network(model: AnyModel, operation_index: int = 0) -> Any:
    """Return a network as a PyTorch module: tokens (pair, position) in, logits (pair, class) out.

        >>> import torch
        >>> module = net.to_torch()
        >>> module(torch.tensor([[3, 23, 4]])).shape
        torch.Size([1, 23])

    Parameters have the field's names with a dash for the dot, as `W_Q-0`; `neurons` is a place to
    hook the neurons of the last hidden layer.

    **Arguments:** the network; which operation of a mixture, whose token is in the inputs, from 0.
    """
    from torch import from_numpy, nn

    config, weights = wiring_of(model, operation_index)

    class TorchNetwork(nn.Module):
        """A network that grokscope holds."""

        def __init__(self) -> None:
            super().__init__()
            self.config, self.neurons = config, nn.Identity()
            for name, W in weights.items():
                values = from_numpy(np.array(W, np.float32))
                self.register_parameter(name.replace(".", "-"), nn.Parameter(values))

        def forward(self, tokens: Any) -> Any:
            """Return the logits."""
            known = dict(self.named_parameters())
            run = _Pass(config, lambda name: known.get(name.replace(".", "-")), weights)
            return run.logits(tokens, self.neurons)

    return TorchNetwork()
