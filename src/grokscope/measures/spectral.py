"""The measures of a table: plain functions of arrays, in the additive basis and in any other."""

from typing import Any, Final

from jaxtyping import Bool, Float

from grokscope.errors import UsageError
from grokscope.fourier.arrays import namespace_of, real_array
from grokscope.fourier.characters import Characters
from grokscope.fourier.spectrum import MatchedSpectrum, Planes, Spectrum, matched_spectrum, spectrum

LARGEST_UNTESTABLE: Final = 3
"""Z_2 and Z_3 have one frequency: there is nothing that it could dominate."""


def shares(spectrum: Spectrum, p: int) -> Spectrum:
    """Return the norms divided by the sum of the joint norms; the measures ignore scale.

    **Arguments:**

    - `spectrum`: norms per frequency.
    - `p`: rows of the table, the period.

    **Returns:** nan everywhere if p ≤ 3, if all norms are 0 or if one is not finite.
    """
    xp = namespace_of(spectrum.cos_norm)
    total = xp.sum(spectrum.joint)
    testable = (total > 0) & (p > LARGEST_UNTESTABLE)
    # nan is chosen, never computed: whoever lets JAX stop at nan has none of a table that is good
    total = xp.where(testable, total, xp.nan)
    return Spectrum(spectrum.cos_norm / total, spectrum.sin_norm / total)


def l2_norm(matrix: Float[Any, "..."]) -> Float[Any, ""]:
    """Square root of the sum of the squared entries (Frobenius norm).

    **Arguments:**

    - `matrix`: any number of axes; NumPy, JAX or PyTorch.

    **Returns:** the norm, in the units of the entries.
    """
    matrix = real_array(matrix)
    xp = namespace_of(matrix)
    # ‖W‖ = √(Σ w²)
    return xp.sqrt(xp.sum(matrix**2))


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


def gini(table: Float[Any, "p column"]) -> Float[Any, ""]:
    """Gini coefficient of the joint cosine and sine norms of the frequencies.

    **Arguments:**

    - `table`: one row per residue; NumPy, JAX or PyTorch.

    **Returns:** 0 where all frequencies are equal, 1 − 1/⌊p/2⌋ where one holds all; nan for
    p ≤ 3 and all-zero tables.

    **Raises:** `UsageError` for a table that has not two axes.

    **Source:** Nanda et al., arXiv 2301.05217.
    """
    return gini_of(spectrum(table), len(table))


def gini_of(spectrum: Spectrum, p: int) -> Float[Any, ""]:
    """`gini` of a table with `p` rows whose spectrum is known."""
    joint = shares(spectrum, p).joint
    xp = namespace_of(joint)
    m = len(joint)
    rank = xp.arange(1, m + 1, dtype=joint.dtype)
    # G = Σ_i (2i − m − 1) x_(i) / (m Σ x), x_(1) ≤ … ≤ x_(m)
    return xp.sum((2 * rank - m - 1) * xp.sort(joint)) / (m * xp.sum(joint))


def participation(table: Float[Any, "p column"]) -> Float[Any, ""]:
    """Effective number of frequencies, from the joint cosine and sine norms.

    **Arguments:**

    - `table`: one row per residue; NumPy, JAX or PyTorch.

    **Returns:** 1 where one frequency holds all, ⌊p/2⌋ where all are equal; nan for p ≤ 3 and
    all-zero tables.

    **Raises:** `UsageError` for a table that has not two axes.

    **Source:** Bell and Dean, Discuss. Faraday Soc. 50 (1970): the participation count.
    """
    return participation_of(spectrum(table), len(table))


def participation_of(spectrum: Spectrum, p: int) -> Float[Any, ""]:
    """`participation` of a table with `p` rows whose spectrum is known."""
    joint = shares(spectrum, p).joint
    xp = namespace_of(joint)
    # IPR = (Σ x²)² / Σ x⁴
    return xp.sum(joint**2) ** 2 / xp.sum(joint**4)


def matched_frequency_sparsity(
    table: Float[Any, "p column"], basis: Characters | Planes, eta: float = 0.5
) -> Float[Any, ""]:
    """Share of the frequencies whose joint norm is larger than η times the largest.

    Cosine and sine count together, unlike in `fourier_frequency_sparsity`: where they begin on
    the group is a convention, and of two coordinates there is no one pair of them.

    **Arguments:**

    - `table`: one row per residue (W_E) or answer (W_L); NumPy, JAX or PyTorch.
    - `basis`: what each frequency of Z_n spans on these rows.
    - `eta`: threshold η, over 0 and below 1.

    **Returns:** 1/⌊n/2⌋ to 1, low where few frequencies dominate; nan for n ≤ 3 and tables that
    hold no frequency.

    **Raises:** `UsageError` for another `eta`, or a table that does not fit the basis.

    **Source:** Furuta et al., arXiv 2402.16726 (FFS in the basis of u and g).
    """
    return matched_ffs_of(matched_spectrum(table, basis), basis, eta)


def matched_ffs_of(
    spectrum: MatchedSpectrum, basis: Characters | Planes, eta: float = 0.5
) -> Float[Any, ""]:
    """`matched_frequency_sparsity` of a table whose spectrum is known."""
    if not 0 < eta < 1:
        raise UsageError("eta is not usable", got=eta, allowed="a number over 0, below 1")
    joint = shares(_joint(spectrum), basis.n).joint
    xp = namespace_of(joint)
    # FFS = 1/⌊n/2⌋ · Σ_k 1[c_k > η max_i c_i], c_k the norm on all that k spans
    share = xp.mean((joint > eta * xp.max(joint)).astype(joint.dtype))
    return xp.where(xp.isnan(joint[0]), joint[0], share)[()]


