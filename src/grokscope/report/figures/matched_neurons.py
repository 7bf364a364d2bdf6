"""The strongest neurons over all pairs, residues in the order of the operation's coordinates."""

import json
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int

from grokscope.circuits import neuron_activations
from grokscope.circuits.neuron_frequencies import block_shares, dominant_frequencies
from grokscope.circuits.subject import Subject
from grokscope.inspection.network import Network
from grokscope.report.figures.figure import Figure, Panel, assemble
from grokscope.report.figures.maps import MOST_RESIDUES, image_panel, maps_layout
from grokscope.report.figures.neurons import shown_neurons

_TITLE: Final = "The same neurons in the order of the operation's coordinates"
_TICKS: Final = 5


def matched_neurons(network: Network, subject: Subject) -> Figure:
    """Return the figure: the neurons of the figure `neurons`, each by its own frequency."""
    structure = subject.matched.structure
    chosen, _ = shown_neurons(network)
    maps = neuron_activations(network.model, chosen, subject.task)
    shares = block_shares(subject, np.moveaxis(maps, 0, 2).astype(np.float64))
    best = dominant_frequencies(shares)
    panels = [
        _panel(values, int(k), subject, f"neuron {j}: k = {k}, {share[k - 1]:.0%}")
        for j, values, k, share in zip(chosen, maps, best, shares, strict=True)
    ]
    layout = maps_layout(min(subject.p, MOST_RESIDUES))
    caption = (
        "The neurons that move the logits most, with x and y rearranged: each by k·u(x) and"
        f" k·v(y) mod {structure.n}, k the frequency that holds most of its variance (its share is"
        f" in the title), u(x) = {structure.u_text} and v(y) = {structure.v_text}."
        " One wave along each"
        " side: the neuron responds to this frequency alone; a band along the falling diagonal:"
        " to the sum u + v."
    )
    if not subject.matched.embedding.inside.all():
        caption += " Residues at which a coordinate is undefined are left out."
    chart = assemble(panels, layout, _TITLE)
    return Figure("neurons-matched", _TITLE, caption, chart, layout)


def _panel(values: Float[np.ndarray, "p p"], k: int, subject: Subject, title: str) -> Panel:
    structure = subject.matched.structure
    inside = subject.matched.embedding.inside
    sides = {
        "x": _ordered(k, structure.u, inside, structure.n),
        "y": _ordered(k, structure.v, inside, structure.n),
    }
    orders = [order for order, _ in sides.values()]
    axes = [
        _axis(f"k·{name} mod {structure.n}", places)
        for name, (_, places) in zip(("u(x)", "v(y)"), sides.values(), strict=True)
    ]
    shown = values[np.ix_(*orders)]
    shown = shown / (float(shown.max()) or 1.0)
    return image_panel(shown, (0, 1), title, "activation / its maximum", *axes)


def _ordered(
    k: int, u: Int[np.ndarray, "p"], inside: np.ndarray, n: int
) -> tuple[np.ndarray, list[int]]:
    """Return residues in the order of k·u mod n, and these places."""
    residues = np.flatnonzero(inside)
    turn = k * u[residues] % n
    order = np.argsort(turn, kind="stable")[:MOST_RESIDUES]
    return residues[order], turn[order].tolist()


def _axis(title: str, places: list[int]) -> dict[str, Any]:
    """Ticks stand at cells; their labels are the places on the circle."""
    at = np.linspace(0, len(places) - 1, _TICKS).round().astype(int)
    labels = json.dumps({str(i): places[i] for i in at.tolist()})
    return {"title": title, "values": at.tolist(), "labels": f"{labels}[datum.value]",
            "from": -0.5, "to": len(places) - 0.5}  # fmt: skip
