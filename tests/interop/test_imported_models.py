"""Forward passes of imported networks against a plain loop in float64, and against PyTorch."""

import itertools
import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from tests.interop.planted import transformer_weights

from grokscope.config.imported import ImportedConfig
from grokscope.errors import UsageError
from grokscope.models import Imported, imported_network

erf = np.vectorize(math.erf)
ACTIVATIONS: dict[str, Any] = {
    "relu": lambda a: np.maximum(a, 0),
    "gelu": lambda a: a * (1 + erf(a / np.sqrt(2))) / 2,
    "gelu_tanh": lambda a: a * (1 + np.tanh(np.sqrt(2 / np.pi) * (a + 0.044715 * a**3))) / 2,
    "silu": lambda a: a / (1 + np.exp(-a)),
    "square": lambda a: a**2,
    "identity": lambda a: a,
}
WIRINGS: list[dict[str, Any]] = [
    {},
    {"causal": False},
    {"attention_mix": 0.3, "causal": False},
    {"norm": "layer"},
    {"norm": "layer", "norm_place": "after"},
    {"norm": "rms", "norm_epsilon": 1e-3},
    {"attention_scale": 0.2},
    {"read": 1, "norm": "layer"},
    *({"activation": name, "norm": "layer"} for name in ACTIVATIONS),
]


def norm(values: np.ndarray, config: ImportedConfig, gain: Any, bias: Any) -> np.ndarray:
    if config.norm == "none":
        return values
    values = values - values.mean() if config.norm == "layer" else values
    return values / np.sqrt(np.mean(values**2) + config.norm_epsilon) * gain + bias


def plain(config: ImportedConfig, weights: dict[str, Any], tokens: list[int]) -> np.ndarray:
    """One input, position by position and head by head."""
    W = {name: np.asarray(value, np.float64) for name, value in weights.items()}
    rows = [W["W_E"][token] + W["W_pos"][i] for i, token in enumerate(tokens)]
    layers = sum(name.startswith("W_O.") for name in W)
    for b in range(layers):
        before = config.norm_place == "before"

        def normed(row: np.ndarray, which: str, b: int = b) -> np.ndarray:
            return norm(row, config, W[f"{which}_w.{b}"], W[f"{which}_b.{b}"])

        read = [normed(row, "norm1") if before else row for row in rows]
        after = []
        for q, row in enumerate(rows):
            out = row + W[f"b_O.{b}"]
            for h in range(len(W[f"W_Q.{b}"])):
                seen = range(q + 1) if config.causal else range(len(rows))
                query, key, value = (
                    {
                        s: read[s] @ W[f"W_{one}.{b}"][h] + W[f"b_{one}.{b}"][h]
                        for s in range(len(rows))
                    }
                    for one in "QKV"
                )
                scale = config.attention_scale or len(query[q]) ** -0.5
                score = np.array([scale * query[q] @ key[s] for s in seen])
                score = np.exp(score - score.max())
                weight = config.attention_mix * score / score.sum() + 1 - config.attention_mix
                for w, s in zip(weight, seen, strict=True):
                    out = out + w * (value[s] @ W[f"W_O.{b}"][h])
            out = out if before else normed(out, "norm1")
            inner = normed(out, "norm2") if before else out
            neurons = ACTIVATIONS[config.activation](inner @ W[f"W_in.{b}"] + W[f"b_in.{b}"])
            out = out + neurons @ W[f"W_out.{b}"] + W[f"b_out.{b}"]
            after.append(out if before else normed(out, "norm2"))
        rows = after
    assert isinstance(config.read, int)
    final = norm(rows[config.read], config, W["norm_w"], W["norm_b"])
    return final @ W["W_U"] + W["b_U"]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("wiring", WIRINGS, ids=str)
def test_the_pass_is_that_of_a_plain_loop(wiring: dict[str, Any], layers: int) -> None:
    config = ImportedConfig(p=7, **wiring)
    weights = transformer_weights(np.random.default_rng(1), layers)
    model = imported_network(config, weights)
    tokens = model.inputs().tokens[::5]
    expected = np.stack([plain(config, weights, row.tolist()) for row in tokens])
    quick, traced = np.asarray(model(tokens)), np.asarray(model.trace(tokens)[0])
    scale = np.abs(expected).max()
    assert np.abs(quick - expected).max() < 1e-5 * scale
    assert np.abs(traced - expected).max() < 1e-5 * scale


