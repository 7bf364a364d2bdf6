"""Maps over pairs as small images: a p×p array becomes one indexed PNG in a data address."""

import base64
import struct
import zlib
from typing import Final

import numpy as np
from jaxtyping import Float, UInt8

VIRIDIS: Final = (
    "#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30",
    "#fde725",
)  # fmt: skip
"""Nine stops of a colour map that stays in order for colour-blind eyes and in grey."""
LEVELS: Final = 128
"""Shades per image: more cannot be told apart, fewer make smaller files."""


def image_address(
    values: Float[np.ndarray, "p p"], low: float, high: float, colours: tuple[str, ...] = VIRIDIS
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


def _palette(colours: tuple[str, ...]) -> UInt8[np.ndarray, "n 3"]:
    stops = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours])
    at, where = np.linspace(0, 1, LEVELS), np.linspace(0, 1, len(stops))
    channels = [np.interp(at, where, channel) for channel in stops.T]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


def _png(shade: UInt8[np.ndarray, "n n"], palette: UInt8[np.ndarray, "n 3"]) -> bytes:
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
