"""How much of a table each frequency holds, in any basis, and the circles that it lies on."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from grokscope.errors import UsageError
from grokscope.fourier.arrays import as_array, matmul, namespace_of, real_table, round_off
from grokscope.fourier.characters import Characters, additive_basis
from grokscope.fourier.waves import n_frequencies


class Spectrum(NamedTuple):
    """Norms, over the columns of a table, of its Fourier coefficients at k = 1 … ⌊n/2⌋.

    For even n the last sine, which does not exist, has norm 0.
    """

    cos_norm: Float[Any, "freq"]
    sin_norm: Float[Any, "freq"]

    @property
    def joint(self) -> Float[Any, "freq"]:
        """Norm of cosine and sine together, √(‖μ_k‖² + ‖ν_k‖²)."""
        return namespace_of(self.cos_norm).hypot(self.cos_norm, self.sin_norm)


def spectrum(table: Float[Any, "p column"]) -> Spectrum:
    """Return the norms of the Fourier coefficients of a table with one row per residue.

    **Arguments:**

    - `table`: NumPy or PyTorch (computed in float64) or JAX (also inside `jit` and `vmap`).

    **Returns:** norms in the units of the table. A norm that is only round-off, at most 1e-12
    (float64) or 1e-6 (shorter floats) of the table's own norm, is 0: noise has no frequency.
    A table with an entry that is not finite has no spectrum: nan.

    **Raises:** `UsageError` unless the table has two axes, 2 rows or more, 1 column or more.

    **Source:** Furuta et al., arXiv 2402.16726, Appendix B (full period, unit-norm basis).
    """
    table = as_array(table)
    norm = coefficient_norms(table, additive_basis(len(real_table(table))))
    cos_norm, sin_norm = norm[1::2], norm[2::2]
    nyquist = len(cos_norm) - len(sin_norm)
    xp = namespace_of(norm)
    return Spectrum(cos_norm, xp.concatenate([sin_norm, 0 * cos_norm[:nyquist]]))


def coefficient_norms(
    table: Float[Any, "p column"], basis: Float[Any, "p mode"]
) -> Float[Any, "mode"]:
    """Return the norms, over the columns of a table, of its coefficients.

    **Arguments:**

    - `table`: as for `spectrum`, with its round-off and errors.
    - `basis`: columns of norm 1, or 0; NumPy, or JAX as the table.
    """
    table = as_array(table)
    tolerance = round_off(table)
    table = real_table(table)
    xp = namespace_of(table)
    table = xp.where(xp.isfinite(table), table, xp.nan)
    # in units of the largest entry, so that no square under- or overflows
    largest = xp.max(xp.abs(table))
    unit = xp.where(largest > 0, largest, xp.ones_like(largest))
    table = table / unit
    # ‖cᵢ‖ over the columns, c = Bᵀ W
    coefficients = matmul(xp.asarray(basis, dtype=table.dtype).T, table)
    norm = xp.sqrt(xp.sum(coefficients**2, axis=1))
    floor = tolerance * xp.sqrt(xp.sum(table**2))
    return xp.where(norm <= floor, xp.zeros_like(norm), norm) * unit


class MatchedSpectrum(NamedTuple):
    """Norms, over the columns of a table, of its parts at k = 1 … ⌊n/2⌋ of Z_n."""

    joint: Float[Any, "freq"]
    """Norm of the part in all that the frequency spans, of every coordinate."""
    cos_norm: Float[Any, "freq"]
    """Norm along the cosine; where there are two coordinates it is the joint norm."""
    sin_norm: Float[Any, "freq"]
    """Norm along the sine, 0 where a frequency has none; nan where there are two coordinates."""


@dataclass(frozen=True, eq=False)
class Planes:
    """What the spectrum and the measures need of characters; its arrays may be traced by JAX.

    **Arguments:**

    - `n`: order of the group.
    - `columns`: orthonormal columns of what each frequency spans; see `joint_planes`.
    - `has_both`: frequencies with a cosine and a sine.
    - `one_coordinate`: whether the columns are cosine and sine of one coordinate.
    """

    n: int
    columns: Float[Any, "freq p mode"]
    has_both: Bool[Any, "freq"]
    one_coordinate: bool

    @classmethod
    def of(cls, basis: "Characters | Planes") -> "Planes":
        """Return the planes of some characters; planes are returned as they are."""
        if isinstance(basis, Planes):
            return basis
        # the column of a cosine or sine that is missing is 0
        has_both = (basis.parts[0] != 0).any(axis=1).all(axis=1)
        return cls(basis.n, joint_planes(basis), has_both, len(basis.parts) == 1)


def matched_spectrum(table: Float[Any, "p column"], basis: Characters | Planes) -> MatchedSpectrum:
    """Return the norms of a table's parts at every frequency of its own coordinates.

    With one coordinate that is one-to-one and defined everywhere it is the spectrum of the table
    with its rows put in the order of the coordinate. Coordinates that are not one-to-one have
    frequencies that overlap, so that the squares may add up to more than the table's own.

    **Arguments:**

    - `table`: one row per residue; NumPy or PyTorch (computed in float64) or JAX (also inside
      `jit` and `vmap`).
    - `basis`: what each frequency spans.

    **Returns:** norms in the units of the table; round-off is 0 and entries that are not finite
    give nan, as in `spectrum`.

    **Raises:** `UsageError` unless the table has two axes and one row per row of the basis.

    **Source:** Furuta et al., arXiv 2402.16726, Appendix B, in another basis.
    """
    planes = Planes.of(basis)
    frequencies, rows, modes = planes.columns.shape
    if len(table) != rows:
        raise UsageError(
            "a table does not fit its basis", got=f"{len(table)} rows", allowed=f"{rows} rows"
        )
    columns = planes.columns.transpose(1, 0, 2).reshape(rows, -1)
    norms = coefficient_norms(table, columns).reshape(frequencies, modes)
    xp = namespace_of(norms)
    if planes.one_coordinate:
        cos_norm, sin_norm = norms[:, 0], norms[:, 1]
        # √(‖μ_k‖² + ‖ν_k‖²)
        return MatchedSpectrum(xp.hypot(cos_norm, sin_norm), cos_norm, sin_norm)
    # in units of the largest, so that no square under- or overflows
    largest = xp.max(norms, axis=1)
    unit = xp.where(largest > 0, largest, xp.ones_like(largest))
    joint = xp.sqrt(xp.sum((norms / unit[:, None]) ** 2, axis=1)) * unit
    return MatchedSpectrum(joint, joint, xp.nan * joint)


def joint_planes(characters: Characters) -> Float[np.ndarray, "freq p mode"]:
    """Return orthonormal columns of what each frequency spans in all parts, filled up with 0.

    With one part they are its cosine and sine; with two at most 4 columns, fewer where the
    coordinates' planes overlap.
    """
    if len(characters.parts) == 1:
        return characters.parts[0]
    spans = [characters.span([k]) for k in range(1, characters.n_frequencies + 1)]
    width = max((span.shape[1] for span in spans), default=0)
    planes = np.zeros((len(spans), len(characters.inside), width))
    for plane, span in zip(planes, spans, strict=True):
        plane[:, : span.shape[1]] = span
    return planes


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


def circle_of(table: Float[Any, "p column"], k: int) -> Float[np.ndarray, "p 2"]:
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
