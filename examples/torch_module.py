"""Train somebody's PyTorch module until it groks, and explain it where it stands.

The module has what ours do not: positions, LayerNorm, GELU, biases, two blocks, an "=" token. It
groks x + y mod 31 in minutes; the ten lines of `explain` are all that an explanation needs.
Needs PyTorch: pip install torch.
"""

from typing import Any

import torch
from torch import nn

import grokscope as gs

P, WIDTH, HEADS = 31, 64, 4


class Block(nn.Module):
    """Attention, then an MLP, each behind a LayerNorm and added to the residual stream."""

    def __init__(self) -> None:
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.up, self.act, self.down = nn.Linear(WIDTH, 128), nn.GELU(), nn.Linear(128, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run on (pair, position, width)."""
        read = self.ln1(x)
        x = x + self.attention(read, read, read, need_weights=False)[0]
        return x + self.down(self.act(self.up(self.ln2(x))))


class Adder(nn.Module):
    """Tokens x, y, "=" in; logits over the residues at each position out."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(P + 1, WIDTH), nn.Embedding(3, WIDTH)
        self.blocks, self.ln = nn.ModuleList([Block(), Block()]), nn.LayerNorm(WIDTH)
        self.unembed = nn.Linear(WIDTH, P)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Run on (pair, position)."""
        x = self.tokens(tokens) + self.positions.weight
        for block in self.blocks:
            x = block(x)
        return self.unembed(self.ln(x))


def train(steps: int = 4000, fraction: float = 0.6) -> tuple[Adder, torch.Tensor]:
    """Return a trained module, and which pairs [x, y] it was trained on."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # matrices this small are no faster with more
    module = Adder()
    x, y = torch.meshgrid(torch.arange(P), torch.arange(P), indexing="ij")
    tokens = torch.stack([x.flatten(), y.flatten(), torch.full((P * P,), P)], dim=1)
    labels = (tokens[:, 0] + tokens[:, 1]) % P
    trained, held = torch.rand(P * P) < fraction, 0
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, weight_decay=1.0)
    for step in range(1, steps + 1):
        logits = module(tokens[trained])[:, -1]
        loss = nn.functional.cross_entropy(logits, labels[trained])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            with torch.no_grad():
                right = (module(tokens)[:, -1].argmax(dim=1) == labels)[~trained]
            print(f"step {step}: loss {loss:.2e}, test accuracy {right.float().mean():.1%}")
            held = held + 1 if right.all() else 0
            if held == 3:
                break
    return module, trained.reshape(P, P)


def explain(module: Adder, trained: torch.Tensor) -> Any:
    """Return which algorithm the module found, with causal evidence."""
    network = gs.Network.from_torch(
        module,
        P,
        tokens=lambda x, y: (x, y, P),
        embedding="tokens",
        neurons="blocks.1.act",
        position=-1,
    )
    return gs.explain(network, "x + y", trained=trained.numpy())


if __name__ == "__main__":
    print(explain(*train()))
