"""PyTorch modules: explained where they stand, and left as they were."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.interop.planted import KEYS, P, one_hot_mlp, waves

import grokscope as gs
from grokscope.errors import UsageError
from grokscope.explanation.verdict import ClaimId

torch = pytest.importorskip("torch")
nn = torch.nn
GRID = 8


class Block(nn.Module):
    """ReLU(cos(w_k x + φ) + cos(w_k y + ψ)) at the last of three positions, and dropout."""

    def __init__(self) -> None:
        super().__init__()
        weights = {name: torch.from_numpy(W) for name, W in one_hot_mlp(GRID).items()}
        first = weights["0.weight"]
        self.emb = nn.Embedding(2 * P + 1, first.shape[0])
        table = torch.cat([first[:, :P].T, first[:, P:].T, torch.zeros(1, first.shape[0])])
        self.emb.weight.data = table
        self.act, self.out, self.drop = nn.ReLU(), nn.Linear(first.shape[0], P), nn.Dropout(0.5)
        self.out.weight.data, self.out.bias.data = weights["2.weight"], weights["2.bias"]

    def forward(self, tokens: Any) -> Any:
        mixed = self.emb(tokens).sum(dim=1, keepdim=True).expand(-1, tokens.shape[1], -1)
        return self.drop(self.out(self.act(mixed)))


def network(module: Any, **given: Any) -> gs.Network:
    known: dict[str, Any] = {
        "tokens": lambda x, y: (x, y + P, 2 * P),
        "embedding": "emb",
        "neurons": "act",
        "W_L": module.out.weight,
    }
    return gs.Network.from_torch(module, P, **known | given)


def test_a_module_is_explained_and_left_as_it_was() -> None:
    module = Block().train()
    module.out.eval()
    before = {name: w.clone() for name, w in module.state_dict().items()}
    modes = [part.training for part in module.modules()]
    found = network(module).explain("x + y")
    assert found.verdict == "explained"
    assert set(found.embedding.keys) == set(found.neuron_logit_map.keys) == set(KEYS)
    assert found.claims[ClaimId.PATCHING].value == 1
    assert found.claims[ClaimId.NEURONS_KEEP].value == pytest.approx(1)
    assert found.neurons.share_above_85 == 1
    assert [part.training for part in module.modules()] == modes
    assert all(torch.equal(w, before[name]) for name, w in module.state_dict().items())
    assert all(p.grad is None for p in module.parameters())
    assert not module.act._forward_hooks


@pytest.mark.parametrize("wrap", [torch.compile, nn.DataParallel])
def test_what_is_compiled_or_run_in_parallel_is_the_module_within(wrap: Any) -> None:
    module = Block().eval()
    found = gs.Network.from_torch(
        wrap(module), P, tokens=lambda x, y: (x, y + P, 2 * P), embedding="emb", neurons="act"
    )
    assert np.array_equal(found._known.logits_of(None), network(module)._known.logits_of(None))
    assert found._known.neurons_of is not None
    assert found._known.neurons_of(None).max() > 0


def test_a_module_that_fails_on_its_tokens_says_so() -> None:
    with pytest.raises(UsageError, match="fails on these tokens"):
        network(Block().eval(), tokens=lambda x, y: (x, y + P, 9 * P))


def test_gradients_are_those_of_the_logits() -> None:
    module = Block().eval()
    known = network(module)._known
    assert known.gradients_of is not None
    x, y, c = (np.array(a) for a in ([3, 3, 7], [5, 11, 3], [1, 2, 3]))
    found = known.gradients_of(x, y, c)
    W = module.emb.weight.detach()
    for i in range(3):
        rows = [W[x[i]].clone().requires_grad_(), W[P + y[i]].clone().requires_grad_()]
        module.out(module.act(rows[0] + rows[1]))[c[i]].backward()
        for mine, row in zip((found.of_x, found.of_y), rows, strict=True):
            assert np.allclose(mine[i], row.grad.numpy(), atol=1e-5)


def test_one_hot_inputs_are_columns_of_a_linear() -> None:
    weights = {name: torch.from_numpy(W) for name, W in one_hot_mlp(GRID).items()}
    module = nn.Sequential(nn.Linear(2 * P, len(weights["0.bias"])), nn.ReLU(), nn.Linear(1, 1))
    module[2] = nn.Linear(len(weights["0.bias"]), P)
    module.load_state_dict(weights)

    def both(x: Any, y: Any) -> Any:
        one_hot = nn.functional.one_hot
        return torch.cat([one_hot(x, P), one_hot(y, P)], dim=1).float()

    net = gs.Network.from_torch(module, P, tokens=both, embedding="0", neurons="1")
    found = net.explain("x + y")
    assert found.verdict == "explained"
    assert found.embedding.name == "W_E of x and of y"
    assert found.claims[ClaimId.PATCHING].value == 1
    assert found.neurons.share_above_85 == 1


class Apart(nn.Module):
    """Tables of their own for x and y, and an output beside others."""

    def __init__(self) -> None:
        super().__init__()
        table = torch.from_numpy(waves()).float()
        self.of_x, self.of_y = nn.Embedding(P, 6), nn.Embedding(P, 6)
        self.of_x.weight.data, self.of_y.weight.data = table.clone(), table.clone()

    def forward(self, tokens: Any) -> Any:
        x, y = self.of_x(tokens[:, 0]), self.of_y(tokens[:, 1])
        cos = x[:, 0::2] * y[:, 0::2] - x[:, 1::2] * y[:, 1::2]
        sin = x[:, 0::2] * y[:, 1::2] + x[:, 1::2] * y[:, 0::2]
        table = torch.from_numpy(waves()).float()
        return cos @ table[:, 0::2].T + sin @ table[:, 1::2].T, None


def test_two_tables_and_an_output_beside_others() -> None:
    net = gs.Network.from_torch(Apart(), P, tokens=lambda x, y: (x, y), embedding=("of_x", "of_y"))
    found = net.explain("x + y")
    assert found.verdict == "explained"
    assert found.algorithm.kind == "clock"


class Encoder(nn.Module):
    """PyTorch's own encoder, which in evaluation mode has a way past its parts; read from x."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 24, 0.0, batch_first=True)
        self.emb, self.encoder = nn.Embedding(P, 16), nn.TransformerEncoder(layer, 1)
        self.out = nn.Linear(16, P, bias=False)
        self.out.weight = self.emb.weight

    def forward(self, tokens: Any) -> Any:
        return self.out(self.encoder(self.emb(tokens)))


