"""The measures of a table: each a plain function of an array or of its spectrum, in any basis.

A new measure is a function here and the decorator above it, which enters it in `MEASURES`; of two
decorators the lower one comes first.
"""

from typing import Any, Final

from jaxtyping import Bool, Float

from grokscope.errors import UsageError
from grokscope.fourier.arrays import namespace_of, real_array
from grokscope.fourier.spectrum import ADDITIVE, AnyBasis, Spectrum, spectrum
from grokscope.measures.registry import register

LARGEST_UNTESTABLE: Final = 3
"""Z_2 and Z_3 have one frequency: there is nothing that it could dominate."""
_FURUTA: Final = "Furuta et al., arXiv 2402.16726"
_FFS: Final = {
    "range": "0 to 1",
    "direction": "low: few dominant frequencies",
    "formula": "1/(n − 1) · Σ_k ( 1[‖μ_k‖ > η max_i ‖μ_i‖] + 1[‖ν_k‖ > η max_i ‖ν_i‖] )",
    "fooled_by": (
        "A basis that does not fit: in the additive one it stays 1.00 while x*y groks. Only the"
        " largest component is compared with, so that one that grows alone makes it fall. Where the"
        " group begins turns cosines into sines, which it sees."
    ),
    "source": _FURUTA,
    "one_coordinate": True,
}


def l2_norm(matrix: Float[Any, "..."]) -> Float[Any, ""]:
    """Square root of the sum of the squared entries (Frobenius norm).

        >>> import numpy as np
        >>> import grokscope as gs
        >>> float(gs.measures.l2_norm(np.array([[3.0, 4.0]])))
        5.0

    **Arguments:**

    - `matrix`: any number of axes; NumPy, JAX or PyTorch.

    **Returns:** the norm, in the units of the entries.
    """
    matrix = real_array(matrix)
    xp = namespace_of(matrix)
    # ‖W‖ = √(Σ w²)
    return xp.sqrt(xp.sum(matrix**2))


@register(
    "ffd",
    name="Fourier Frequency Density (the later name of FFS)",
    symbol="FFD",
    recorded=(),
    **_FFS,
)
@register(
    "ffs",
    name="Fourier Frequency Sparsity",
    symbol="FFS",
    # in older run folders the rows `ffs` of the matched basis are KFS
    recorded=(ADDITIVE,),
    **_FFS,
)
def fourier_frequency_sparsity(
    table: Float[Any, "p column"] | Spectrum, eta: float = 0.5, *, basis: AnyBasis = ADDITIVE
) -> Float[Any, ""]:
    """Share of cosine and sine components that are larger than η times the largest of their kind.

    Where cosines begin on a group is a convention, which this measure sees; `key_frequency_share`
    counts cosine and sine of a frequency together.

        >>> import numpy as np
        >>> import grokscope as gs
        >>> circle = gs.basis("x + y", p=11).x.parts[0][2]
        >>> float(gs.measures.fourier_frequency_sparsity(circle))  # 2 of 10 components
        0.2

    **Arguments:**

    - `table`: one row per residue, NumPy, JAX or PyTorch; or its `Spectrum`, in any basis.
    - `eta`: threshold η, over 0 and below 1.
    - `basis`: of a table, as for `gs.spectrum`.

    **Returns:** 0 to 1, low where few frequencies dominate; nan for n ≤ 3, for tables that hold no
    frequency, and where two coordinates share the rows.

    **Raises:** `UsageError` for another `eta`, or a table that has not two axes or does not fit
    the basis.

    **Source:** Furuta et al., arXiv 2402.16726 (FFS in v2, later named FFD).
    """
    _check_eta(eta)
    known = _scaled(table, basis)
    cos, sin = known.norms
    xp = namespace_of(cos)
    # FFS = 1/(p−1) · Σ_k ( 1[‖μ_k‖ > η max_i ‖μ_i‖] + 1[‖ν_k‖ > η max_i ‖ν_i‖] );
    # p − 1 components exist: 2⌊p/2⌋ for odd p, and one less for even p (no sine at Nyquist)
    count = xp.sum(cos > eta * xp.max(cos)) + xp.sum(sin > eta * xp.max(sin))
    components = xp.asarray(len(cos) + known.has_both.sum(), dtype=cos.dtype)
    share = count.astype(cos.dtype) / components
    undefined = cos[0] + sin[0]
    return xp.where(xp.isnan(undefined), undefined, share)[()]


fourier_frequency_density = fourier_frequency_sparsity


