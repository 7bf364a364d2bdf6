"""Panels that show a number for every pair as an image."""

from typing import Final

import altair as alt
import numpy as np
from jaxtyping import Float

from grokscope.report.figures.figure import Layout, Panel, inline, layered, ticks
from grokscope.report.image import VIRIDIS, image_address

MOST_RESIDUES: Final = 256
"""Residues per axis of a map; of larger moduli the first ones are shown."""


def maps_layout(p: int) -> Layout:
    """Return how maps over pairs share a width."""
    cells = min(p, MOST_RESIDUES)
    return Layout(columns=4, least=218, axis=60, square=True, most=250, cells=cells)


def colour_scale(low: float, high: float) -> alt.Scale:
    """Return the scale of the colours that `image_address` uses."""
    return alt.Scale(domain=[low, high], range=list(VIRIDIS), interpolate="rgb", clamp=True)


def cropped(p: int) -> str:
    """Return the sentence that says which residues a map leaves out, or nothing."""
    return f" The first {MOST_RESIDUES} of {p} residues are shown." if p > MOST_RESIDUES else ""


def pair_map(
    values: Float[np.ndarray, "p p"], low: float, high: float, title: str, legend: str
) -> Panel:
    """Draw `values[x, y]`, x to the right and y upwards, with a colour bar named `legend`."""
    shown = values[:MOST_RESIDUES, :MOST_RESIDUES]
    n = len(shown)
    at = ticks(0, n - 1, 5)
    axes = {
        channel: {"title": f"{channel} (residue)", "values": at, "from": -0.5, "to": n - 0.5}
        for channel in ("x", "y")
    }
    return image_panel(shown, (low, high), title, legend, axes["x"], axes["y"])


def image_panel(
    values: Float[np.ndarray, "n n"],
    domain: tuple[float, float],
    title: str,
    legend: str,
    x: dict,
    y: dict,
) -> Panel:
    """Draw an image with axes.

    **Arguments:**

    - `values`: at [x, y].
    - `domain`: numbers with the first and the last colour.
    - `legend`: name of the colour bar.
    - `x`, `y`: `title`, `values` of the ticks, and where the image goes `from` and `to`.
    """
    address = image_address(values, *domain)
    place = {"u": address, "x": x["from"], "x2": x["to"], "y": y["from"], "y2": y["to"]}
    image = (
        inline([place])
        .mark_image(aspect=False, smooth=False)
        .encode(_x(x), _y(y), alt.X2(field="x2"), alt.Y2(field="y2"), url="u:N")
    )
    # An invisible point carries the colour bar, which an image has not.
    bar = alt.Legend(title=legend, gradientLength=150, tickCount=3, gradientOpacity=1)
    colour = alt.Color("v:Q", scale=colour_scale(*domain), legend=bar)
    middle = {"x": x["from"], "y": y["from"], "v": domain[0]}
    carrier = inline([middle]).mark_point(opacity=0, tooltip=False).encode(_x(x), _y(y), colour)
    return layered([image, carrier], title)


def _x(axis: dict) -> alt.X:
    return alt.X("x:Q", title=axis["title"], scale=_domain(axis), axis=_ticks(axis))


def _y(axis: dict) -> alt.Y:
    return alt.Y("y:Q", title=axis["title"], scale=_domain(axis), axis=_ticks(axis))


def _domain(axis: dict) -> alt.Scale:
    return alt.Scale(domain=[axis["from"], axis["to"]], nice=False, zero=False)


def _ticks(axis: dict) -> alt.Axis:
    options = {"labelExpr": axis["labels"]} if "labels" in axis else {}
    return alt.Axis(values=axis["values"], grid=False, format="d", **options)
