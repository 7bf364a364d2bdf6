"""The characters of a cyclic group, as real orthonormal vectors."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float


def n_frequencies(n: int) -> int:
    """Return ⌊n/2⌋, the number of frequencies k = 1 … ⌊n/2⌋ of the group Z_n."""
    return n // 2


@lru_cache(maxsize=64)
def additive_basis(n: int) -> Float[np.ndarray, "n mode"]:
    """Return the real Fourier basis of functions on Z_n, over its full period.

    **Arguments:**

    - `n`: order of the group, at least 1.

    **Returns:** float64, read-only; columns have unit norm and are orthogonal, in the order
    constant, cos 1, sin 1, cos 2, sin 2 … An even n ends with the cosine of frequency n/2
    (Nyquist), which has no sine.
    """
    k = np.arange(1, n_frequencies(n) + 1)
    # k·x is reduced mod n as an integer, so that large angles lose no digits
    angle = 2 * np.pi / n * (np.outer(np.arange(n), k) % n)
    basis = np.empty((n, n))
    basis[:, 0] = 1 / np.sqrt(n)
    # √(2/n) cos(2πkx/n) and √(2/n) sin(2πkx/n)
    basis[:, 1::2] = np.sqrt(2 / n) * np.cos(angle)
    basis[:, 2::2] = np.sqrt(2 / n) * np.sin(angle[:, : (n - 1) // 2])
    if n % 2 == 0:
        # cos(πx) = ±1 has norm √n
        basis[:, -1] /= np.sqrt(2)
    basis.flags.writeable = False
    return basis
