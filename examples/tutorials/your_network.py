"""Bring your own network: explain a small PyTorch module where it stands."""

# %% [markdown]
# # Bring your own network
#
# grokscope explains networks that it did not train. Here is one in PyTorch, of a kind that
# grokscope does not have: the embeddings of x and y are added, and an MLP reads the answer off. It
# learns x + y mod 31.

# %%
import torch
from torch import nn

import grokscope as gs

P = 31


class Adder(nn.Module):
    """Tokens (pair, 2) in, logits (pair, class) out."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(P, 64)
        self.up, self.act, self.down = nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, P)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Run on (pair, 2)."""
        return self.down(self.act(self.up(self.embed(tokens).sum(dim=1))))


# %% [markdown]
# Nothing here is special: AdamW, all training pairs at once, and weight decay.

# %%
torch.manual_seed(0)
torch.set_num_threads(1)  # matrices this small are no faster with more
pairs = torch.cartesian_prod(torch.arange(P), torch.arange(P))
labels, trained = pairs.sum(dim=1) % P, torch.rand(P * P) < 0.7
module = Adder()
optimizer = torch.optim.AdamW(module.parameters(), lr=0.01, weight_decay=1.0)

for step in range(1001):
    loss = nn.functional.cross_entropy(module(pairs[trained]), labels[trained])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 250 == 0:
        right = module(pairs).argmax(dim=1) == labels
        print(f"step {step}: train {right[trained].float().mean():.0%}, ", end="")
        print(f"test {right[~trained].float().mean():.0%}")

# %% [markdown]
# It answers pairs that it was not trained on. To explain it, say what goes in for a pair, where the
# rows are that stand for residues, and where the neurons are. The module stays as it is; hooks read
# and replace.

# %%
network = gs.Network.from_torch(
    module,
    P,
    tokens=lambda x, y: (x, y),
    embedding="embed",
    neurons="act",
    W_L=module.down.weight.detach().numpy(),
)
print(network)

# %%
found = network.explain("x + y", trained=trained.reshape(P, P).numpy())
print(found)

# %% [markdown]
# Less may be known. With the logits alone, only the class axis can be tested, and the verdict says
# what is missing.

# %%
alone = gs.Network(logits=network.logits().values).explain("x + y")
print(alone.verdict)

# %% [markdown]
# Functions, checkpoints and models of TransformerLens go the same way: [Networks of
# others](../other-networks.md).
