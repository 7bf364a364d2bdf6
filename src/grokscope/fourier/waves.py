"""The waves of Z_n, cos and sin of 2πku/n: the one place where they are computed."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Complex, Float, Int


def n_frequencies(n: int) -> int:
    """Return ⌊n/2⌋, the number of frequencies k = 1 … ⌊n/2⌋ of the group Z_n."""
    return n // 2


def all_frequencies(n: int) -> tuple[int, ...]:
    """Return the frequencies 1 … ⌊n/2⌋ of Z_n."""
    return tuple(range(1, n_frequencies(n) + 1))


def real_waves(
    u: Int[np.ndarray, "p"], frequencies: Sequence[int], n: int
) -> Float[np.ndarray, "p freq 2"]:
    """Return cos and sin of 2πku/n at every element and frequency.

    **Arguments:**

    - `u`: elements of Z_n, −1 where undefined.
    - `frequencies`: whole numbers k.
    - `n`: order of the group.

    **Returns:** at [element, frequency, cosine | sine], 0 where u is undefined.
    """
    # k·u is reduced mod n as an integer, so that large angles lose no digits
    angle = 2 * np.pi / n * (np.outer(u, np.asarray(frequencies, int)) % n)
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return np.where((u >= 0)[:, None, None], waves, 0.0)


def complex_waves(
    u: Int[np.ndarray, "p"], frequencies: Sequence[int], n: int
) -> Complex[np.ndarray, "p freq"]:
    """Return e^{2πiku/n} at every element and frequency; arguments as for `real_waves`."""
    waves = real_waves(u, frequencies, n)
    return waves[..., 0] + 1j * waves[..., 1]