@register(
    "kfs",
    name="Key Frequency Share",
    symbol="KFS",
    range="1/⌊n/2⌋ to 1",
    direction="low: few dominant frequencies",
    formula="1/⌊n/2⌋ · Σ_k 1[c_k > η max_i c_i]",
    fooled_by=(
        "One frequency of more than twice the norm of the others makes it low, though the others"
        " are all still there: without weight decay it fell in W_L of one seed of three, and"
        " nothing generalised. IPR sees through that."
    ),
    source=f"FFS ({_FURUTA}), cosine and sine together",
)
def key_frequency_share(
    table: Float[Any, "p column"] | Spectrum, eta: float = 0.5, *, basis: AnyBasis = ADDITIVE
) -> Float[Any, ""]:
    """Share of the frequencies whose joint norm is larger than η times the largest.

    FFS with cosine and sine counted together: defined in every basis, also where two coordinates
    share the rows, and the same wherever the group begins.

        >>> import numpy as np
        >>> import grokscope as gs
        >>> basis = gs.basis("x*y", p=11)
        >>> circle = basis.x.parts[0][2]
        >>> float(gs.measures.key_frequency_share(circle, basis=basis))  # 1 of 5 frequencies
        0.2
        >>> float(gs.measures.key_frequency_share(circle))  # no few in the additive basis
        1.0

    **Arguments:** as for `fourier_frequency_sparsity`.

    **Returns:** 1/⌊n/2⌋ to 1, low where few frequencies dominate; nan for n ≤ 3 and tables that
    hold no frequency.

    **Raises:** as for `fourier_frequency_sparsity`.
    """
    _check_eta(eta)
    known = _scaled(table, basis)
    joint = known.joint
    xp = namespace_of(joint)
    # KFS = 1/⌊n/2⌋ · Σ_k 1[c_k > η max_i c_i], c_k the norm on all that k spans
    share = xp.mean(key_frequencies(known, eta).astype(joint.dtype))
    return xp.where(xp.isnan(joint[0]), joint[0], share)[()]


@register(
    "fcr",
    name="Fourier Coefficient Ratio",
    symbol="FCR",
    range="0 to 1",
    direction="low: cosine- or sine-biased",
    formula="1/m · Σ_k min(‖μ_k‖/‖ν_k‖, ‖ν_k‖/‖μ_k‖), of the m frequencies with both",
    fooled_by=(
        "Parity: an even function of the residues has no sines, so that W_E of x^2 + y^2 falls to"
        " 0.05 in the additive basis. Where the group begins decides what is a cosine. In x*y it"
        " fell in four seeds of five that grok."
    ),
    source=_FURUTA,
    one_coordinate=True,
)
def fourier_coefficient_ratio(
    table: Float[Any, "p column"] | Spectrum, *, basis: AnyBasis = ADDITIVE
) -> Float[Any, ""]:
    """Mean over the frequencies of the smaller of cosine and sine norm over the larger.

    A frequency that the table does not hold (both norms 0 up to round-off) has no ratio and is
    left out of the mean, as is one that has no sine, such as n/2 of an even n. Which element of
    the group is 0 turns cosines into sines, which this measure sees.

        >>> import numpy as np
        >>> import grokscope as gs
        >>> cosine, sine = gs.basis("x + y", p=11).x.parts[0][2].T
        >>> ratio = gs.measures.fourier_coefficient_ratio(np.stack([cosine, 0.5 * sine], axis=1))
        >>> round(float(ratio), 6)
        0.5

    **Arguments:** as for `fourier_frequency_sparsity`, without `eta`.

    **Returns:** 0 to 1, low where cosines or sines prevail; nan for n ≤ 3, for tables that hold no
    frequency, where no frequency has a ratio, and where two coordinates share the rows.

    **Raises:** `UsageError` for a table that has not two axes or does not fit the basis.

    **Source:** Furuta et al., arXiv 2402.16726.
    """
    known = _scaled(table, basis)
    cos, sin = known.norms
    xp = namespace_of(cos)
    smaller, larger = xp.minimum(cos, sin), xp.maximum(cos, sin)
    held = xp.asarray(known.has_both) & (larger > 0)
    one = xp.ones_like(larger)
    # FCR = mean over the frequencies with both of min(‖μ_k‖/‖ν_k‖, ‖ν_k‖/‖μ_k‖)
    ratios = xp.sum(xp.where(held, smaller / xp.where(held, larger, one), 0 * one))
    count = xp.sum(held).astype(cos.dtype)
    nothing = count == 0
    mean = ratios / xp.where(nothing, xp.ones_like(count), count)
    return xp.where(nothing, xp.nan, mean)[()]


