"""Which points of a curve to keep, so that few of them still show it."""

import numpy as np
from jaxtyping import Float, Int


def thin(values: Float[np.ndarray, "step"], buckets: int) -> Int[np.ndarray, "..."]:
    """Return which points to draw, so that a linear and a logarithmic time axis show the curve.

    These are the least and the largest of each stretch, and as many evenly on a logarithmic scale.

    **Arguments:**

    - `values`: the curve; undefined and infinite values are never drawn.
    - `buckets`: number of stretches; at most 3·buckets + 2 points remain.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) <= 3 * buckets + 2:
        return known
    stretches = np.array_split(known, buckets)
    extremes = [s[f(values[s])] for s in stretches for f in (np.argmin, np.argmax)]
    early = known[np.geomspace(1, len(known), buckets).astype(int) - 1]
    return np.unique([known[0], *extremes, *early, known[-1]])