@pytest.mark.parametrize("wiring", WIRINGS, ids=str)
def test_the_torch_module_has_the_same_answers(wiring: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    from grokscope.interop.torch_network import torch_network

    model = imported_network(
        ImportedConfig(p=7, **wiring), transformer_weights(np.random.default_rng(2))
    )
    tokens = model.inputs().tokens
    with torch.no_grad():
        found = torch_network(model)(torch.from_numpy(tokens).long()).numpy()
    expected = np.asarray(model(tokens))
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("combine", "first"), list(itertools.product(["sum", "concatenate"], [True, False]))
)
def test_mlps_add_or_join_their_rows(combine: str, first: bool) -> None:
    rng = np.random.default_rng(0)
    d, wide = 6, 6 if combine == "sum" else 12
    W_in = rng.normal(size=(wide, 9)) if first else np.eye(wide)
    weights = {
        "W_E": rng.normal(size=(14, d)),
        "b_in.0": rng.normal(size=W_in.shape[1]),
        "W_in.1": rng.normal(size=(W_in.shape[1], 5)),
        "W_U": rng.normal(size=(5, 7)),
    } | ({"W_in.0": W_in} if first else {})
    wiring: dict[str, Any] = {"kind": "mlp", "tokens": ("x", "y + p"), "combine": combine}
    config = ImportedConfig(p=7, **wiring)
    model = imported_network(config, weights)
    x, y = 3, 5
    rows = weights["W_E"][x], weights["W_E"][7 + y]
    flat = rows[0] + rows[1] if combine == "sum" else np.concatenate(rows)
    hidden = np.maximum(flat @ W_in + weights["b_in.0"], 0)
    expected = np.maximum(hidden @ weights["W_in.1"], 0) @ weights["W_U"]
    assert np.allclose(np.asarray(model([x, 7 + y])), expected, rtol=1e-4, atol=1e-4)
    assert np.allclose(np.asarray(model.neuron_logit_map), weights["W_U"].T)


def behind(model: Imported, tokens: np.ndarray) -> np.ndarray:
    """How the logits move with each neuron where the answer is read, times the norm's size."""
    place = model.hidden
    base = model.trace(tokens)

    def moved(j: int) -> np.ndarray:
        def add(a: Any) -> Any:
            return a.at[:, model.read, j].add(1e-2)

        return np.asarray(model.trace(tokens, {place: add})[0] - base[0]) / 1e-2

    return np.stack([moved(j) for j in range(10)], axis=-1)


def test_the_neuron_logit_map_is_what_neurons_write() -> None:
    rng = np.random.default_rng(3)
    weights = transformer_weights(rng, layers=1)
    plain_model = imported_network(ImportedConfig(p=7), weights)
    tokens = plain_model.inputs().tokens[:3]
    found = behind(plain_model, tokens)[:, :7]
    assert np.allclose(found, np.asarray(plain_model.neuron_logit_map), rtol=1e-2, atol=2e-2)


def test_behind_a_norm_it_is_that_up_to_its_size() -> None:
    """∂(x/|x|) has a part along x too; with the mean over random signs of x it vanishes."""
    weights = transformer_weights(np.random.default_rng(4), layers=1)
    model = imported_network(ImportedConfig(p=7, norm="layer"), weights)
    W_out = weights["W_out.0"] - weights["W_out.0"].mean(axis=1, keepdims=True)
    expected = (W_out * weights["norm_w"]) @ weights["W_U"]
    assert np.allclose(np.asarray(model.neuron_logit_map), expected.T[:7], atol=1e-4)


def test_inputs_hold_what_the_tokens_say() -> None:
    weights = transformer_weights(np.random.default_rng(0), layers=1)
    model = imported_network(ImportedConfig(p=7, tokens=("y", "p", "x")), weights)
    inputs = model.inputs()
    assert inputs.tokens[9].tolist() == [2, 7, 1]  # x = 1, y = 2
    assert (inputs.at_x, inputs.at_y) == (2, 0)
    assert inputs.moved(20, 30)[9].tolist() == [32, 7, 21]


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no y": ({"tokens": ("x", "p")}, {}, "x and y once"),
    "a word": ({"tokens": ("x", "y", "equals")}, {}, "a token is not usable"),
    "beyond W_E": ({"tokens": ("x", "y", "p + 1")}, {}, "no row for a token"),
    "a missing matrix": ({}, {"W_E": None}, "has no W_E"),
    "a transposed matrix": ({}, {"W_in.0": "T"}, "do not fit together"),
    "a vector": ({}, {"W_U": "ravel"}, "wrong axes"),
    "another width": ({}, {"W_pos": "narrow"}, "does not fit"),
    "too few answers": ({}, {"W_U": "few"}, "too few answers"),
    "an unknown activation": ({"activation": "tanh"}, {}, "activation is unknown"),
    "a position too far": ({"read": 3}, {}, "read is not usable"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_refused_in_one_line(case: str) -> None:
    wiring, changes, words = WRONG[case]
    weights = transformer_weights(np.random.default_rng(0), layers=1)
    for name, change in changes.items():
        W = weights.pop(name)
        forms = {"T": W.T, "ravel": W.ravel(), "narrow": W[..., :-1], "few": W[..., :5]}
        weights |= {} if change is None else {name: forms[change]}
    with pytest.raises(UsageError, match=words) as caught:
        imported_network(ImportedConfig(p=7, **wiring), weights)
    assert "\n" not in str(caught.value)


def test_weights_are_what_edits_reach() -> None:
    model = imported_network(
        ImportedConfig(p=7), transformer_weights(np.random.default_rng(0), layers=1)
    )
    tokens = model.inputs().tokens[:4]
    zero = {"blocks.0.mlp_post": lambda a: jnp.zeros_like(a)}
    logits, activations = model.trace(tokens, zero)
    assert not np.allclose(np.asarray(logits), np.asarray(model(tokens)))
    assert np.all(np.asarray(activations["blocks.0.mlp_post"]) == 0)
