"""The circles on which a table lays out its residues."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from grokscope.errors import UsageError
from grokscope.spectra.basis import additive_basis, n_frequencies
from grokscope.spectra.spectrum import spectrum


def frequency_shares(table: Float[Any, "p column"]) -> Float[np.ndarray, "freq"]:
    """Return the share of each frequency in the squared norm of a table without its mean row.

    **Arguments:** a table with one row per residue.

    **Returns:** shares of k = 1 … ⌊p/2⌋, which sum to 1; nan for a table of equal rows.
    """
    power = np.asarray(spectrum(table).joint, np.float64) ** 2
    with np.errstate(invalid="ignore"):
        return power / power.sum()


def strongest_frequencies(table: Float[Any, "p column"], count: int) -> list[int]:
    """Return the `count` frequencies k with the largest norms, the largest first."""
    order = np.argsort(-np.asarray(spectrum(table).joint), kind="stable")
    return (1 + order[:count]).tolist()


def circle(table: Float[Any, "p column"], k: int) -> Float[np.ndarray, "p 2"]:
    """Return where each residue lies in the plane of frequency k.

    The plane is spanned by the table's cosine and sine coefficients at k, and turned so that the
    first axis is nearest to the cosine's: on a perfect circle residue x is at angle 2πkx/p.

    **Arguments:**

    - `table`: one row per residue.
    - `k`: frequency, 1 … ⌊p/2⌋.

    **Returns:** two coordinates per residue, in units of the table, with their mean at 0.

    **Raises:** `UsageError` for another frequency.
    """
    rows = np.asarray(table, np.float64)
    if not 1 <= k <= n_frequencies(len(rows)):
        raise UsageError("no such frequency", got=k, allowed=f"1 to {n_frequencies(len(rows))}")
    return in_plane(rows, additive_basis(len(rows))[:, 2 * k - 1 : 2 * k + 1])


def in_plane(
    table: Float[np.ndarray, "p column"],
    waves: Float[np.ndarray, "p mode"],
    inside: Bool[np.ndarray, "p"] | None = None,
) -> Float[np.ndarray, "p 2"]:
    """Return where each residue lies in the plane that a cosine and a sine have in a table.

    **Arguments:**

    - `table`: one row per residue.
    - `waves`: orthonormal cosine and sine over the residues, or one of them.
    - `inside`: residues at which they are defined; by default all. The others are nan.

    **Returns:** two coordinates per residue, in units of the table, with their mean at 0; the
    first axis is nearest to the cosine's direction.
    """
    inside = np.ones(len(table), bool) if inside is None else inside
    centred = table - table[inside].mean(axis=0)
    # μ_k and ν_k; the frequency p/2 of an even p has no sine
    coefficients = (waves[inside].T @ centred[inside]).T
    plane = np.zeros((max(2, centred.shape[1]), 2))
    plane[: centred.shape[1], : coefficients.shape[1]] = coefficients
    # the orthonormal pair of directions nearest to (μ_k, ν_k): U Vᵀ of their SVD
    left, _, right = np.linalg.svd(plane, full_matrices=False)
    points = centred @ (left @ right)[: centred.shape[1]]
    return np.where(inside[:, None], points, np.nan)
