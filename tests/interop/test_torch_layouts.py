"""Files of PyTorch's own modules: recognised by their names, with the answers of the modules."""

from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.interop.planted import P, one_hot_mlp

from grokscope.errors import UsageError
from grokscope.interop.importing import recognise
from grokscope.interop.layout_files import layouts_of, parse_layout
from grokscope.interop.wirings import _beside
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


class Conv1D(nn.Module):
    """A Linear whose weights have the inputs first, as in Hugging Face's GPT-2."""

    def __init__(self, outputs: int, inputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) / 4)
        self.bias = nn.Parameter(torch.randn(outputs))

    def forward(self, x: Any) -> Any:
        return x @ self.weight + self.bias


class HuggingBlock(nn.Module):
    """A block of GPT-2 with Conv1D."""

    def __init__(self) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attn, self.mlp = nn.Module(), nn.Module()
        self.attn.c_attn, self.attn.c_proj = Conv1D(3 * WIDTH, WIDTH), Conv1D(WIDTH, WIDTH)
        self.mlp.c_fc, self.mlp.c_proj = Conv1D(24, WIDTH), Conv1D(WIDTH, 24)

    def forward(self, x: Any) -> Any:
        n, length, _ = x.shape
        parts = self.attn.c_attn(self.ln_1(x)).split(WIDTH, dim=2)
        q, k, v = (part.view(n, length, HEADS, -1).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)
        x = x + self.attn.c_proj(mixed.reshape(n, length, WIDTH))
        return x + self.mlp.c_proj(F.gelu(self.mlp.c_fc(self.ln_2(x)), approximate="tanh"))


class Hugging(nn.Module):
    """GPT-2 of Hugging Face, with an unembedding that is tied and saved twice."""

    def __init__(self) -> None:
        super().__init__()
        blocks = nn.ModuleList([HuggingBlock() for _ in range(2)])
        parts = {"wte": nn.Embedding(P + 1, WIDTH), "wpe": nn.Embedding(3, WIDTH), "h": blocks}
        self.transformer = nn.ModuleDict(parts | {"ln_f": nn.LayerNorm(WIDTH)})
        self.lm_head = nn.Linear(WIDTH, P + 1, bias=False)
        self.lm_head.weight = self.transformer["wte"].weight

    def forward(self, tokens: Any) -> Any:
        parts = self.transformer
        x = parts["wte"](tokens) + parts["wpe"].weight[: tokens.shape[1]]
        for block in parts["h"]:
            x = block(x)
        return self.lm_head(parts["ln_f"](x[:, -1]))


class Head(nn.Module):
    """One head of attention, with matrices of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.Wq, self.Wk, self.Wv = (nn.Linear(WIDTH, WIDTH // HEADS, bias=False) for _ in range(3))

    def forward(self, x: Any) -> Any:
        return F.scaled_dot_product_attention(self.Wq(x), self.Wk(x), self.Wv(x), is_causal=True)


class HeadsBlock(nn.Module):
    """A block of the code of arXiv 2201.02177: a Linear per head, norms behind."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn, self.ffn = nn.Module(), nn.Module()
        self.self_attn.attn_heads = nn.ModuleList([Head() for _ in range(HEADS)])
        self.self_attn.Wo = nn.Linear(WIDTH, WIDTH, bias=False)
        self.self_attn_norm, self.ffn_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        up, down = nn.Linear(WIDTH, 24, bias=False), nn.Linear(24, WIDTH, bias=False)
        self.ffn.ffn = nn.Sequential(up, nn.ReLU(), down)

    def forward(self, x: Any) -> Any:
        heads = torch.cat([head(x) for head in self.self_attn.attn_heads], dim=-1)
        x = self.self_attn_norm(x + self.self_attn.Wo(heads))
        return self.ffn_norm(x + self.ffn.ffn(x))


class Heads(nn.Module):
    """The network of these blocks, with positions in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(P + 2, WIDTH)
        self.register_buffer("position_encoding", torch.randn(4, WIDTH))
        self.decoder = nn.Module()
        self.decoder.blocks = nn.ModuleList([HeadsBlock() for _ in range(2)])
        self.linear = nn.Linear(WIDTH, P + 2, bias=False)

    def forward(self, tokens: Any) -> Any:
        x = self.embedding(tokens) + self.position_encoding
        for block in self.decoder.blocks:
            x = block(x)
        return self.linear(x[:, -1])


KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "inputs first": (Hugging, {"tokens": ("x", "y", "p"), "activation": "gelu_tanh"}),
    "a Linear per head": (Heads, {"tokens": ("x", "p+1", "y", "p"), "activation": "relu"}),
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
    named = {"inputs first": "gpt2", "a Linear per head": "openai-grok"}
    assert (layout.name, layout.left_out(tensors)) == (named.get(kind, "torch-transformer"), [])
    heads = {} if layout.name == "openai-grok" else {"head": HEADS}
    layout = layout.with_settings(heads | wiring)
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


def test_where_it_is_read_and_the_mask_are_tried_together() -> None:
    """A mask shows only in the mean over positions, so that one without the other finds neither."""
    tensors = {name: W.numpy() for name, W in Encoder(True, "gelu").state_dict().items()}
    (layout,) = layouts_of(tensors)
    first = layout.with_settings({"read": -1, "causal": True})
    tried = [(one.wiring["read"], one.wiring["causal"]) for one in _beside(first, layout.tries)]
    assert ("mean", False) in tried


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
