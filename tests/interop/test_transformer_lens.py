"""Models of TransformerLens: stand-ins with its names always, the package where it is installed."""

import importlib.metadata
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pytest
from safetensors import safe_open
from tests.interop.planted import transformer_weights

import grokscope as gs
from grokscope.config.imported import ImportedConfig, Norm
from grokscope.interop.export import _transformer_lens
from grokscope.interop.layout_files import layouts_of
from grokscope.models import imported_network

torch = pytest.importorskip("torch")
nn = torch.nn
P: Final = 7
D: Final = 10
"""Columns of W_E, and neurons: alike, so that a matrix turned over has the same shape."""
NORMS: Final[dict[str, Any]] = {
    "none": nn.Identity,
    "layer": lambda: nn.LayerNorm(D),
    "layer without gain": lambda: nn.LayerNorm(D, elementwise_affine=False),
    "rms": lambda: nn.RMSNorm(D),
}


class Layer(nn.Module):
    """A Linear as a bridge wraps it."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.hook_in, self._original_component = nn.Identity(), layer

    @property
    def original_component(self) -> Any:
        return self._original_component

    W_out = property(lambda self: self._original_component.weight)
    W_U = property(lambda self: self._original_component.weight.T)

    def forward(self, values: Any) -> Any:
        return self._original_component(self.hook_in(values))


class Mlp(nn.Module):
    """The MLP of a HookedTransformer, or of a bridge: there W_out is a Linear's weight."""

    def __init__(self, *, bridge: bool) -> None:
        super().__init__()
        self.W_in, self.bridge = nn.Parameter(torch.randn(D, D)), bridge
        if bridge:
            self.out = Layer(nn.Linear(D, D))
        else:
            self.W_out, self.hook_post = nn.Parameter(torch.randn(D, D)), nn.Identity()

    def forward(self, values: Any) -> Any:
        post = torch.relu(values @ self.W_in)
        return self.out(post) if self.bridge else self.hook_post(post) @ self.W_out


class Hooked(nn.Module):
    """A network with the names of a HookedTransformer; the mean over positions for attention."""

    def __init__(self, norm: Any = nn.Identity, *, bridge: bool = False, blocks: int = 2) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.cfg = SimpleNamespace(n_ctx=3, d_vocab=P + 1)
        self.embed, self.blocks, self.ln_final = nn.Module(), nn.ModuleList(), norm()
        self.unembed = nn.Module()
        for _ in range(blocks):
            self.blocks.append(nn.Module())
            self.blocks[-1].mlp = Mlp(bridge=bridge)
        self.make_ends()
        for W in self.ln_final.parameters():
            W.data = torch.randn_like(W)

    def make_ends(self) -> None:
        self.embed.W_E = nn.Parameter(torch.randn(P + 1, D))
        self.unembed.W_U = nn.Parameter(torch.randn(D, P + 1))

    def embedded(self, tokens: Any) -> Any:
        return self.embed.W_E[tokens]

    def unembedded(self, values: Any) -> Any:
        return values @ self.unembed.W_U

    @property
    def hook_dict(self) -> dict[str, Any]:
        points = {f"blocks.{i}.mlp.hook_post": b.mlp for i, b in enumerate(self.blocks)}
        return {k: mlp.out.hook_in if mlp.bridge else mlp.hook_post for k, mlp in points.items()}

    def forward(self, tokens: Any) -> Any:
        values = self.embedded(tokens)
        for block in self.blocks:
            values = values + values.mean(dim=1, keepdim=True)
            values = values + block.mlp(values)
        return self.unembedded(self.ln_final(values))


class Bridge(Hooked):
    """A network with the names of a TransformerBridge, whose unembedding is W_E, with a bias."""

    def __init__(self, norm: Any = nn.Identity) -> None:
        super().__init__(norm, bridge=True)

    def make_ends(self) -> None:
        self.embed = Layer(nn.Embedding(P + 1, D))
        self.unembed = Layer(nn.Linear(D, P + 1))
        self.unembed.original_component.weight = self.embed.original_component.weight
        # out of the sight of PyTorch, as a bridge holds what it wraps
        self.__dict__["original_model"] = nn.Sequential(self.embed, nn.Dropout(0.5))

    def embedded(self, tokens: Any) -> Any:
        return self.original_model(tokens)

    def unembedded(self, values: Any) -> Any:
        return self.unembed(values)

    def train(self, mode: bool = True) -> "Bridge":
        super().train(mode)
        self.original_model.train(mode)
        return self


