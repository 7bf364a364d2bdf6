"""Maps over pairs as small images: a p×p array becomes one indexed PNG in a data address."""

import base64
import struct
import zlib
from typing import Final

import altair as alt
import numpy as np
from jaxtyping import Float, UInt8

from grokscope.reports.figures.figure import Layout, Number, Panel, inline, layered, ticks
from grokscope.theme import VIRIDIS

LEVELS: Final = 128
"""Shades per image: more cannot be told apart, fewer make smaller files."""


def image_address(
    values: Float[np.ndarray, "p p"], low: Number, high: Number, colours: tuple[str, ...] = VIRIDIS
) -> str:
    """Return the address of an image of `values[x, y]`, x to the right and y upwards.

    **Arguments:**

    - `values`: one number per pair.
    - `low`, `high`: numbers that get the first and the last colour; others are clipped to them.
    - `colours`: stops of the colour map, evenly spaced.
    """
    span = high - low if high > low else 1.0
    # values of a network that diverged may not be finite: they get the first colour
    share = np.nan_to_num((values - low) / span, nan=0.0, posinf=1.0, neginf=0.0)
    shade = np.round(np.clip(share, 0, 1) * (LEVELS - 1)).astype(np.uint8)
    png = _png(np.ascontiguousarray(shade.T[::-1]), _palette(colours))
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _palette(colours: tuple[str, ...]) -> UInt8[np.ndarray, "... 3"]:
    stops = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours])
    at, where = np.linspace(0, 1, LEVELS), np.linspace(0, 1, len(stops))
    channels = [np.interp(at, where, channel) for channel in stops.T]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


def _png(shade: UInt8[np.ndarray, "n n"], palette: UInt8[np.ndarray, "... 3"]) -> bytes:
    height, width = shade.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    # every line begins with its filter, 0 for none
    lines = np.pad(shade, ((0, 0), (1, 0))).tobytes()
    chunks = [
        (b"IHDR", header),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


MOST_RESIDUES: Final = 256
"""Residues per axis of a map; of larger moduli the first ones are shown."""


def maps_layout(p: int) -> Layout:
    """Return how maps over pairs share a width."""
    cells = min(p, MOST_RESIDUES)
    return Layout(columns=4, least=218, axis=60, square=True, most=250, cells=cells)


def colour_scale(low: Number, high: Number) -> alt.Scale:
    """Return the scale of the colours that `image_address` uses."""
    return alt.Scale(domain=[low, high], range=list(VIRIDIS), interpolate="rgb", clamp=True)


def cropped_in_words(p: int) -> str:
    """Return the sentence that says which residues a map leaves out, or nothing."""
    return f" The first {MOST_RESIDUES} of {p} residues are shown." if p > MOST_RESIDUES else ""


def pair_map(
    values: Float[np.ndarray, "p p"], low: Number, high: Number, title: str, legend: str
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
    domain: tuple[Number, Number],
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
