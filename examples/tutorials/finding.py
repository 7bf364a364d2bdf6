"""From training to a finding: train two seeds, look, explain, and doubt."""

# %% [markdown]
# # From training to a finding
#
# Two networks learn x\*y mod 59. We look at them while they grok, ask which algorithm they found,
# and end with a sentence that has a number of networks and a control beside it.

# %%
import grokscope as gs

run = gs.train(
    "x*y", preset="quick", learning_rate=0.005, seeds=(0, 1), out="runs/times", resume=True
)
print(run)

# %% [markdown]
# The run is a table: when each seed had memorised its training pairs, and when it had grokked.
# `resume=True` takes up a run that is there already. The learning rate is five times the paper's,
# so that we need not wait.

# %%
run.plot.accuracy()

# %% [markdown]
# Test accuracy rises after train accuracy; with the paper's learning rate, long after. What
# changes inside? Key Frequency Share, in the basis that fits multiplication, says which share of
# the frequencies is large in W_E.

# %%
print(run.curve("kfs", "W_E", basis="matched")[:, ::5])

# %% [markdown]
# It falls: few frequencies are left. That the network *uses* them is another question, and takes
# ablations: keep only the key frequencies, remove them, and do the same with others.

# %%
found = gs.explain(run, quiet=True)
print(found[0])

# %% [markdown]
# Here are the residues in the planes of these frequencies. In the order of log x they go around a
# circle.

# %%
run.plot.circles(basis="matched")

# %%
for e in found:
    print(f"seed {e.seed}: {e.verdict}; keys of W_E, doubles among them: {e.embedding.keys}")

# %% [markdown]
# Each seed chose its own frequencies. Now the control: the same network, explained as if it added.
# Nothing of it should be found. (`thorough=False` leaves out what the verdict does not need.)

# %%
control = gs.explain(run, seeds=[0], by="x + y", thorough=False, quiet=True)
print(control)

# %%
explained = sum(e.verdict == "explained" for e in found)
print(f"{explained} of {len(found)} networks that learned x*y mod 59 answer by a few frequencies")
print("of log x, another set in every seed; as addition, one of them is not explained (n = 1).")

# %% [markdown]
# What the verdict rests on, claim by claim, is in `found[0].claims` and in the report,
# `run.report()`. What it [means and what it does not](../science/verdict.md) has a page of its
# own.
