"""Watch a circuit form: when do the key frequencies begin to carry the answers?"""

# %% [markdown]
# # Watch a circuit form
#
# A network that has grokked answers by a few frequencies. Since when? We take the frequencies that
# it has at the end, and go back through its checkpoints: how well does the network answer at each
# of them with nothing but these in its embedding, and how well without them?

# %%
import numpy as np

import grokscope as gs

run = gs.train(
    "x*y", preset="quick", learning_rate=0.005, seeds=(0, 1), out="runs/times", resume=True
)
print(run.checkpoint_steps())

# %% [markdown]
# This is the run of the [first tutorial](finding.md); where it is not there, it is trained.

# %%
basis = gs.basis("x*y", p=59)
last = run.network(seed=0)
large = gs.measures.key_frequencies(last.embedding, basis=basis)
keys = [int(k) + 1 for k in np.flatnonzero(large)]
print(keys)

# %%
print("step    whole  only the keys  without them  (accuracy on test pairs)")
for step in run.checkpoint_steps():
    net = run.network(seed=0, step=step)
    answers = [
        net.accuracy(edits=edits)["test"]
        for edits in (
            {},
            {"W_E": gs.edits.keep(keys, basis)},
            {"W_E": gs.edits.remove(keys, basis)},
        )
    ]
    print(f"{step:>5}" + "".join(f"{share:>12.0%}" for share in answers))

# %% [markdown]
# Where *only the keys* is above *whole*, the circuit is there already, and what was learned by
# heart still drowns it. Then the rest is cleaned away, and both are the same. Without the keys
# hardly anything is answered, at any time. The same in the curves of the measures:

# %%
run.plot.measures(basis="matched")

# %% [markdown]
# `gs.over_time(run)` asks the same of all claims of an explanation, and `grokscope explore runs`
# lets you drive it with a slider.
