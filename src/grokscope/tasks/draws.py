"""Random bits that are the same on every platform and in every version of NumPy."""

from typing import Final

import numpy as np
from jaxtyping import UInt64

SPLIT_STREAM: Final = 1
TABLE_STREAM: Final = 2
NOISE_STREAM: Final = 3


def draw_bits(count: int, seed: int, stream: int, index: int = 0) -> UInt64[np.ndarray, "pair"]:
    """Return `count` raw 64-bit words; NumPy promises never to change this stream.

    **Arguments:**

    - `count`: how many words.
    - `seed`: the run's seed, 0 to 2³² − 1.
    - `stream`: which use of the seed, so that a split says nothing about a random table.
    - `index`: which of several draws of the same use.
    """
    entropy = np.random.SeedSequence([seed, stream, index])
    return np.random.PCG64(entropy).random_raw(count)
