"""What every measure of a spectrum starts from: shares, or nan where there is nothing to share."""

from typing import Final

from grokscope.spectra._namespace import namespace_of
from grokscope.spectra.spectrum import Spectrum

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
