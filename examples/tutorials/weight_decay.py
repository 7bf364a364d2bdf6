"""A sweep that answers a question: does weight decay change which frequencies are chosen?"""

# %% [markdown]
# # A sweep that answers a question
#
# Does weight decay change *which* frequencies a network chooses? If it does, two networks that
# differ in weight decay alone share fewer of them than two that differ in nothing. They cannot
# differ in nothing: so we compare with networks that differ in the seed alone, which draws the
# split and the initial weights.

# %%
from itertools import combinations

import numpy as np

import grokscope as gs

sweep = gs.sweep(
    {
        "axes": {"weight_decay": [0.5, 2.0], "seed": [0, 1, 2, 3]},
        "fixed": {
            "operation": "x + y",
            "preset": "quick",
            "p": 31,
            "learning_rate": 0.005,
            "steps": 3000,
            "stop_margin": 200,
        },
    },
    "sweeps/weight-decay",
)
index = sweep.index().to_pandas()
print(index[["weight_decay", "seed", "status", "grokked_at"]])

# %% [markdown]
# Eight runs, trained by one process per core. A frequency is a *key* here when its norm in W_E is
# over half of the largest; `gs.explain(sweep)` tests keys against permuted tables and by ablation,
# and takes a minute longer.

# %%
keys = {}
for line in sweep.runs:
    run = gs.load_run(line)
    W_E = run.network().weights["W_E"]
    keys[run.config.optimizer.weight_decay, run.seeds[0]] = {
        int(k) + 1 for k in np.flatnonzero(gs.measures.key_frequencies(W_E))
    }
for (decay, seed), found in sorted(keys.items()):
    print(f"weight decay {decay}, seed {seed}: {sorted(found)}")

# %% [markdown]
# The share of keys that two networks have in common is the Jaccard index. Beside it stands what
# chance gives: as many keys, drawn at random from the 15 frequencies of Z_31.


# %%
def shared(pairs: list) -> tuple[float, float]:
    """Return the mean Jaccard index of pairs of networks, and that of random keys."""
    rng = np.random.default_rng(0)
    real, chance = [], []
    for a, b in pairs:
        real.append(len(a & b) / len(a | b))
        draws = [
            [set(rng.choice(15, len(s), replace=False).tolist()) for s in (a, b)]
            for _ in range(200)
        ]
        chance.append(np.mean([len(c & d) / len(c | d) for c, d in draws]))
    return float(np.mean(real)), float(np.mean(chance))


other_decay = [(keys[0.5, seed], keys[2.0, seed]) for seed in range(4)]
other_seed = [
    (keys[decay, i], keys[decay, j]) for decay in (0.5, 2.0) for i, j in combinations(range(4), 2)
]
for name, pairs in (("weight decay", other_decay), ("the seed", other_seed)):
    real, chance = shared(pairs)
    print(f"two that differ in {name} share {real:.0%}, at random {chance:.0%} (n = {len(pairs)})")

# %% [markdown]
# Four pairs are few. With twenty networks and keys by `gs.explain` the answer is: weight decay
# hardly matters, the seed chooses ([the measured
# numbers](../sweeps.md#what-was-found-without-code)). What weight decay does change is *when*:

# %%
for decay, steps in index.groupby("weight_decay")["grokked_at"]:
    print(
        f"weight decay {decay}: grokked at {steps.median():,.0f} in the median (n = {len(steps)})"
    )
