"""Numbers as small files for a browser: a header in JSON, then arrays of bytes, deflated.

Arrays of floats have 8 bits per number, between their least and largest; those of whole numbers
keep them. `static/data.js` reads it.
"""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from jaxtyping import Shaped

from grokscope.explanation.document import to_plain
from grokscope.explorer.snapshot import Snapshot
from grokscope.explorer.what_if import WhatIf

LEVELS: Final = 254
"""Shade of the largest number; 255 stands for one that is not defined."""
MISSING: Final = 255
DECADES: Final = 3
"""Powers of ten that norms go down to, below the largest."""

Map = Shaped[np.ndarray, "..."]


def pack(header: Mapping[str, Any], arrays: Mapping[str, Map]) -> bytes:
    """Return facts and arrays as one file.

    **Arguments:**

    - `header`: what JSON can hold.
    - `arrays`: floats, or whole numbers from 0 to 65,535.
    """
    described, parts, at = {}, [], 0
    for name, array in arrays.items():
        facts, data = _quantised(array)
        described[name] = {**facts, "shape": array.shape, "at": at}
        parts.append(data)
        at += len(data)
    text = json.dumps({**header, "arrays": described}, allow_nan=False, separators=(",", ":"))
    # the arrays begin at an even place, where a browser can read them as 16-bit numbers
    words = text.encode() + b" " * (len(text.encode()) % 2)
    return zlib.compress(struct.pack("<I", len(words)) + words + b"".join(parts), 9)


def _quantised(array: Map) -> tuple[dict[str, Any], bytes]:
    """Return how to read an array, and its bytes, an even number of them."""
    if array.dtype.kind in "iub":
        return {"type": "whole"}, array.astype("<u2").tobytes()
    known = np.isfinite(array)
    low = float(array[known].min()) if known.any() else 0.0
    high = float(array[known].max()) if known.any() else 0.0
    span = (high - low) or 1.0
    shades = np.round((np.where(known, array, low) - low) / span * LEVELS)
    data = np.where(known, shades, MISSING).astype(np.uint8).tobytes()
    return {"type": "shade", "low": low, "high": high}, data + b"\0" * (len(data) % 2)


def _powers(norms: Map) -> Map:
    """Return log10 of norms over the largest, which shades can show."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log10(norms / (float(norms.max()) or 1.0)), -DECADES)


def rounded(array: Map, digits: int = 4) -> list[Any]:
    """Return floats with a few digits, as JSON holds them; None for what is not defined."""
    if array.ndim > 1:
        return [rounded(row, digits) for row in array]
    return [float(f"{v:.{digits}g}") if np.isfinite(v) else None for v in array.tolist()]


def pack_snapshot(snapshot: Snapshot, neurons: list[int], answers: list[int]) -> bytes:
    """Return a snapshot as one file.

    **Arguments:**

    - `snapshot`: what is shown.
    - `neurons`, `answers`: those whose maps are in it.
    """
    header = {
        "step": snapshot.step,
        "broken": snapshot.broken,
        "accuracy": snapshot.accuracy,
        "spectra": {
            matrix: {basis: rounded(shares) for basis, shares in of.items()}
            for matrix, of in snapshot.spectra.items()
        },
    }
    arrays: dict[str, Map] = {
        f"circles {basis}": points for basis, points in snapshot.circles.items()
    }
    for what, norms in snapshot.norms.items():
        arrays |= {f"norms {what} {basis}": _powers(values) for basis, values in norms.items()}
    if snapshot.pairs is not None:
        arrays["answers"] = snapshot.pairs.answers
        arrays |= {f"neuron {j}": snapshot.pairs.neurons[:, :, j] for j in neurons}
        arrays |= {f"logit {c}": snapshot.pairs.logits[:, :, c] for c in answers}
        if snapshot.pairs.attention is not None:
            arrays |= {f"head {h}": of for h, of in enumerate(snapshot.pairs.attention)}
    if snapshot.points is not None:
        header["points"] = {
            "frequency": snapshot.points.frequency.tolist(),
            "phase": rounded(snapshot.points.phase, 3),
            "amplitude": rounded(snapshot.points.amplitude, 3),
            "share": rounded(snapshot.points.share, 3),
        }
    return pack(header, arrays)


def pack_what_if(found: WhatIf) -> bytes:
    """Return what a network answers after edits as one file."""
    before, after = to_plain(found.before), to_plain(found.after)
    sides = " ".join(f"{side} {share:.2%}" for side, share in after["accuracy"].items())
    header = {"before": before, "after": after, "words": f"right after the edits: {sides}"}
    counts = found.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return pack(header, {"answers": found.answers, "confusion": shares})
