"""Neurons, attention and logits over all pairs."""

import json
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int

from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.logits import frequency_pair_norms
from grokscope.explanation.neurons import block_shares, dominant_frequencies
from grokscope.explanation.of_run import SavedNetwork
from grokscope.explanation.pairs import (
    attention_layers,
    attention_patterns,
    logits_over_pairs,
    neuron_activations,
    neuron_strengths,
    positions_of,
    read_at,
)
from grokscope.explanation.sentences import joined_by_and
from grokscope.reports.figures.figure import Figure, Layout, Panel, assemble, ticks
from grokscope.reports.figures.maps import (
    MOST_RESIDUES,
    cropped_in_words,
    image_panel,
    maps_layout,
    pair_map,
)

NEURONS: Final = 8
_TICKS: Final = 5


def neurons(
    network: SavedNetwork, p: int, in_basis: NetworkInBasis | None = None, number: int = 0
) -> Figure:
    """Return the figure: a panel for each of the strongest neurons.

    **Arguments:** the network; the modulus; where x and y are to stand in the order of an
    operation's coordinates, the network with its structure; which operation of a mixture, from 0.
    """
    strengths = neuron_strengths(network.model)
    chosen = np.argsort(-strengths, kind="stable")[:NEURONS].tolist()
    maps = neuron_activations(network.model, chosen, number)
    layout = maps_layout(p)
    if in_basis is None:
        name, title = "neurons", "The neurons that move the logits most"
        panels = [
            _neuron_panel(values, f"neuron {j}: 0 to {values.max():.2g}")
            for j, values in zip(chosen, maps, strict=True)
        ]
        caption = _held_by(chosen, strengths) + cropped_in_words(p)
    else:
        name = "neurons-matched"
        title = "The neurons in the order of the operation's coordinates"
        shares = block_shares(in_basis, np.moveaxis(maps, 0, 2).astype(np.float64))
        best = dominant_frequencies(shares).tolist()
        panels = [
            _neuron_panel(values, f"neuron {j}: k = {k}, {share[k - 1]:.0%}", in_basis, k)
            for j, values, k, share in zip(chosen, maps, best, shares, strict=True)
        ]
        caption = _rearranged(in_basis)
    return Figure(name, title, caption, assemble(panels, layout, title), layout)


def _held_by(chosen: list[int], strengths: Float[np.ndarray, "d_mlp"]) -> str:
    share = (strengths[chosen] ** 2).sum() / max((strengths**2).sum(), 1e-300)
    return (
        "Activation at the last position of the neurons with the largest standard deviation times"
        f" norm of their column of W_L (these {len(chosen)} hold {share:.0%} of the sum of squares"
        f" over all {len(strengths)}). Waves along x and y show one frequency per neuron; stripes"
        " along a diagonal, one that already depends on x + y or x − y alone."
    )


def _rearranged(in_basis: NetworkInBasis) -> str:
    structure = in_basis.basis.structure
    caption = (
        "The neurons that move the logits most, with x and y rearranged: each by k·u(x) and"
        f" k·v(y) mod {structure.n}, k the frequency that holds most of its variance (its share is"
        f" in the title), u(x) = {structure.u_text} and v(y) = {structure.v_text}."
        " One wave along each"
        " side: the neuron responds to this frequency alone; a band along the falling diagonal:"
        " to the sum u + v."
    )
    if not in_basis.basis.inputs.inside.all():
        caption += " Residues at which a coordinate is undefined are left out."
    return caption


def _neuron_panel(
    values: Float[np.ndarray, "p p"], title: str, in_basis: NetworkInBasis | None = None, k: int = 1
) -> Panel:
    """Draw a neuron over x and y, or over k·u(x) and k·v(y) of a structure."""
    legend = "activation / its maximum"
    if in_basis is None:
        return pair_map(values / (float(values.max()) or 1.0), 0, 1, title, legend)
    structure, inside = in_basis.basis.structure, in_basis.basis.inputs.inside
    sides = {"u(x)": structure.u, "v(y)": structure.v}
    orders, turns = zip(
        *(_ordered(k, coordinate, inside, structure.n) for coordinate in sides.values()),
        strict=True,
    )
    axes = [
        _axis(f"k·{name} mod {structure.n}", turn) for name, turn in zip(sides, turns, strict=True)
    ]
    shown = values[np.ix_(*orders)]
    return image_panel(shown / (float(shown.max()) or 1.0), (0, 1), title, legend, *axes)


def _ordered(
    k: int, u: Int[np.ndarray, "p"], inside: np.ndarray, n: int
) -> tuple[np.ndarray, list[int]]:
    """Return residues in the order of k·u mod n, and their k·u mod n."""
    residues = np.flatnonzero(inside)
    turn = k * u[residues] % n
    order = np.argsort(turn, kind="stable")[:MOST_RESIDUES]
    return residues[order], turn[order].tolist()


def _axis(title: str, turn: list[int]) -> dict[str, Any]:
    """Ticks stand at cells; their labels are the places on the circle."""
    at = np.linspace(0, len(turn) - 1, _TICKS).round().astype(int)
    labels = json.dumps({str(i): turn[i] for i in at.tolist()})
    return {
        "title": title,
        "values": at.tolist(),
        "labels": f"{labels}[datum.value]",
        "from": -0.5,
        "to": len(turn) - 0.5,
    }


