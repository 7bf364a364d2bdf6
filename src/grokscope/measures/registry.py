"""What is to be known about each measure of a table; help, docs, runs and reports read it."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from jaxtyping import Float

from grokscope.fourier.arrays import residue_rows
from grokscope.fourier.spectrum import ADDITIVE, AnyBasis, Spectrum, spectrum

MATCHED: Final = "matched"
"""Name, in the rows of a run, of the basis that fits its operation."""

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
    formula: str
    fooled_by: str
    """When it says what is not so."""
    source: str
    function: Callable[..., Any]
    """table or `Spectrum` (and `eta`, `basis`) → number."""
    recorded: tuple[str, ...] = (ADDITIVE, MATCHED)
    """In which bases a run records it."""
    one_coordinate: bool = False
    """Whether it tells cosine from sine, which two coordinates on the same rows do not allow."""

    @cached_property
    def uses_eta(self) -> bool:
        """Whether it has the threshold η."""
        return "eta" in inspect.signature(self.function).parameters

    def of(
        self,
        table: Float[Any, "p column"] | Spectrum,
        eta: float = 0.5,
        *,
        basis: AnyBasis = ADDITIVE,
    ) -> Float[Any, ""]:
        """Return the measure of a table, or of its spectrum where that is known."""
        options = {"eta": eta} if self.uses_eta else {}
        return self.function(table, basis=basis, **options)


MEASURES: Final[dict[str, Measure]] = {}
"""Every measure by its key, in the order in which they stand in `spectral`."""

Function = TypeVar("Function", bound=Callable[..., Any])


def register(key: str, **facts: Any) -> Callable[[Function], Function]:
    """Return a decorator that enters a function in `MEASURES`, with the facts of a `Measure`."""

    def enter(function: Function) -> Function:
        MEASURES[key] = Measure(key=key, function=function, **facts)
        return function

    return enter


def recorded(basis: str, *, one_coordinate: bool = True) -> list[Measure]:
    """Return the measures that a run records in a basis.

    **Arguments:**

    - `basis`: `additive` or `matched`.
    - `one_coordinate`: whether one coordinate has the rows to itself; two have fewer measures.
    """
    return [
        measure
        for measure in MEASURES.values()
        if basis in measure.recorded and (one_coordinate or not measure.one_coordinate)
    ]


def describe(
    table: Float[Any, "p column"], eta: float = 0.5, *, basis: AnyBasis = ADDITIVE
) -> dict[str, int | float | None]:
    """Return all measures of a table, from one spectrum.

        >>> import numpy as np
        >>> import grokscope as gs
        >>> gs.measures.describe(np.eye(5))["ipr"]
        2.0

    **Arguments:**

    - `table`: one row per residue; NumPy, JAX or PyTorch (not inside `jit`).
    - `eta`: threshold of FFS and KFS, over 0 and below 1.
    - `basis`: as for `gs.spectrum`.

    **Returns:** `p`, then every key of `MEASURES` in order; `None` where undefined.

    **Raises:** `UsageError` for another `eta`, or a table that has not two axes or does not fit.
    """
    table = residue_rows(table)
    known = spectrum(table, basis)
    values = {key: float(m.of(known, eta)) for key, m in MEASURES.items()}
    return {"p": len(table)} | {key: None if math.isnan(v) else v for key, v in values.items()}
