"""The logits in the Fourier basis of x and y."""

from typing import Final

import numpy as np

from grokscope.circuits import logits_over_pairs, mode_norms
from grokscope.inspection.network import Network
from grokscope.report.figures.figure import Figure, Layout, assemble, ticks
from grokscope.report.figures.maps import image_panel

LARGEST_MODULUS: Final = 257
"""Logits of larger moduli, p³ numbers, are not worth the memory of a report."""
DECADES: Final = 3
"""Powers of ten that the second map goes down to."""
_TITLE: Final = "The logits in the Fourier basis of x and y"


def modes(network: Network, p: int) -> Figure:
    """Return the figure: a map of norms, and one of their logarithms."""
    layout = Layout(columns=2, least=340, axis=70, square=True, most=500, cells=p)
    if p > LARGEST_MODULUS:
        missing = f"Left out: p = {p} is over {LARGEST_MODULUS}, where p³ logits take much memory."
        return Figure("modes", _TITLE, "", missing=missing)
    norms = mode_norms(logits_over_pairs(network.model))
    top = float(norms.max()) or 1.0
    at = [2 * k for k in ticks(0, p // 2, 8)]
    axes = [
        {"title": f"frequency in {name} (cosine, then sine)", "values": at,
         "labels": "format(datum.value / 2, 'd')", "from": 0, "to": p}
        for name in ("x", "y")
    ]  # fmt: skip
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
    chart = assemble(panels, layout, _TITLE)
    chart["resolve"] = {"scale": {"color": "independent"}}
    return Figure("modes", _TITLE, caption, chart, layout)


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
