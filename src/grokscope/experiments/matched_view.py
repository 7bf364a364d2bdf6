"""A network seen in the basis that fits its operation, inside the training program."""

from typing import Final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from grokscope.circuits.matched import Matched
from grokscope.experiments.table_a4 import LOSSES, Seen, make_table_a4
from grokscope.measures import key_frequencies, matched_keys, matched_values
from grokscope.measures._shares import LARGEST_UNTESTABLE
from grokscope.spectra.characters import Characters
from grokscope.spectra.matched import MatchedSpectrum, matched_spectrum
from grokscope.tasks import Task
from grokscope.tasks.structure import structure_of

MATCHED: Final = "matched"
"""Name of the basis in the rows of a run."""


def matched_of(task: Task) -> Matched | None:
    """Return the basis that fits a single operation.

    **Arguments:**

    - `task`: what is learned.

    **Returns:** None for a mixture, a random table, an operation without a known structure, and
    one whose group is too small to be measured.
    """
    if task.n_tasks > 1 or task.expressions[0].is_random:
        return None
    best = structure_of(task).best
    return None if best is None or best.n <= LARGEST_UNTESTABLE else Matched(best)


class MatchedView:
    """What is measured of a network in the basis that fits its operation.

    **Arguments:**

    - `matched`: the basis.
    - `task`: the operation.
    - `eta`: threshold of FFS, and of the key frequencies of Table A.4.
    """

    def __init__(self, matched: Matched, task: Task, eta: float) -> None:
        self._characters = characters_of(matched)
        self._eta = eta
        self._table_a4 = make_table_a4(task, matched)

    def spectra(self, tables: dict[str, Float[Array, "p column"]]) -> dict[str, MatchedSpectrum]:
        """Return the spectrum of every table."""
        return {name: matched_spectrum(W, self._characters[name]) for name, W in tables.items()}

    def measures(self, spectra: dict[str, MatchedSpectrum]) -> list[Float[Array, ""]]:
        """Return the values of `matched_columns`."""
        found = [matched_values(s, self._characters[n], self._eta) for n, s in spectra.items()]
        return [value for values in found for value in values.values()]

    def keys(self, spectra: dict[str, MatchedSpectrum]) -> Bool[Array, "freq"]:
        """Return the key frequencies: those that FFS counts in W_E."""
        return key_frequencies(spectra["W_E"], self._eta)

    def losses(self, seen: Seen, due: Bool[Array, ""]) -> Float[Array, "column"]:
        """Return Table A.4; nan, and no work, where it is not due."""
        return jax.lax.cond(
            due, lambda: self._table_a4(seen), lambda: jnp.full(len(LOSSES), jnp.nan)
        )


def characters_of(matched: Matched) -> dict[str, Characters]:
    """Return the characters on the rows of each table that is measured."""
    return {"W_E": matched.embedding, "W_L": matched.readout}


def matched_columns(matched: Matched) -> list[tuple[str, str, str]]:
    """Return measure, matrix and basis of the values that `MatchedView.measures` gives."""
    return [
        (key, table, MATCHED)
        for table, characters in characters_of(matched).items()
        for key in matched_keys(characters)
    ]
