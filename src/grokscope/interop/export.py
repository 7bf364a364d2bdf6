"""A network written for others: TransformerLens, PyTorch, or any reader of safetensors."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import safetensors.numpy

from grokscope.config.imported import Form, ImportedConfig
from grokscope.disk.atomic import path_in_words, write_bytes
from grokscope.disk.folder import RunFolder
from grokscope.errors import UsageError
from grokscope.explanation.of_run import load_network
from grokscope.models import wiring_of
from grokscope.numerics import computing

_TORCH: Final = (".pt", ".pth")
_NAMES: Final = {
    "W_E": "embed.W_E",
    "W_pos": "pos_embed.W_pos",
    "W_U": "unembed.W_U",
    "b_U": "unembed.b_U",
    "norm_w": "ln_final.w",
    "norm_b": "ln_final.b",
    "norm1_w": "ln1.w",
    "norm1_b": "ln1.b",
    "norm2_w": "ln2.w",
    "norm2_b": "ln2.b",
}
"""What TransformerLens calls them; the rest is `attn.` or `mlp.` and our name."""
_ACTIVATIONS: Final = {"relu": "relu", "gelu": "gelu", "gelu_tanh": "gelu_new", "silu": "silu"}


@computing()
def export_network(
    run: Any,
    out: str | Path,
    *,
    form: Form = "transformer-lens",
    seed: int | None = None,
    step: int | None = None,
) -> Path:
    """Write a network of a run for others.

    TransformerLens 2 and 3 load a .pt file of theirs, on which `tokens` are x, p, y, with

        saved = torch.load("plus.pt")
        model = HookedTransformer(HookedTransformerConfig.from_dict(saved["config"]))
        model.load_state_dict(saved["state_dict"])

    and 4, which has no HookedTransformer, with `convert_tl_checkpoint` of its module
    `transformer_lens.utilities.tl_checkpoint_conversion`:

        saved = torch.load("plus.pt")
        model = TransformerBridge.boot_native(saved["config"])
        model.load_state_dict(convert_tl_checkpoint(saved["state_dict"], model.cfg))

    **Arguments:**

    - `run`: the run, or its path.
    - `out`: the file: .safetensors, or .pt and .pth, which need PyTorch.
    - `form`: `transformer-lens`, the state dict of a HookedTransformer with its configuration;
      `torch`, the parameters of what `run.network().to_torch()` gives; `safetensors`, the matrices
      by the field's names.
    - `seed`, `step`: which network; by default the first seed's last.

    **Returns:** the file.

    **Raises:** `UsageError` for another ending, and what a format cannot hold;
    `RunFolderError` where there is no such network; `DiskError`.
    """
    path = Path(out)
    if path.suffix not in (".safetensors", *_TORCH):
        raise UsageError(
            "the file's ending says how it is written",
            got=path.name,
            allowed=".safetensors, .pt, .pth",
        )
    if path.exists():
        raise UsageError(
            f"{path_in_words(path)} is there already", next_step="choose another --out"
        )
    folder = RunFolder.open(run)
    network = load_network(folder, folder.manifest.seeds[0] if seed is None else seed, step)
    config, matrices = wiring_of(network.model)
    weights = {name: np.asarray(W, np.float32) for name, W in matrices.items()}
    facts: dict[str, Any] = {"wiring": config.to_json()}
    tensors: Mapping[str, np.ndarray] = weights
    if form == "transformer-lens":
        facts["config"], tensors = _transformer_lens(config, weights)
    elif form == "torch":
        tensors = {name.replace(".", "-"): W for name, W in weights.items()}
    facts |= {
        "format": form,
        "operation": folder.manifest.operation,
        "p": config.p,
        "seed": network.seed,
        "step": network.step,
    }
    if path.suffix in _TORCH:
        _write_torch(path, tensors, facts)
    else:
        said = {k: v if isinstance(v, str) else json.dumps(v) for k, v in facts.items()}
        plain = {name: np.ascontiguousarray(W) for name, W in tensors.items()}
        write_bytes(path, safetensors.numpy.save(plain, said))
    return path


def _write_torch(path: Path, tensors: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
    try:
        import torch
    except ImportError:
        raise UsageError(
            f"a {path.suffix} file needs PyTorch",
            next_step="pip install torch, or write --out FILE.safetensors",
        ) from None
    state = {name: torch.from_numpy(np.array(W)) for name, W in tensors.items()}
    stream = io.BytesIO()
    torch.save({"state_dict": state, **facts}, stream)
    write_bytes(path, stream.getvalue())


def _transformer_lens(
    config: ImportedConfig, weights: Mapping[str, np.ndarray]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the configuration of a HookedTransformer, and its whole state dict."""
    _require_hooked(config, weights)
    layers = sum(name.startswith("W_O.") for name in weights)
    heads, d_model, d_head = weights["W_Q.0"].shape
    n, d_mlp = len(config.tokens), weights["W_in.0"].shape[1]
    settings = {
        "n_layers": layers,
        "d_model": d_model,
        "n_ctx": n,
        "d_head": d_head,
        "n_heads": heads,
        "d_mlp": d_mlp,
        "act_fn": _ACTIVATIONS[config.activation],
        "d_vocab": len(weights["W_E"]),
        "d_vocab_out": weights["W_U"].shape[1],
        "normalization_type": {"none": None, "layer": "LN", "rms": "RMS"}[config.norm],
        "eps": config.norm_epsilon,
        "attention_dir": "causal" if config.causal else "bidirectional",
        "attn_scale": config.attention_scale or d_head**0.5,
    }
    if config.attention_scale:
        settings["attn_scale"] = 1 / config.attention_scale
    # what we do without is 0 there
    blank = {"W_pos": (n, d_model), "b_U": (weights["W_U"].shape[1],)}
    for i in range(layers):
        blank |= {f"b_{one}.{i}": (heads, d_head) for one in "QKV"}
        blank |= {f"b_O.{i}": (d_model,), f"b_in.{i}": (d_mlp,), f"b_out.{i}": (d_model,)}
    whole = {name: np.zeros(shape, np.float32) for name, shape in blank.items()} | dict(weights)
    whole["W_pos"] = whole["W_pos"][:n]
    named = {_called(name): W for name, W in whole.items()}
    for i in range(layers):
        named[f"blocks.{i}.attn.mask"] = np.tril(np.ones((n, n), bool))
        named[f"blocks.{i}.attn.IGNORE"] = np.array(-np.inf, np.float32)
    return settings, named


