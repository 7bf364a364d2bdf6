"""The measures of a table and what is to be known about each; help, docs and reports read it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from jaxtyping import Float

from grokscope.fourier.spectrum import Spectrum, spectrum
from grokscope.measures.spectral import (
    fcr_of,
    ffs_of,
    fourier_coefficient_ratio,
    fourier_frequency_density,
    fourier_frequency_sparsity,
    gini,
    gini_of,
    participation,
    participation_of,
)

TABLES: Final = ("W_E", "W_L")
"""The tables over residues and answers whose spectra are measured."""


@dataclass(frozen=True)
class Measure:
    """A number that describes the spectrum of a table, and how to read it."""

    key: str
    """Short name in files and on the command line."""
    name: str
    symbol: str
    """Label in figures."""
    range: str
    direction: str
    """What a low or a high value means."""
    source: str
    function: Callable[..., Any]
    """table (and `eta`) → number."""
    formula: Callable[..., Any]
    """spectrum, p (and `eta`) → number."""
    uses_eta: bool = False

    def of_spectrum(self, spectrum: Spectrum, p: int, eta: float = 0.5) -> Float[Any, ""]:
        """Return the measure of a table with `p` rows whose spectrum is known."""
        options = {"eta": eta} if self.uses_eta else {}
        return self.formula(spectrum, p, **options)


_FURUTA = "Furuta et al., arXiv 2402.16726"

_ALL = (
    Measure(
        key="ffs",
        name="Fourier Frequency Sparsity",
        symbol="FFS",
        range="0 to 1",
        direction="low: few dominant frequencies",
        source=_FURUTA,
        function=fourier_frequency_sparsity,
        formula=ffs_of,
        uses_eta=True,
    ),
    Measure(
        key="ffd",
        name="Fourier Frequency Density (the later name of FFS)",
        symbol="FFD",
        range="0 to 1",
        direction="low: few dominant frequencies",
        source=_FURUTA,
        function=fourier_frequency_density,
        formula=ffs_of,
        uses_eta=True,
    ),
    Measure(
        key="fcr",
        name="Fourier Coefficient Ratio",
        symbol="FCR",
        range="0 to 1",
        direction="low: cosine- or sine-biased",
        source=_FURUTA,
        function=fourier_coefficient_ratio,
        formula=fcr_of,
    ),
    Measure(
        key="gini",
        name="Gini coefficient of the frequencies' norms",
        symbol="Gini",
        range="0 to 1 − 1/⌊p/2⌋",
        direction="high: few dominant frequencies",
        source="Nanda et al., arXiv 2301.05217",
        function=gini,
        formula=gini_of,
    ),
    Measure(
        key="ipr",
        name="Participation: effective number of frequencies",
        symbol="IPR",
        range="1 to ⌊p/2⌋",
        direction="low: few dominant frequencies",
        source="Bell and Dean, Discuss. Faraday Soc. 50 (1970)",
        function=participation,
        formula=participation_of,
    ),
)

MEASURES: Final[dict[str, Measure]] = {measure.key: measure for measure in _ALL}


def describe(table: Float[Any, "p column"], eta: float = 0.5) -> dict[str, int | float | None]:
    """Return all measures of a table, from one spectrum.

    **Arguments:**

    - `table`: one row per residue; NumPy, JAX or PyTorch (not inside `jit`).
    - `eta`: threshold of FFS, over 0 and below 1.

    **Returns:** `p`, then every key of `MEASURES` in order; `None` where undefined.

    **Raises:** `UsageError` for another `eta` or a table that has not two axes.
    """
    known, p = spectrum(table), len(table)
    values = {key: float(m.of_spectrum(known, p, eta)) for key, m in MEASURES.items()}
    return {"p": p} | {key: None if math.isnan(v) else v for key, v in values.items()}
