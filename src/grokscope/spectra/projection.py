"""Projections of a table on some of its frequencies, for keeping and for removing them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from grokscope.spectra.characters import Characters, orthonormal

Table = Float[np.ndarray, "p column"]


def project(basis: Float[np.ndarray, "p mode"], table: Table) -> Table:
    """Return the part of a table in the span of orthonormal columns."""
    return basis @ (basis.T @ table)


def keep(characters: Characters, frequencies: Sequence[int], table: Table) -> Table:
    """Return P_K·W: only the constant, the rows outside and some frequencies are left."""
    return project(characters.basis(frequencies), table)


def remove(characters: Characters, frequencies: Sequence[int], table: Table) -> Table:
    """Return W − (P_K − P₀)·W: some frequencies are taken out, the constant stays."""
    return table - project(characters.span(frequencies), table)


def remove_others(
    characters: Characters, frequencies: Sequence[int], others: Sequence[int], table: Table
) -> Table:
    """Return W without other frequencies, of which first all that the keys hold is taken out.

    The characters of coordinates that are not injective overlap: without that a control would
    remove parts of the keys too.
    """
    beyond = orthonormal(characters.span(others), characters.basis(frequencies))
    return table - project(beyond, table)
