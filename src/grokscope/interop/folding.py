"""What a file says in more tensors than a network has here, or in factors: one matrix each."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from grokscope.config.validate import check_choice, check_number

MORE_AXES: Final = {
    "W_E_y": ("token", "d_model"),
    "b_E": ("d_model",),
    "W_QKV": ("qkv", "head", "d_model", "d_head"),
    "b_QKV": ("qkv", "head", "d_head"),
    "attention_scale": ("head",),
}
"""Roles that are parts of others: a table of its own for y, a bias of the embedding, query, key and
value as one, and a factor of each head on query·key."""
FOLDED: Final = ("positions", "embedding_scale", "logit_scale")
"""Settings that weights hold: positions that were never saved, and factors."""


def require_folded(name: str, value: Any) -> None:
    """Raise `UsageError` for a value that such a setting cannot have."""
    if name == "positions":
        check_choice(name, value, ("none", "sinusoidal"))
    else:
        check_number(name, value, "a number over 0", over=0, most=1e9)


def folded(weights: Mapping[str, np.ndarray], wiring: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the matrices that a network has.

    Query, key and value are parted, the table of y is put behind that of x, an unembedding that
    is not there is the embedding, and factors are multiplied in.

    **Arguments:** the matrices by role; the wiring, of which the settings `FOLDED` count here.
    """
    found: dict[str, np.ndarray] = {}
    for role, W in weights.items():
        kind, dot, block = role.partition(".")
        if kind in ("W_QKV", "b_QKV"):
            found |= {f"{kind[0]}_{one}{dot}{block}": W[i] for i, one in enumerate("QKV")}
        elif kind not in MORE_AXES:
            found[role] = W
    if "W_E_y" in weights:
        found["W_E"] = np.concatenate([weights["W_E"], weights["W_E_y"]])
    if "b_E" in weights:
        found["W_E"] = found["W_E"] + weights["b_E"]
    found.setdefault("W_U", found["W_E"].T)
    for role, factor in weights.items():
        if role.startswith("attention_scale."):
            _scale(found, (f"W_Q{role[15:]}", f"b_Q{role[15:]}"), factor)
    _scale(found, ("W_E",), wiring.get("embedding_scale", 1.0))
    _scale(found, ("W_U", "b_U"), wiring.get("logit_scale", 1.0))
    if wiring.get("positions") == "sinusoidal" and "W_pos" not in found:
        n = len(wiring.get("tokens", ("x", "y", "p")))
        found["W_pos"] = sinusoidal_positions(n, found["W_E"].shape[1])
    return found


def _scale(found: dict[str, np.ndarray], names: tuple[str, ...], factor: Any) -> None:
    for name in names:
        if name in found and not np.all(np.asarray(factor) == 1):
            first = np.asarray(factor, np.float32)
            found[name] = found[name] * first.reshape(-1, *[1] * (found[name].ndim - 1))


def sinusoidal_positions(n: int, width: int) -> np.ndarray:
    """Return the positions of arXiv 1706.03762: sines and cosines in turn, a row per position."""
    # sin(pos / 10000^(2i/d)), cos(pos / 10000^(2i/d))
    rates = np.exp(np.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angles = np.arange(n)[:, None] * rates
    pairs = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(n, -1)
    return pairs[:, :width].astype(np.float32)