def _called(name: str) -> str:
    kind, dot, block = name.partition(".")
    if not dot:
        return _NAMES[kind]
    part = "mlp" if kind in ("W_in", "b_in", "W_out", "b_out") else "attn"
    return f"blocks.{block}.{_NAMES.get(kind, f'{part}.{kind}')}"


def _lacks_an_mlp(weights: Mapping[str, np.ndarray]) -> bool:
    blocks = [name.partition(".")[2] for name in weights if name.startswith("W_O.")]
    return any(f"W_in.{block}" not in weights for block in blocks)


def _require_hooked(config: ImportedConfig, weights: Mapping[str, np.ndarray]) -> None:
    """Refuse what a HookedTransformer does not have."""
    for is_so, what in (
        (config.kind == "mlp", "an MLP alone"),
        (config.attention_mix != 1, f"attention mixed by {config.attention_mix:g}"),
        (config.norm_place != "before", "norms of the residual stream"),
        (config.read == "mean", "an answer that is read from the mean over positions"),
        (any(name.startswith("W_gate") for name in weights), "an MLP with a gate"),
        (_lacks_an_mlp(weights), "a block without an MLP"),
        (config.activation not in _ACTIVATIONS, f"the activation {config.activation}"),
    ):
        if is_so:
            raise UsageError(
                "TransformerLens has no such network",
                got=what,
                next_step="export with --format torch or safetensors",
            )
