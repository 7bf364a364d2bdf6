"""Files of PyTorch's own modules: recognised by their names, with the answers of the modules."""

from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.interop.planted import P, one_hot_mlp

from grokscope.errors import UsageError
from grokscope.interop.importing import recognise
from grokscope.interop.layout_files import layouts_of, parse_layout
from grokscope.models import imported_network

torch = pytest.importorskip("torch")
nn = torch.nn
F = torch.nn.functional
WIDTH, HEADS = 16, 4


def positions(table: Any, n: int) -> Any:
    return table.weight[:n] if isinstance(table, nn.Embedding) else table[..., :n, :]


class Encoder(nn.Module):
    """nn.TransformerEncoder over x and y, read from the mean, as people write it."""

    def __init__(self, norm_first: bool, activation: str) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 24, 0.0, activation, batch_first=True, norm_first=norm_first
        )
        self.tok_emb, self.pos_emb = nn.Embedding(P, WIDTH), nn.Parameter(torch.randn(1, 2, WIDTH))
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.ln, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, P)

    def forward(self, tokens: Any) -> Any:
        hidden = self.ln(self.encoder(self.tok_emb(tokens) + self.pos_emb))
        return self.head(hidden.mean(dim=1))


class StreamBlock(nn.Module):
    """A block that norms the residual stream itself before nn.MultiheadAttention."""

    def __init__(self) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 24), nn.GELU(), nn.Linear(24, WIDTH))

    def forward(self, x: Any) -> Any:
        mask = torch.triu(torch.full((x.shape[1], x.shape[1]), -torch.inf), diagonal=1)
        x = self.ln_1(x)
        x = x + self.attn(x, x, x, attn_mask=mask, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class Decoder(nn.Module):
    """Blocks with nn.MultiheadAttention, one position more than tokens, answers beyond p."""

    def __init__(self, blocks: int = 2) -> None:
        super().__init__()
        self.token_embeddings = nn.Embedding(P + 2, WIDTH)
        self.position_embeddings = nn.Embedding(5, WIDTH)
        self.layers = nn.ModuleList([StreamBlock() for _ in range(blocks)])
        self.ln_f, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, P + 2, bias=False)

    def forward(self, tokens: Any) -> Any:
        x = self.token_embeddings(tokens) + self.position_embeddings.weight[: tokens.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.head(self.ln_f(x))[:, -1]


class GatedBlock(nn.Module):
    """q, k and v as one, without biases, and an MLP with a gate, or none at all."""

    def __init__(self, mlp: bool) -> None:
        super().__init__()
        self.ln_1, self.attn = nn.LayerNorm(WIDTH, bias=False), nn.Module()
        self.attn.c_attn = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.attn.c_proj = nn.Linear(WIDTH, WIDTH, bias=False)
        self.has_mlp = mlp
        if mlp:
            self.ln_2, self.mlp = nn.LayerNorm(WIDTH, bias=False), nn.Module()
            self.mlp.gate_proj, self.mlp.up_proj = nn.Linear(WIDTH, 24), nn.Linear(WIDTH, 24)
            self.mlp.down_proj = nn.Linear(24, WIDTH)

    def forward(self, x: Any) -> Any:
        n, length, _ = x.shape
        parts = self.attn.c_attn(self.ln_1(x)).split(WIDTH, dim=2)
        q, k, v = (part.view(n, length, HEADS, -1).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)
        x = x + self.attn.c_proj(mixed.reshape(n, length, WIDTH))
        if not self.has_mlp:
            return x
        read = self.ln_2(x)
        return x + self.mlp.down_proj(F.silu(self.mlp.gate_proj(read)) * self.mlp.up_proj(read))


class Nano(nn.Module):
    """Names as in nanoGPT, the unembedding tied to the embedding and not saved."""

    def __init__(self, mlp: bool) -> None:
        super().__init__()
        blocks = nn.ModuleList([GatedBlock(mlp=True), GatedBlock(mlp=mlp)])
        parts = {"wte": nn.Embedding(P + 1, WIDTH), "wpe": nn.Embedding(8, WIDTH), "h": blocks}
        self.transformer = nn.ModuleDict(parts | {"ln_f": nn.LayerNorm(WIDTH, bias=False)})

    def forward(self, tokens: Any) -> Any:
        parts = self.transformer
        x = parts["wte"](tokens) + parts["wpe"].weight[: tokens.shape[1]]
        for block in parts["h"]:
            x = block(x)
        return parts["ln_f"](x[:, -1]) @ parts["wte"].weight.T


KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "norms first": (
        lambda: Encoder(True, "gelu"),
        {"tokens": ("x", "y"), "read": "mean", "causal": False, "activation": "gelu"},
    ),
    "norms behind": (
        lambda: Encoder(False, "relu"),
        {"tokens": ("x", "y"), "read": "mean", "causal": False, "norm_place": "after"},
    ),
    "the stream normed": (
        Decoder,
        {"tokens": ("x", "p+1", "y", "p"), "norm_place": "stream", "activation": "gelu"},
    ),
    "the stream normed, one block": (
        lambda: Decoder(1),
        {"tokens": ("x", "p+1", "y", "p"), "norm_place": "stream", "activation": "gelu"},
    ),
    "a gate, tied": (lambda: Nano(mlp=True), {"tokens": ("x", "y", "p"), "activation": "silu"}),
    "no last MLP": (lambda: Nano(mlp=False), {"tokens": ("x", "y", "p"), "activation": "silu"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_answers_are_those_of_the_module(kind: str) -> None:
    torch.manual_seed(0)
    make, wiring = KINDS[kind]
    module = make().eval()
    tensors = {name: W.numpy() for name, W in module.state_dict().items()}
    (layout,) = layouts_of(tensors)
    assert (layout.name, layout.left_out(tensors)) == ("torch-transformer", [])
    layout = layout.with_settings({"head": HEADS, **wiring})
    weights = layout.weights(tensors)
    model = imported_network(layout.config(weights, None), weights)
    tokens = model.inputs().tokens
    with torch.no_grad():
        expected = module(torch.from_numpy(tokens).long()).numpy()
    size = np.abs(expected).max()
    assert np.abs(np.asarray(model(tokens)) - expected).max() < 1e-5 * size
    assert np.abs(np.asarray(model.trace(tokens)[0]) - expected).max() < 1e-5 * size
    assert model.has_neurons == (kind != "no last MLP")


def test_the_gate_and_the_mean_survive_the_way_to_torch() -> None:
    from grokscope.interop.torch_network import torch_network

    torch.manual_seed(1)
    for kind in ("norms first", "the stream normed", "a gate, tied", "no last MLP"):
        make, wiring = KINDS[kind]
        tensors = {name: W.numpy() for name, W in make().state_dict().items()}
        layout = layouts_of(tensors)[0].with_settings({"head": HEADS, **wiring})
        weights = layout.weights(tensors)
        model = imported_network(layout.config(weights, None), weights)
        tokens = model.inputs().tokens
        with torch.no_grad():
            found = torch_network(model)(torch.from_numpy(tokens).long()).numpy()
        expected = np.asarray(model(tokens))
        assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max(), kind


def test_two_embeddings_added_and_turned_are_known_by_their_lengths(tmp_path: Any) -> None:
    own = one_hot_mlp()
    first = own["0.weight"]
    tensors = {"left": first[:, :P], "right": first[:, P:], "decoder": own["2.weight"]}
    save_file({k: np.ascontiguousarray(W) for k, W in tensors.items()}, tmp_path / "a.safetensors")
    found = recognise(tmp_path / "a.safetensors", "x + y")
    assert (found.layout.name, found.accuracy) == ("mlp-by-shape", 1)
    assert "tables of their own for x and y, added" in found.layout.description


def test_tensors_of_a_list_have_no_names(tmp_path: Any) -> None:
    own = [torch.from_numpy(W) for W in one_hot_mlp().values()]
    torch.save(own, tmp_path / "list.pt")
    assert recognise(tmp_path / "list.pt", "x + y").accuracy == 1


WRONG_LAYOUTS = {
    "try that is no list": '[try]\nhead = 4\n[tensors]\nW_E = "a: token d_model"\n'
    'W_U = "b: d_model answer"',
    "try of an unknown setting": '[try]\nheadz = [4]\n[tensors]\nW_E = "a: token d_model"',
    "tensors that are no table": 'tensors = "a"',
    "optional that is no list": 'optional = "W_U"\n[tensors]\nW_E = "a: token d_model"',
    "a scale of zero": '[wiring]\nlogit_scale = 0\n[tensors]\nW_E = "a: token d_model"\n'
    'W_U = "b: d_model answer"',
    "positions that nobody knows": '[wiring]\npositions = "rotary"\n[tensors]\n'
    'W_E = "a: token d_model"\nW_U = "b: d_model answer"',
    "read that is no position": '[wiring]\nread = "max"\n[tensors]\nW_E = "a: token d_model"\n'
    'W_U = "b: d_model answer"',
    "read beyond the inputs": '[wiring]\nread = 3\n[tensors]\nW_E = "a: token d_model"\n'
    'W_U = "b: d_model answer"',
    "heads that are no number": '[sizes]\nhead = true\n[tensors]\nW_E = "a: token d_model"\n'
    'W_U = "b: d_model answer"',
    "an empty list of ways": '[tensors]\nW_E = []\nW_U = "b: d_model answer"',
}


@pytest.mark.parametrize("case", WRONG_LAYOUTS)
def test_wrong_layouts_are_one_line(case: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_layout(WRONG_LAYOUTS[case], "mine")
    assert "\n" not in str(caught.value)