@register(
    "gini",
    name="Gini coefficient of the frequencies' norms",
    symbol="Gini",
    range="0 to 1 − 1/⌊n/2⌋",
    direction="high: few dominant frequencies",
    formula="Σ_i (2i − m − 1) c_(i) / (m Σ c), c_(1) ≤ … ≤ c_(m), m = ⌊n/2⌋",
    fooled_by=(
        "A broad floor of small norms keeps it low, though few frequencies may carry the answers."
        " Its largest value depends on n: values of two moduli are not comparable."
    ),
    source="Nanda et al., arXiv 2301.05217",
)
def gini(table: Float[Any, "p column"] | Spectrum, *, basis: AnyBasis = ADDITIVE) -> Float[Any, ""]:
    """Gini coefficient of the joint cosine and sine norms of the frequencies.

        >>> import numpy as np
        >>> import grokscope as gs
        >>> circle = gs.basis("x + y", p=11).x.parts[0][2]
        >>> round(float(gs.measures.gini(circle)), 6)  # 1 − 1/5: one of 5 frequencies holds all
        0.8

    **Arguments:** as for `fourier_frequency_sparsity`, without `eta`.

    **Returns:** 0 where all frequencies are equal, 1 − 1/⌊n/2⌋ where one holds all; nan for
    n ≤ 3 and tables that hold no frequency.

    **Raises:** `UsageError` for a table that has not two axes or does not fit the basis.

    **Source:** Nanda et al., arXiv 2301.05217.
    """
    joint = _scaled(table, basis).joint
    xp = namespace_of(joint)
    m = len(joint)
    rank = xp.arange(1, m + 1, dtype=joint.dtype)
    # G = Σ_i (2i − m − 1) x_(i) / (m Σ x), x_(1) ≤ … ≤ x_(m)
    return xp.sum((2 * rank - m - 1) * xp.sort(joint)) / (m * xp.sum(joint))


@register(
    "ipr",
    name="Participation: effective number of frequencies",
    symbol="IPR",
    range="1 to ⌊n/2⌋",
    direction="low: few dominant frequencies",
    formula="(Σ_k c_k²)² / Σ_k c_k⁴",
    fooled_by=(
        "It weighs frequencies by the squares of their norms: one that matters with a small norm"
        " hardly counts. Its largest value depends on n."
    ),
    source="Bell and Dean, Discuss. Faraday Soc. 50 (1970)",
)
def participation(
    table: Float[Any, "p column"] | Spectrum, *, basis: AnyBasis = ADDITIVE
) -> Float[Any, ""]:
    """Effective number of frequencies, from the joint cosine and sine norms.

        >>> import numpy as np
        >>> import grokscope as gs
        >>> round(float(gs.measures.participation(np.eye(11))), 6)  # all 5 frequencies alike
        5.0

    **Arguments:** as for `fourier_frequency_sparsity`, without `eta`.

    **Returns:** 1 where one frequency holds all, ⌊n/2⌋ where all are equal; nan for n ≤ 3 and
    tables that hold no frequency.

    **Raises:** `UsageError` for a table that has not two axes or does not fit the basis.

    **Source:** Bell and Dean, Discuss. Faraday Soc. 50 (1970): the participation count.
    """
    joint = _scaled(table, basis).joint
    xp = namespace_of(joint)
    # IPR = (Σ x²)² / Σ x⁴
    return xp.sum(joint**2) ** 2 / xp.sum(joint**4)


def key_frequencies(
    table: Float[Any, "p column"] | Spectrum, eta: float = 0.5, *, basis: AnyBasis = ADDITIVE
) -> Bool[Any, "freq"]:
    """Return which frequencies k = 1 … ⌊n/2⌋ KFS counts: c_k > η max_i c_i.

    **Arguments** and raises as for `fourier_frequency_sparsity`.
    """
    _check_eta(eta)
    joint = (table if isinstance(table, Spectrum) else spectrum(table, basis)).joint
    return joint > eta * namespace_of(joint).max(joint)


def _check_eta(eta: float) -> None:
    if isinstance(eta, str) or eta is None or not 0 < eta < 1:
        raise UsageError(
            "eta is not usable",
            got=eta,
            allowed="a number over 0, below 1",
            next_step="0.5 is the paper's",
        )


def _scaled(table: Float[Any, "p column"] | Spectrum, basis: AnyBasis) -> Spectrum:
    """Return the spectrum with norms divided by the sum of the joint norms: measures ignore scale.

    **Returns:** nan everywhere if n ≤ 3, if all norms are 0 or if one is not finite.
    """
    known = table if isinstance(table, Spectrum) else spectrum(table, basis)
    cos, sin = known.norms
    xp = namespace_of(cos)
    total = xp.sum(known.joint)
    testable = (total > 0) & (known.n > LARGEST_UNTESTABLE)
    # nan is chosen, never computed: whoever lets JAX stop at nan has none of a table that is good
    total = xp.where(testable, total, xp.nan)
    return Spectrum(cos / total, sin / total, known.n, known.has_both, known.one_coordinate)
