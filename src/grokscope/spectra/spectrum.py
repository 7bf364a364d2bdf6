"""How much of a table each frequency holds, its cosine and its sine apart."""

from typing import Any, NamedTuple

from jaxtyping import Float

from grokscope.spectra._namespace import as_array, matmul, namespace_of, real_table, round_off
from grokscope.spectra.basis import additive_basis


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
