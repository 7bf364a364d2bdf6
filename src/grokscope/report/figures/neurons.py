"""The strongest neurons over all pairs."""

from typing import Final

import numpy as np
from jaxtyping import Float

from grokscope.circuits import neuron_activations, neuron_strengths, strongest_neurons
from grokscope.inspection.network import Network
from grokscope.report.figures.figure import Figure, assemble
from grokscope.report.figures.maps import cropped, maps_layout, pair_map

NEURONS: Final = 8
_TITLE: Final = "The neurons that move the logits most"


def neurons(network: Network, p: int) -> Figure:
    """Return the figure: a panel for each of the strongest neurons."""
    chosen, strengths = shown_neurons(network)
    share = (strengths[chosen] ** 2).sum() / max((strengths**2).sum(), 1e-300)
    maps = neuron_activations(network.model, chosen)
    panels = [
        pair_map(values / (float(values.max()) or 1.0), 0, 1,
                 f"neuron {j}: 0 to {values.max():.2g}", "activation / its maximum")
        for j, values in zip(chosen, maps, strict=True)
    ]  # fmt: skip
    layout = maps_layout(p)
    caption = (
        "Activation at the last position of the neurons with the largest standard deviation times"
        f" norm of their column of W_L (these {len(panels)} hold {share:.0%} of the sum of squares"
        f" over all {len(strengths)}). Waves along x and y show one frequency per neuron; stripes"
        " along a diagonal, one that already depends on x + y or x − y alone." + cropped(p)
    )
    return Figure("neurons", _TITLE, caption, assemble(panels, layout, _TITLE), layout)


def shown_neurons(network: Network) -> tuple[list[int], Float[np.ndarray, "d_mlp"]]:
    """Return the numbers of the neurons that are drawn, and the strengths of all."""
    strengths = neuron_strengths(network.model)
    return strongest_neurons(strengths, NEURONS), strengths
