"""The paper's progress measures: FFS (also called FFD) and FCR."""

from typing import Any

from jaxtyping import Float

from grokscope.errors import UsageError
from grokscope.measures._shares import shares
from grokscope.spectra._namespace import namespace_of
from grokscope.spectra.spectrum import Spectrum, spectrum


def fourier_frequency_sparsity(table: Float[Any, "p column"], eta: float = 0.5) -> Float[Any, ""]:
    """Share of cosine and sine components that are larger than η times the largest of their kind.

    **Arguments:**

    - `table`: one row per residue; NumPy, JAX or PyTorch.
    - `eta`: threshold η, over 0 and below 1.

    **Returns:** 0 to 1, low where few frequencies dominate; nan for p ≤ 3 and all-zero tables.

    **Raises:** `UsageError` for another `eta` or a table that has not two axes.

    **Source:** Furuta et al., arXiv 2402.16726 (FFS in v2, later named FFD).
    """
    return ffs_of(spectrum(table), len(table), eta)


fourier_frequency_density = fourier_frequency_sparsity


def ffs_of(spectrum: Spectrum, p: int, eta: float = 0.5) -> Float[Any, ""]:
    """`fourier_frequency_sparsity` of a table with `p` rows whose spectrum is known."""
    if not 0 < eta < 1:
        raise UsageError("eta is not usable", got=eta, allowed="a number over 0, below 1")
    cos, sin = shares(spectrum, p)
    xp = namespace_of(cos)
    # FFS = 1/(p−1) · Σ_k ( 1[‖μ_k‖ > η max_i ‖μ_i‖] + 1[‖ν_k‖ > η max_i ‖ν_i‖] );
    # p − 1 components exist: 2⌊p/2⌋ for odd p, and one less for even p (no sine at Nyquist)
    count = xp.sum(cos > eta * xp.max(cos)) + xp.sum(sin > eta * xp.max(sin))
    share = count.astype(cos.dtype) / (p - 1)
    return xp.where(xp.isnan(cos[0]), cos[0], share)[()]


def fourier_coefficient_ratio(table: Float[Any, "p column"]) -> Float[Any, ""]:
    """Mean over the frequencies of the smaller of cosine and sine norm over the larger.

    A frequency that the table does not hold (both norms 0 up to round-off) has no ratio and is
    left out of the mean, as is the frequency p/2 of an even p, which has no sine.

    **Arguments:**

    - `table`: one row per residue; NumPy, JAX or PyTorch.

    **Returns:** 0 to 1, low where cosines or sines prevail; nan for p ≤ 3, for all-zero tables
    and where no frequency has a ratio.

    **Raises:** `UsageError` for a table that has not two axes.

    **Source:** Furuta et al., arXiv 2402.16726.
    """
    return fcr_of(spectrum(table), len(table))


def fcr_of(spectrum: Spectrum, p: int) -> Float[Any, ""]:
    """`fourier_coefficient_ratio` of a table with `p` rows whose spectrum is known."""
    cos, sin = (norm[: (p - 1) // 2] for norm in shares(spectrum, p))
    xp = namespace_of(cos)
    smaller, larger = xp.minimum(cos, sin), xp.maximum(cos, sin)
    held = larger > 0
    one = xp.ones_like(larger)
    # FCR = mean over k < p/2 of min(‖μ_k‖/‖ν_k‖, ‖ν_k‖/‖μ_k‖)
    ratios = xp.sum(xp.where(held, smaller / xp.where(held, larger, one), 0 * one))
    count = xp.sum(held).astype(cos.dtype)
    nothing = count == 0
    mean = ratios / xp.where(nothing, xp.ones_like(count), count)
    return xp.where(nothing, xp.nan, mean)[()]
