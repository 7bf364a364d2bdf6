"""Networks of others, planted by formula or drawn at random, in the shapes that people use."""

from typing import Any, Final

import numpy as np

P: Final = 23
KEYS: Final = (3, 5, 8)


def waves(keys: tuple[int, ...] = KEYS, p: int = P) -> np.ndarray:
    """cos and sin of each key, in columns."""
    angle = 2 * np.pi * np.outer(np.arange(p), keys) / p
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(p, -1)


def clock(rows: Any, answers: Any = None) -> Any:
    """Logits Σ_k cos w_k(x + y − c) of rows with cos and sin of each key, in any library."""
    x, y = rows if isinstance(rows, tuple) else (rows, rows)
    x, y = x[:, None], y[None]
    cos = x[..., 0::2] * y[..., 0::2] - x[..., 1::2] * y[..., 1::2]
    sin = x[..., 0::2] * y[..., 1::2] + x[..., 1::2] * y[..., 0::2]
    table = waves() if answers is None else answers
    return cos @ table[:, 0::2].T + sin @ table[:, 1::2].T


def one_hot_mlp(grid: int = 8, keys: tuple[int, ...] = KEYS, p: int = P) -> dict[str, np.ndarray]:
    """An MLP of one-hot inputs, nn.Linear to nn.Linear: ReLU(cos(w_k x + φ) + cos(w_k y + ψ))."""
    turns = 2 * np.pi * np.arange(grid) / grid
    columns, rows = [], []
    for k in keys:
        w = 2 * np.pi * k * np.arange(p) / p
        for phi in turns:
            for psi in turns:
                columns.append(np.concatenate([np.cos(w + phi), np.cos(w + psi)]))
                rows.append(np.cos(w + phi + psi))
    return {
        "0.weight": np.array(columns, np.float32),
        "0.bias": np.zeros(len(columns), np.float32),
        "2.weight": np.array(rows, np.float32).T.copy(),
        "2.bias": np.zeros(p, np.float32),
    }


def transformer_weights(rng: np.random.Generator, layers: int = 2, **shape: Any) -> dict[str, Any]:
    """Random weights of every kind that an imported transformer may have."""
    size = {"p": 7, "d": 12, "h": 3, "k": 4, "m": 10, "pos": 3} | shape
    d, h, k, m = size["d"], size["h"], size["k"], size["m"]
    found = {
        "W_E": (size["p"] + 1, d),
        "W_pos": (size["pos"], d),
        "norm_w": (d,),
        "norm_b": (d,),
        "W_U": (d, size["p"] + 1),
        "b_U": (size["p"] + 1,),
    }
    for i in range(layers):
        found |= {f"W_{one}.{i}": (h, d, k) for one in "QKV"}
        found |= {f"b_{one}.{i}": (h, k) for one in "QKV"}
        found |= {f"W_O.{i}": (h, k, d), f"b_O.{i}": (d,)}
        found |= {f"W_in.{i}": (d, m), f"b_in.{i}": (m,), f"W_out.{i}": (m, d), f"b_out.{i}": (d,)}
        found |= {f"norm{n}_{one}.{i}": (d,) for n in (1, 2) for one in "wb"}
    return {name: (rng.normal(size=size) / 2).astype(np.float32) for name, size in found.items()}
