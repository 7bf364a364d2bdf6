"""What each attention head gives to x, over all pairs."""

import math
from typing import Final

import numpy as np

from grokscope.circuits import attention_patterns, mean_attention
from grokscope.inspection.network import Network
from grokscope.models import MLP
from grokscope.report.figures.figure import Figure, assemble
from grokscope.report.figures.maps import cropped, maps_layout, pair_map

MOST_HEADS: Final = 8
_TITLE: Final = "Attention from y to x, per head"


def attention(network: Network, p: int) -> Figure:
    """Return the figure: a panel per head of the last block."""
    if isinstance(network.model, MLP):
        return Figure("attention", _TITLE, "", missing="This network is an MLP: no attention.")
    patterns = attention_patterns(network.model)
    means = mean_attention(patterns)
    to_x = patterns[:MOST_HEADS, 0]
    # one scale for all heads that 98% of the weights span, so that weak patterns show
    low, high = _rounded(*np.percentile(to_x, [1, 99]))
    panels = [
        pair_map(pattern, low, high, f"head {h}: x {x:.2f}, op {op:.2f}, y {y:.2f}", "weight on x")
        for h, (pattern, (x, op, y)) in enumerate(zip(to_x, means, strict=False))
    ]
    layout = maps_layout(p)
    caption = (
        "Weight, between 0 and 1, that the head gives to x when it looks from the last position,"
        " y; the titles are means over all pairs of what goes to x, to the operator and to y."
        " Stripes are heads that choose by x or by y, an even field a head that merely averages."
        f" The colours end at {low:g} and {high:g}, between which 98% of the weights are."
        + cropped(p)
    )
    if len(patterns) > MOST_HEADS:
        caption += f" The first {MOST_HEADS} of {len(patterns)} heads are shown."
    if len(network.model.blocks) > 1:
        caption += f" Heads are those of the last of {len(network.model.blocks)} blocks."
    return Figure("attention", _TITLE, caption, assemble(panels, layout, _TITLE), layout)


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Return the next multiples of 0.02 outside a range."""
    return math.floor(low * 50) / 50, math.ceil(high * 50) / 50
