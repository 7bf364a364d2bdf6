"""How much of a table each frequency holds, in any basis, and the circles that it lies on."""

from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from grokscope.axes import MOST_TOKENS
from grokscope.config.arguments import known_arguments
from grokscope.errors import UsageError
from grokscope.fourier.arrays import (
    as_array,
    matmul,
    namespace_of,
    real_table,
    residue_rows,
    round_off,
)
from grokscope.fourier.characters import Characters, Planes, additive_characters
from grokscope.fourier.waves import n_frequencies

ADDITIVE: Final = "additive"
"""The basis of the residues themselves, of u = x: the characters of Z_p."""


@runtime_checkable
class HasPlanes(Protocol):
    """A basis: `Basis`, `Characters` or `Planes`."""

    @property
    def planes(self) -> Planes:
        """What each frequency spans on the rows of a table."""
        ...


AnyBasis = HasPlanes | Literal["additive"]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Norms, over the columns of a table, of its parts at k = 1 … ⌊n/2⌋ of Z_n.

    **Arguments:**

    - `cos_norm`: norm along the cosine; where two coordinates share the rows, the norm of the part
      in all that the frequency spans.
    - `sin_norm`: norm along the sine, 0 where a frequency has none; nan with two coordinates.
    - `n`: order of the group.
    - `has_both`: frequencies with a cosine and a sine.
    - `one_coordinate`: whether there is one coordinate, so that cosine and sine can be told apart.
    """

    cos_norm: Float[Any, "freq"]
    sin_norm: Float[Any, "freq"]
    n: int
    has_both: Bool[Any, "freq"]
    one_coordinate: bool = True

    @classmethod
    def of_norms(
        cls, cos_norm: Float[Any, "freq"], sin_norm: Float[Any, "freq"], n: int
    ) -> "Spectrum":
        """Return the spectrum over Z_n, in one coordinate that is one-to-one, of known norms."""
        return cls(cos_norm, sin_norm, n, additive_characters(n).planes.has_both)

    @property
    def norms(self) -> tuple[Float[Any, "freq"], Float[Any, "freq"]]:
        """Cosine and sine norms, as a run folder keeps them."""
        return self.cos_norm, self.sin_norm

    @property
    def joint(self) -> Float[Any, "freq"]:
        """Norm of cosine and sine together, √(‖μ_k‖² + ‖ν_k‖²)."""
        if not self.one_coordinate:
            return self.cos_norm
        return namespace_of(self.cos_norm).hypot(self.cos_norm, self.sin_norm)

    @property
    def shares(self) -> Float[np.ndarray, "freq"]:
        """Share of each frequency in the squares of the joint norms; nan where all are 0."""
        power = np.asarray(self.joint, np.float64) ** 2
        with np.errstate(invalid="ignore"):
            return power / power.sum()

    def strongest(self, count: int) -> list[int]:
        """Return the `count` frequencies k with the largest joint norms, the largest first."""
        order = np.argsort(-np.asarray(self.joint), kind="stable")
        return (1 + order[:count]).tolist()

    def __repr__(self) -> str:
        words = f"Spectrum of {len(self.cos_norm)} frequencies of Z_{self.n}"
        if not isinstance(self.cos_norm, np.ndarray) or not np.any(self.joint > 0):
            return words
        largest = (f"k = {k} ({self.shares[k - 1]:.0%})" for k in self.strongest(3))
        return f"{words}; the strongest: {', '.join(largest)}"


@known_arguments
def spectrum(table: Float[Any, "p column"], basis: AnyBasis = ADDITIVE) -> Spectrum:
    """Return how much of a table each frequency of a basis holds.

    Coordinates that are not one-to-one have frequencies that overlap, so that the squares may add
    up to more than the table's own.

        >>> import numpy as np
        >>> import grokscope as gs
        >>> basis = gs.basis("x*y", p=7)
        >>> W = basis.x.parts[0][1]  # cosine and sine of frequency 2, over the residues
        >>> gs.spectrum(W, basis)
        Spectrum of 3 frequencies of Z_6; the strongest: k = 2 (100%), k = 1 (0%), k = 3 (0%)
        >>> gs.spectrum(W).joint.shape
        (3,)

    **Arguments:**

    - `table`: one row per residue, for W_L per answer; NumPy or PyTorch (computed in float64) or
      JAX (also inside `jit` and `vmap`). Up to 8 rows behind those of a basis are left out: the
      operators' tokens of a vocabulary. In the additive one every row counts as a residue, but
      of `run.network().weights["W_E"]`, whose rows have names: there operators are left out.
    - `basis`: `"additive"`, the characters of Z_p, or what `gs.basis` gives: its characters on the
      inputs, which are those of W_E. Those of W_L are `gs.basis(…).answers`.

    **Returns:** norms in the units of the table. A norm that is only round-off, at most 1e-12
    (float64) or 1e-6 (shorter floats) of the table's own norm, is 0: noise has no frequency.
    A table with an entry that is not finite has no spectrum: nan.

    **Raises:** `UsageError` unless the table has two axes, 2 rows or more, 1 column or more, and
    a row per row of the basis.

    **Source:** Furuta et al., arXiv 2402.16726, Appendix B (full period, unit-norm basis).
    """
    table = residue_rows(table)
    planes = _planes(basis, len(real_table(table)))
    table = as_array(table)
    frequencies, rows, modes = planes.columns.shape
    if not rows <= len(table) <= rows + MOST_TOKENS:
        raise UsageError(
            "a table does not fit its basis",
            got=f"{len(table)} rows",
            allowed=f"{rows} rows, and at most {MOST_TOKENS} operators behind them",
            next_step=f"take gs.basis(operation, p={len(table)}), or the rows of the residues",
        )
    columns = planes.columns.transpose(1, 0, 2).reshape(rows, -1)
    norms = _coefficient_norms(table[:rows], columns).reshape(frequencies, modes)
    if planes.one_coordinate:
        return Spectrum(norms[:, 0], norms[:, 1], planes.n, planes.has_both)
    xp = namespace_of(norms)
    # in units of the largest, so that no square under- or overflows
    largest = xp.max(norms, axis=1)
    unit = xp.where(largest > 0, largest, xp.ones_like(largest))
    joint = xp.sqrt(xp.sum((norms / unit[:, None]) ** 2, axis=1)) * unit
    return Spectrum(joint, xp.nan * joint, planes.n, planes.has_both, one_coordinate=False)


def _planes(basis: AnyBasis, rows: int) -> Planes:
    if isinstance(basis, str) and basis == ADDITIVE:
        return additive_characters(rows).planes
    if isinstance(basis, str) or not isinstance(basis, HasPlanes):
        raise UsageError(
            "no such basis",
            got=basis,
            allowed=f'"{ADDITIVE}", or what gs.basis gives',
            next_step=f'for example gs.basis("x*y", p={rows})',
        )
    return basis.planes


def _coefficient_norms(
    table: Float[Any, "p column"], basis: Float[Any, "p mode"]
) -> Float[Any, "mode"]:
    """Return the norms, over the columns of a table, of its coefficients at columns of norm 1."""
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


def circle_of(
    table: Float[Any, "p column"], k: int, characters: Characters | None = None
) -> Float[np.ndarray, "p 2"]:
    """Return where each residue lies in the plane that frequency k has in a table.

    The plane is spanned by the table's cosine and sine coefficients at k, and turned so that the
    first axis is nearest to the cosine's: on a perfect circle residue x is at angle 2πku(x)/n.

    **Arguments:**

    - `table`: one row per residue.
    - `k`: frequency, 1 … ⌊n/2⌋.
    - `characters`: of the coordinate u; by default u = x, the additive basis.

    **Returns:** two coordinates per residue, in units of the table, with their mean at 0; nan
    where u is undefined.

    **Raises:** `UsageError` for another frequency.
    """
    rows = np.asarray(residue_rows(table), np.float64)
    characters = characters or additive_characters(len(rows))
    if not 1 <= k <= characters.n_frequencies:
        raise UsageError("no such frequency", got=k, allowed=f"1 to {n_frequencies(characters.n)}")
    inside, waves = characters.inside, characters.parts[0][k - 1]
    centred = rows - rows[inside].mean(axis=0)
    # μ_k and ν_k; the frequency n/2 of an even n has no sine, whose column is 0
    plane = np.zeros((max(2, centred.shape[1]), 2))
    plane[: centred.shape[1]] = centred[inside].T @ waves[inside]
    # the orthonormal pair of directions nearest to (μ_k, ν_k): U Vᵀ of their SVD
    left, _, right = np.linalg.svd(plane, full_matrices=False)
    points = centred @ (left @ right)[: centred.shape[1]]
    return np.where(inside[:, None], points, np.nan)
