"""A model of TransformerLens as a network to be explained: its parts are found by name."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from grokscope.errors import UsageError
from grokscope.explanation.network import Network
from grokscope.interop.torch_module import network_of_module

_PARTS: Final = ("cfg", "hook_dict", "embed", "blocks", "unembed")
"""What a HookedTransformer (until 3.x) and a TransformerBridge (since 3.0) both have."""
_LARGE: Final = 1000.0
"""Root mean square of what a norm is probed with, so that its epsilon does not matter."""


def network_of_transformer_lens(
    model: Any,
    p: int,
    *,
    tokens: Callable[[Any, Any], Any] | None = None,
    position: int = -1,
) -> Network:
    """Return a model of TransformerLens as a network to be explained.

    It runs as it stands, by `network_of_module`; TransformerLens itself is not imported.

    **Arguments:**

    - `model`: a HookedTransformer or a TransformerBridge.
    - `p`: number of residues.
    - `tokens`: leads x and y, integer tensors, to what stands at each position; by default x, y
      and the token p.
    - `position`: where the answer is read.

    **Raises:** `UsageError` for what is no such model, and inputs that it does not take.
    """
    _require_lens(model)
    chosen = tokens if tokens is not None else lambda x, y: (x, y, p)
    last = len(model.blocks) - 1
    return network_of_module(
        _whole(model),
        p,
        tokens=_fitting(chosen, model.cfg),
        embedding="lens.embed",
        neurons=_neurons(model, last),
        position=position,
        W_L=_neuron_logit_map(model, last),
    )


def _require_lens(model: Any) -> None:
    if all(hasattr(model, name) for name in _PARTS) and len(model.blocks):
        return
    raise UsageError(
        "this is no model of TransformerLens",
        got=type(model).__name__,
        allowed="a HookedTransformer or a TransformerBridge",
        next_step="other modules go to gs.Network.from_torch, files to grokscope import",
    )


def _whole(model: Any) -> Any:
    """Return the model with all its parts in reach.

    A bridge holds the model that it wraps out of PyTorch's sight, so that the modes of its parts
    would not be kept.
    """
    from torch import nn

    class Whole(nn.Module):
        """A model, and the model inside of it."""

        def __init__(self) -> None:
            super().__init__()
            self.lens, self.inside = model, getattr(model, "original_model", None)

        def forward(self, tokens: Any) -> Any:
            """Return the logits."""
            return self.lens(tokens)

    return Whole()


def _fitting(tokens: Callable[[Any, Any], Any], cfg: Any) -> Callable[[Any, Any], Any]:
    """Return the tokens, refused where the model has none of that kind or fewer positions."""
    import torch

    def checked(x: Any, y: Any) -> Any:
        made = tokens(x, y)
        parts = made if isinstance(made, tuple | list) else getattr(made, "mT", ())
        held = [torch.as_tensor(part) for part in parts]
        if len(held) > cfg.n_ctx:
            raise UsageError(
                "the model has too few positions", got=cfg.n_ctx, allowed=f"{len(held)} or more"
            )
        # what stands behind the model's own tokens, or is counted from the end, would be a row
        # that is put in for a residue
        for token in (int(t) for part in held for t in (part.min(), part.max())):
            if not 0 <= token < cfg.d_vocab:
                raise UsageError(
                    "the model has no such token",
                    got=token,
                    allowed=f"0 to {cfg.d_vocab - 1}",
                    next_step="say what stands at each position, as tokens=lambda x, y: (x, y)",
                )
        return made

    return checked


def _neurons(model: Any, last: int) -> str | None:
    """Return the name of the last block's neurons behind the activation; None without an MLP."""
    # in a bridge this name is another of what enters W_out
    point = model.hook_dict.get(f"blocks.{last}.mlp.hook_post")
    names = (name for name, part in model.named_modules() if part is point)
    return next((f"lens.{name}" for name in names), None)


def _neuron_logit_map(model: Any, last: int) -> Float[np.ndarray, "class d_mlp"] | None:
    """Return what each neuron of the last block writes to each logit; None without a matrix."""
    block = model.blocks[last]
    W_out = _writes(getattr(block, "mlp", None))
    W_U = getattr(model.unembed, "W_U", None)
    # a norm behind the MLP stands between neurons and logits
    if W_out is None or W_U is None or hasattr(block, "ln2_post"):
        return None
    if W_out.ndim != 2 or W_U.ndim != 2 or W_out.shape[1] != W_U.shape[0]:
        return None
    read = _read_through_norm(getattr(model, "ln_final", None), W_U.detach())
    # W_L = W_Uᵀ diag(g) (I − 11ᵀ/d) W_outᵀ, up to the size that the norm divides by
    return (W_out.detach() @ read).T.cpu().double().numpy()


def _writes(mlp: Any) -> Any:
    """Return what each neuron writes, a row per neuron; None where there is no such matrix."""
    from torch import nn

    # what a bridge calls W_out lies as in the layer that it wraps until 3.x, then a row per neuron
    layer = getattr(getattr(mlp, "out", None), "original_component", None)
    if layer is None:
        return getattr(mlp, "W_out", None)
    W = getattr(layer, "weight", None)
    return W.T if isinstance(layer, nn.Linear) and W is not None else W


def _read_through_norm(norm: Any, W_U: Any) -> Any:
    """Return W_U with the final norm's gain, and its mean taken out, as the norm itself shows.

    LayerNorm and RMSNorm have many classes and names for their gain. Their formula is one,
    n(v) = g · (v − c · mean v) / size + b, with c = 1 or 0, and three vectors tell g and c.
    """
    import torch

    if norm is None:
        return W_U
    # v has mean 0, root mean square 1 and no entry near 0
    v = 1.0 - 2.0 * (torch.arange(len(W_U), dtype=W_U.dtype, device=W_U.device) % 2)
    v = v - v.mean()
    v = v / v.square().mean().sqrt()
    with torch.no_grad():
        seen = norm(_LARGE * torch.stack([v, -v, v + 1])[None])[0].detach()
    if torch.allclose(seen[0], _LARGE * v):
        return W_U
    # b falls out of n(v) − n(−v) = 2 g · v
    gain = (seen[0] - seen[1]) / (2 * v)
    read = gain[:, None] * W_U
    centred = bool((seen[2] - seen[0]).abs().max() < gain.abs().max() / 10)
    return read - read.mean(dim=0) if centred else read
