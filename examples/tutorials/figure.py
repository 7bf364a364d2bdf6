"""Reproduce a figure of the paper: which measure falls when an operation groks?"""

# %% [markdown]
# # Reproduce a figure
#
# Figure 8 of arXiv 2402.16726 shows two measures while networks grok, Fourier Frequency Sparsity
# (FFS) and Fourier Coefficient Ratio (FCR). The claim: one of them falls, and the operation
# decides which. Every figure of the paper is an experiment with a name; `grokscope reproduce
# --list` shows them all.
#
# The paper's own takes hours. We ask for a part of it, with a smaller modulus.

# %%
import grokscope as gs

page = gs.reproduce(
    "figure-8", only=["x + y", "x*y"], seeds=[0], fractions=[0.5], p=59, steps=1000, workers=2
)
print(page.name)

# %% [markdown]
# What is missing is trained as a sweep; a second call trains nothing. The page has the paper's
# numbers beside ours where both are of the same modulus, and says so where they are not, as here.

# %%
runs = gs.runs("sweeps/paper")
print(runs)

# %% [markdown]
# A run that has not grokked within its steps is *undecided*: more steps may still grok, and the
# page never counts it as a disagreement. What we came for has happened by then.
#
# Addition: FFS falls, FCR stays high.

# %%
by_operation = {line.operation: gs.load_run(line) for line in runs}
plus, times = by_operation["x + y"], by_operation["x*y"]
plus.plot.measures()

# %% [markdown]
# Multiplication: FFS stays at 1. In waves of x there are no few frequencies to be seen.

# %%
times.plot.measures()

# %%
for run in (plus, times):
    for matrix in ("W_E", "W_L"):
        ffs, fcr = (run.curve(name, matrix).values[0] for name in ("ffs", "fcr"))
        fall = f"FFS {ffs[0]:.2f} → {ffs[-1]:.2f}, FCR {fcr[0]:.2f} → {fcr[-1]:.2f}"
        print(f"{run.operation:6}{matrix}: {fall}")

# %% [markdown]
# One seed and one modulus show no law. [Are they progress measures?](../progress.md) has five
# seeds and three controls, and [the basis that fits](../matched.md) what multiplication looks like
# in waves of log x. What was reproduced at the paper's size: [The paper,
# reproduced](../reproduction.md).