MOST_HEADS: Final = 8
_ATTENTION_TITLE: Final = "Attention to x, per head"


def attention(network: SavedNetwork, p: int) -> Figure:
    """Return the figure: a panel per head of the last block."""
    blocks = attention_layers(network.model)
    if not blocks:
        return Figure(
            "attention", _ATTENTION_TITLE, "", missing="This network is an MLP: no attention."
        )
    positions, patterns = positions_of(network.model), attention_patterns(network.model)
    means = patterns.mean(axis=(2, 3))
    to_x = patterns[:MOST_HEADS, positions.index("x")]
    at = read_at(network.model)
    from_where = (
        "it looks from any position, on average"
        if at is None
        else f"it looks from {positions[at]}, where the answer is read"
    )
    # one scale for all heads that 98% of the weights span, so that weak patterns show
    low, high = _rounded(*np.percentile(to_x, [1, 99]))
    panels = [
        pair_map(pattern, low, high, f"head {h}: {_weights(positions, mean)}", "weight on x")
        for h, (pattern, mean) in enumerate(zip(to_x, means, strict=False))
    ]
    layout = maps_layout(p)
    caption = (
        f"Weight that the head gives to x when {from_where}; the"
        f" titles are means over all pairs of what goes to {joined_by_and(positions)}."
        " Stripes are heads that choose by x or by y, an even field a head that merely averages."
        f" The colours end at {low:g} and {high:g}, between which 98% of the weights are."
        + cropped_in_words(p)
    )
    if len(patterns) > MOST_HEADS:
        caption += f" The first {MOST_HEADS} of {len(patterns)} heads are shown."
    if blocks > 1:
        caption += f" Heads are those of the last of {blocks} blocks."
    return Figure(
        "attention", _ATTENTION_TITLE, caption, assemble(panels, layout, _ATTENTION_TITLE), layout
    )


def _weights(positions: Sequence[str], mean: Float[np.ndarray, "pos"]) -> str:
    return ", ".join(f"{name} {w:.2f}" for name, w in zip(positions, mean.tolist(), strict=True))


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Return the next multiples of 0.02 outside a range."""
    return math.floor(low * 50) / 50, math.ceil(high * 50) / 50


LARGEST_MODULUS: Final = 257
"""Logits of larger moduli, p³ numbers, are not worth the memory of a report."""
DECADES: Final = 3
"""Powers of ten that the second map goes down to."""
_MODES_TITLE: Final = "The logits in the Fourier basis of x and y"


def modes(network: SavedNetwork, p: int) -> Figure:
    """Return the figure: a map of norms, and one of their logarithms."""
    layout = Layout(columns=2, least=340, axis=70, square=True, most=500, cells=p)
    if p > LARGEST_MODULUS:
        missing = f"Left out: p = {p} is over {LARGEST_MODULUS}, where p³ logits take much memory."
        return Figure("modes", _MODES_TITLE, "", missing=missing)
    norms = frequency_pair_norms(logits_over_pairs(network.model))
    top = float(norms.max()) or 1.0
    at = [2 * k for k in ticks(0, p // 2, 8)]
    axes = [
        {
            "title": f"frequency in {name} (cosine, then sine)",
            "values": at,
            "labels": "format(datum.value / 2, 'd')",
            "from": 0,
            "to": p,
        }
        for name in ("x", "y")
    ]
    share = norms / top
    with np.errstate(divide="ignore"):
        powers = np.maximum(np.log10(share), -DECADES)
    panels = [
        image_panel(share, (0, 1), "norm / largest norm", "norm / largest", *axes),
        image_panel(powers, (-DECADES, 0), "the same, as a power of ten", "log10", *axes),
    ]
    caption = (
        "Every cell is a product of one wave in x and one in y; its colour is the norm over the"
        f" answers of what the logits hold of it. {_strongest(norms)} Few bright cells mean an"
        " algorithm of few waves; on the diagonal both have the same frequency, as in"
        " cos(2πk(x + y − c)/p)."
    )
    chart = assemble(panels, layout, _MODES_TITLE)
    chart["resolve"] = {"scale": {"color": "independent"}}
    return Figure("modes", _MODES_TITLE, caption, chart, layout)


def _strongest(norms: np.ndarray, count: int = 5) -> str:
    """Say which pairs of frequencies hold most of the squared norm."""
    p = len(norms)
    k = (np.arange(p) + 1) // 2
    power = np.zeros((p // 2 + 1, p // 2 + 1))
    np.add.at(power, (k[:, None], k[None]), norms**2)
    largest = np.argsort(-power, axis=None, kind="stable")[:count]
    pairs = [divmod(int(i), p // 2 + 1) for i in largest]
    share = sum(power[pair] for pair in pairs) / max(power.sum(), 1e-300)
    names = ", ".join(f"({i}, {j})" for i, j in pairs)
    return f"The {len(pairs)} strongest pairs of frequencies, {names}, hold {share:.0%}."