def test_neurons_of_an_encoder_are_read_and_the_embedding_may_be_tied() -> None:
    torch.manual_seed(0)
    module = Encoder().eval()
    net = gs.Network.from_torch(
        module,
        P,
        tokens=lambda x, y: (x, y),
        embedding="emb",
        neurons="encoder.layers.0.linear1",
        position=0,
    )
    known = net._known
    assert known.neurons_of is not None
    assert known.neurons_of(None).shape == (P, P, 24)
    x, y = torch.meshgrid(torch.arange(P), torch.arange(P), indexing="ij")
    with torch.no_grad():
        expected = module(torch.stack([x.flatten(), y.flatten()], dim=1))[:, 0]
    assert np.allclose(known.logits_of(None).reshape(P * P, P), expected.numpy(), atol=1e-5)
    assert torch.backends.mha.get_fastpath_enabled()


def test_an_error_inside_leaves_the_module_as_it_was() -> None:
    module = Block().train()
    network(module)

    def fails(_: Any) -> Any:
        raise RuntimeError("inside")

    module.forward = fails
    with pytest.raises(UsageError, match="fails on these tokens"):
        network(module)
    assert module.training
    assert not module.act._forward_hooks


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "embedding": ({"embedding": "embd"}, "no such part; got 'embd'; did you mean emb"),
    "neurons": ({"neurons": "relu"}, "no such part"),
    "no matrix": ({"embedding": "act"}, "is no embedding"),
    "a vector": ({"embedding": "out.bias"}, "is no matrix"),
    "one position": ({"tokens": lambda x, y: (x + y, 2 * P)}, "do not hold x at one position"),
    "twice": ({"tokens": lambda x, y: (x, x, y + P)}, "do not hold x at one position"),
    "turned": ({"tokens": lambda x, y: (P - 1 - x, y + P)}, "do not hold x at one position"),
    "too large": ({"tokens": lambda x, y: (x, y + 2 * P)}, "too few rows"),
    "W_L": ({"W_L": np.zeros((P, 3))}, "W_L has the wrong shape"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_names_and_tokens_are_one_line(case: str) -> None:
    changes, words = WRONG[case]
    with pytest.raises(gs.errors.UsageError) as caught:
        network(Block(), **changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(gs.errors.UsageError, match="no PyTorch module"):
        gs.Network.from_torch("model.pt", P, tokens=lambda x, y: (x, y), embedding="emb")
    module = Block()
    module.out = nn.Linear(module.out.in_features, P - 1)
    with pytest.raises(gs.errors.UsageError, match="too few answers"):
        network(module, W_L=None)


def test_the_example_program_explains_what_it_trains() -> None:
    """With a few steps there is nothing to explain, and that is what is said."""
    path = Path(__file__).parents[2] / "examples" / "torch_module.py"
    example = runpy.run_path(str(path))
    module, trained = example["train"](steps=3)
    found = example["explain"](module, trained)
    assert found.verdict == "not explained"
    assert found.claims[ClaimId.NEW_PAIRS].fails
    assert found.claims[ClaimId.NEW_PAIRS].n is not None
    assert found.p == example["P"]
