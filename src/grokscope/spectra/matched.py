"""How much of a table each frequency of the coordinates that fit its operation holds."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from grokscope.errors import UsageError
from grokscope.spectra._namespace import namespace_of
from grokscope.spectra.characters import Characters
from grokscope.spectra.spectrum import coefficient_norms


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
        raise UsageError("a table does not fit its basis", got=f"{len(table)} rows",
                         allowed=f"{rows} rows")  # fmt: skip
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
