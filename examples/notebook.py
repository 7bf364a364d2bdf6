"""From a training to a plot, an activation, an edit and a verdict; about a minute on two cores."""

# %%
import grokscope as gs

run = gs.train("x*y", preset="quick", steps=1500)
print(run)

# %%
run.plot.accuracy()

# %%
run.curve("kfs", "W_E", basis="matched").at(seed=0)

# %%
run.plot.circles(basis="matched")

# %%
net = run.network(seed=0, step="last")
neurons = net.activations(names=["blocks.0.mlp_post"])["blocks.0.mlp_post"]
strongest = int(neurons.mean(("x", "y")).values.argmax())
neurons.at(neuron=strongest)

# %%
whole, without = net.accuracy(), net.accuracy(edits={"blocks.0.mlp_post": gs.edits.zero(strongest)})
{side: (whole[side], without[side]) for side in whole}

# %%
net.explain()