def tokens_of(p: int = P, order: str = "xyp") -> Any:
    """All pairs as x, y and the token p, in some order."""
    x, y = np.divmod(np.arange(p**2), p)
    known = {"x": x, "y": y, "p": np.full_like(x, p)}
    return torch.tensor(np.stack([known[one] for one in order], axis=1))


@pytest.mark.parametrize("kind", [Hooked, Bridge])
def test_its_parts_are_found(kind: Any) -> None:
    model = kind().eval()
    net = gs.Network.from_transformer_lens(model, P)
    kept: list[Any] = []
    handle = model.hook_dict["blocks.1.mlp.hook_post"].register_forward_hook(
        lambda _, __, output: kept.append(output[:, -1])
    )
    with torch.no_grad():
        logits = model(tokens_of())[:, -1, :P]
    handle.remove()
    assert np.array_equal(net.logits().values.reshape(P**2, P), logits.numpy())
    assert np.array_equal(net.neurons().values.reshape(P**2, D), kept[0].numpy())
    assert net.embedding is not None
    assert net.embedding.shape == (P, D)
    assert "not known" not in repr(net)


@pytest.mark.parametrize("kind", [Hooked, Bridge])
def test_rows_and_neurons_are_replaced_and_it_is_left_as_it_was(kind: Any) -> None:
    model = kind().train()
    inside = getattr(model, "original_model", model)
    before = {name: W.clone() for name, W in model.state_dict().items()}
    known = gs.Network.from_transformer_lens(model, P)._known
    assert known.W_E is not None
    assert known.written_of is not None
    own = known.logits_of(None)
    assert np.array_equal(known.logits_of(known.W_E), own)
    moved = known.logits_of(known.W_E._replace(x=np.roll(known.W_E.x, -2, axis=0)))
    assert np.array_equal(moved, np.roll(own, -2, axis=0))
    neurons, logits_with = known.written_of(None)
    assert np.array_equal(logits_with(neurons), own)
    assert known.W_L is not None
    # the plain network has no norm behind its neurons, so that they write W_L itself
    more = np.zeros_like(neurons)
    more[:, :, 4] = 3
    assert np.allclose(logits_with(neurons + more) - own, 3 * known.W_L[:, 4], atol=1e-4)
    assert all(part.training for part in (*model.modules(), *inside.modules()))
    assert all(torch.equal(W, before[name]) for name, W in model.state_dict().items())
    assert not any(part._forward_hooks for part in model.modules())


@pytest.mark.parametrize("kind", [Hooked, Bridge])
@pytest.mark.parametrize("norm", NORMS)
def test_the_gain_of_the_final_norm_is_folded_into_the_map(kind: Any, norm: str) -> None:
    model = kind(NORMS[norm])
    found = gs.Network.from_transformer_lens(model, P).neuron_logit_map
    mlp = model.blocks[-1].mlp
    W_out = mlp.out.original_component.weight.T if mlp.bridge else mlp.W_out
    gain = getattr(model.ln_final, "weight", None)
    read = model.unembed.W_U if gain is None else gain[:, None] * model.unembed.W_U
    if norm.startswith("layer"):
        read = read - read.mean(dim=0)
    assert found is not None
    assert np.allclose(found, (W_out @ read).T.detach().numpy()[:P], atol=1e-4)


def test_what_is_not_there_is_not_known() -> None:
    without = Hooked()
    for block in without.blocks:
        block.mlp = nn.Identity()
    without.__class__ = type("WithoutMlp", (Hooked,), {"hook_dict": {}})
    assert repr(gs.Network.from_transformer_lens(without, P)).endswith("not known: neurons, W_L")
    behind = Hooked()
    behind.blocks[-1].ln2_post = nn.LayerNorm(D)
    assert repr(gs.Network.from_transformer_lens(behind, P)).endswith("not known: W_L")