def matched_coefficient_ratio(
    table: Float[Any, "p column"], basis: Characters | Planes
) -> Float[Any, ""]:
    """Mean over the frequencies of the smaller of cosine and sine norm over the larger.

    As in `fourier_coefficient_ratio`, a frequency that the table does not hold has no ratio, nor
    has one whose plane has a single dimension. Unlike the other measures it depends on which
    element of the group is 0, which turns cosines into sines.

    **Arguments:** as for `matched_frequency_sparsity`.

    **Returns:** 0 to 1, low where cosines or sines prevail; nan for n ≤ 3, for tables that hold
    no frequency, and where two coordinates share the rows.

    **Raises:** `UsageError` for a table that does not fit the basis.

    **Source:** Furuta et al., arXiv 2402.16726 (FCR in the basis of u and g).
    """
    return matched_fcr_of(matched_spectrum(table, basis), basis)


def matched_fcr_of(spectrum: MatchedSpectrum, basis: Characters | Planes) -> Float[Any, ""]:
    """`matched_coefficient_ratio` of a table whose spectrum is known."""
    cos, sin = shares(Spectrum(spectrum.cos_norm, spectrum.sin_norm), basis.n)
    xp = namespace_of(cos)
    smaller, larger = xp.minimum(cos, sin), xp.maximum(cos, sin)
    held = xp.asarray(Planes.of(basis).has_both) & (larger > 0)
    one = xp.ones_like(larger)
    # FCR = mean over the frequencies with both of min(‖μ_k‖/‖ν_k‖, ‖ν_k‖/‖μ_k‖)
    ratios = xp.sum(xp.where(held, smaller / xp.where(held, larger, one), 0 * one))
    count = xp.sum(held).astype(cos.dtype)
    nothing = count == 0
    mean = ratios / xp.where(nothing, xp.ones_like(count), count)
    return xp.where(nothing, xp.nan, mean)[()]


def matched_gini(table: Float[Any, "p column"], basis: Characters | Planes) -> Float[Any, ""]:
    """Gini coefficient of the joint norms of the frequencies.

    **Arguments:** as for `matched_frequency_sparsity`.

    **Returns:** 0 where all frequencies are equal, 1 − 1/⌊n/2⌋ where one holds all; nan for
    n ≤ 3 and tables that hold no frequency.

    **Raises:** `UsageError` for a table that does not fit the basis.

    **Source:** Nanda et al., arXiv 2301.05217.
    """
    return matched_gini_of(matched_spectrum(table, basis), basis)


def matched_gini_of(spectrum: MatchedSpectrum, basis: Characters | Planes) -> Float[Any, ""]:
    """`matched_gini` of a table whose spectrum is known."""
    return gini_of(_joint(spectrum), basis.n)


def matched_participation(
    table: Float[Any, "p column"], basis: Characters | Planes
) -> Float[Any, ""]:
    """Effective number of frequencies, from their joint norms.

    **Arguments:** as for `matched_frequency_sparsity`.

    **Returns:** 1 where one frequency holds all, ⌊n/2⌋ where all are equal; nan for n ≤ 3 and
    tables that hold no frequency.

    **Raises:** `UsageError` for a table that does not fit the basis.

    **Source:** Bell and Dean, Discuss. Faraday Soc. 50 (1970): the participation count.
    """
    return matched_participation_of(matched_spectrum(table, basis), basis)


def matched_participation_of(
    spectrum: MatchedSpectrum, basis: Characters | Planes
) -> Float[Any, ""]:
    """`matched_participation` of a table whose spectrum is known."""
    return participation_of(_joint(spectrum), basis.n)


def matched_keys(basis: Characters | Planes) -> tuple[str, ...]:
    """Return the measures, by their keys in `MEASURES`, that are defined in this basis."""
    return tuple(
        key
        for key in ("ffs", "fcr", "gini", "ipr")
        if key != "fcr" or Planes.of(basis).one_coordinate
    )


def matched_values(
    spectrum: MatchedSpectrum, basis: Characters | Planes, eta: float = 0.5
) -> dict[str, Float[Any, ""]]:
    """Return every defined measure of a table whose spectrum is known, in order of its key.

    **Arguments:**

    - `spectrum`: from `matched_spectrum`.
    - `basis`: the same as there.
    - `eta`: threshold of FFS, over 0 and below 1.

    **Raises:** `UsageError` for another `eta`.
    """
    values = {
        "ffs": matched_ffs_of(spectrum, basis, eta),
        "fcr": matched_fcr_of(spectrum, basis),
        "gini": matched_gini_of(spectrum, basis),
        "ipr": matched_participation_of(spectrum, basis),
    }
    return {key: values[key] for key in matched_keys(basis)}


def key_frequencies(spectrum: MatchedSpectrum, eta: float = 0.5) -> Bool[Any, "freq"]:
    """Return which frequencies k = 1 … ⌊n/2⌋ the matched FFS counts: c_k > η max_i c_i."""
    xp = namespace_of(spectrum.joint)
    return spectrum.joint > eta * xp.max(spectrum.joint)


def _joint(spectrum: MatchedSpectrum) -> Spectrum:
    """Return a spectrum whose joint norms are the given ones."""
    return Spectrum(spectrum.joint, 0 * spectrum.joint)
