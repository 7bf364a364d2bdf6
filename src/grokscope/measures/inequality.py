"""How unequally the norms of a table are spread over its frequencies."""

from typing import Any

from jaxtyping import Float

from grokscope.measures._shares import shares
from grokscope.spectra._namespace import namespace_of
from grokscope.spectra.spectrum import Spectrum, spectrum


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