WRONG: Final[dict[str, tuple[Any, dict[str, Any], str]]] = {
    "a module": (lambda: nn.Linear(2, 2), {}, "no model of TransformerLens; got 'Linear'"),
    "a state dict": (lambda: Hooked().state_dict(), {}, "no model of TransformerLens"),
    "a path": (lambda: "model.pt", {}, "no model of TransformerLens; got 'str'"),
    "no blocks": (lambda: Hooked(blocks=0), {}, "no model of TransformerLens"),
    "p too large": (Hooked, {"p": P + 1}, f"no such token; got {P + 1}; allowed: 0 to {P}"),
    "from the end": (Hooked, {"tokens": lambda x, y: (x, y, -1)}, "no such token; got -1"),
    "four": (Hooked, {"tokens": lambda x, y: (x, y, P, P)}, "too few positions; got 3"),
    "no tuple": (Hooked, {"tokens": lambda *_: "x y"}, "tokens give the wrong inputs"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_models_and_tokens_are_one_line(case: str) -> None:
    model, given, words = WRONG[case]
    with pytest.raises(gs.errors.UsageError) as caught:
        gs.Network.from_transformer_lens(model(), **{"p": P, **given})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def version() -> int:
    """The first number of the installed version."""
    pytest.importorskip("transformer_lens")
    return int(importlib.metadata.version("transformer_lens").partition(".")[0])


def native(config: dict[str, Any]) -> Any:
    """A bridge around a model of the package's own, at random."""
    if version() < 3:
        pytest.skip("there are no bridges before 3.0")
    configs = pytest.importorskip("transformer_lens.config")
    bridges = pytest.importorskip("transformer_lens.model_bridge")
    made = configs.TransformerBridgeConfig.from_dict(config)
    return bridges.TransformerBridge.boot_native(made)


def loaded(config: dict[str, Any], state: dict[str, Any]) -> Any:
    """What was exported, in the package: a HookedTransformer, or a bridge where it is gone."""
    if version() < 4:
        lens = pytest.importorskip("transformer_lens")
        model = lens.HookedTransformer(lens.HookedTransformerConfig.from_dict(config))
    else:
        model = native(config)
        convert = pytest.importorskip("transformer_lens.utilities.tl_checkpoint_conversion")
        state = convert.convert_tl_checkpoint(state, model.cfg)
    model.load_state_dict(state)
    return model


def test_a_run_comes_back_from_the_package(tmp_path: Path) -> None:
    version()
    from safetensors.torch import load_file

    shape: dict[str, Any] = {"p": P, "train_fraction": 0.9, "d_model": 16, "heads": 2, "d_mlp": 16}
    run = gs.train("x + y", preset="quick", steps=50, quiet=True, out=tmp_path / "run", **shape)
    file = gs.export(run, tmp_path / "lens.safetensors")
    with safe_open(file, "pt") as opened:
        config = json.loads(opened.metadata()["config"])
    model = loaded(config, load_file(file))
    net = gs.Network.from_transformer_lens(model, P, tokens=lambda x, y: (x, P, y))
    ours = run.network()
    assert np.abs(net.logits().values - ours.logits().values.reshape(P, P, P)).max() < 1e-4
    assert net.neuron_logit_map is not None
    assert np.allclose(net.neuron_logit_map, ours.neuron_logit_map, atol=1e-5)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("norm", ["none", "layer", "rms"])
def test_norms_and_biases_come_back_from_the_package(norm: Norm, causal: bool) -> None:
    version()
    weights = transformer_weights(np.random.default_rng(0))
    for name in list(weights):
        is_norm = name.startswith("norm")
        if is_norm and (norm == "none" or (norm == "rms" and "_b" in name)):
            del weights[name]
    wiring = ImportedConfig(
        p=P, tokens=("x", "y", "7"), causal=causal, norm=norm, activation="gelu_tanh"
    )
    settings, tensors = _transformer_lens(wiring, weights)
    model = loaded(settings, {name: torch.from_numpy(np.array(W)) for name, W in tensors.items()})
    net = gs.Network.from_transformer_lens(model, P)
    ours = imported_network(wiring, weights)
    expected = np.asarray(ours(ours.inputs().tokens))[:, :P]
    difference = np.abs(net.logits().values.reshape(P**2, P) - expected).max()
    assert difference < 1e-5 * np.abs(expected).max()
    if version() >= 4:
        state = {name: W.detach().numpy() for name, W in model.state_dict().items()}
        layout = layouts_of(state)[0].with_settings({"head": len(weights["W_Q.0"])})
        found, left = layout.weights(state), layout.left_out(state)
        assert (layout.name, left) == ("transformer-bridge", [])
        assert all(np.array_equal(found[name], W) for name, W in weights.items())


@pytest.mark.parametrize("norm", [None, "LN", "LNPre", "RMS", "RMSPre"])
def test_a_bridge_is_explained_where_it_stands(norm: str | None) -> None:
    shape = {"n_layers": 2, "d_model": D, "n_ctx": 3, "d_head": 5, "n_heads": 2, "d_mlp": D}
    rest = {"act_fn": "gelu", "d_vocab": P + 1, "normalization_type": norm, "seed": 0}
    model = native(shape | rest)
    net = gs.Network.from_transformer_lens(model, P)
    with torch.no_grad():
        logits = model(tokens_of())[:, -1, :P].numpy()
    assert np.array_equal(net.logits().values.reshape(P**2, P), logits)
    assert "not known" not in repr(net)
