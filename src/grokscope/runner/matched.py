"""A network seen in the basis that fits an operation, inside the training program."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from grokscope.fourier.arrays import to_jax
from grokscope.fourier.basis import Basis
from grokscope.fourier.characters import Characters, Planes
from grokscope.fourier.spectrum import Spectrum, spectrum
from grokscope.measures.spectral import LARGEST_UNTESTABLE
from grokscope.runner.table_a4 import LOSSES, Seen, TableA4
from grokscope.tasks import Task
from grokscope.tasks.structure import structure_of


def matched_of(task: Task, number: int) -> Basis | None:
    """Return the basis that fits operation number `number` of a task.

    **Returns:** None for a random table, an operation without a known structure, and one whose
    group is too small to be measured.
    """
    if task.expressions[number].is_random:
        return None
    best = structure_of(task, number).best
    return None if best is None or best.n <= LARGEST_UNTESTABLE else Basis(best)


class MatchedView(eqx.Module):
    """What is measured of a network in the basis of one operation, as a tree of arrays.

    It is handed to the program with the other inputs, so that operations of equal shapes share
    one.

    **Arguments:**

    - `matched`: the basis.
    - `task`: what is learned.
    - `number`: which of its operations.
    """

    _planes: dict[str, "_Planes"]
    _table_a4: TableA4

    def __init__(self, matched: Basis, task: Task, number: int) -> None:
        characters = characters_of(matched)
        self._planes = {name: _Planes(found.planes) for name, found in characters.items()}
        self._table_a4 = TableA4(task, number, matched)

    @classmethod
    def of(cls, task: Task, number: int) -> "MatchedView | None":
        """Return the view of an operation; None where no basis is known to fit it."""
        basis = matched_of(task, number)
        return None if basis is None else cls(basis, task, number)

    def spectra(self, tables: dict[str, Float[Array, "p column"]]) -> dict[str, Spectrum]:
        """Return the spectrum of every table."""
        return {name: spectrum(W, self._planes[name].whole) for name, W in tables.items()}

    def losses(self, seen: Seen, due: Bool[Array, ""]) -> dict[str, Float[Array, ""]]:
        """Return Table A.4 by the names in `LOSSES`; nan, and no work, where it is not due."""
        nothing = dict.fromkeys(LOSSES, jnp.float32(jnp.nan))
        return jax.lax.cond(due, lambda: self._table_a4(seen), lambda: nothing)


class _Planes(eqx.Module):
    """`Planes` as a tree."""

    _n: int = eqx.field(static=True)
    _one_coordinate: bool = eqx.field(static=True)
    _columns: Float[Array, "freq p mode"]
    _has_both: Bool[Array, "freq"]

    def __init__(self, planes: Planes) -> None:
        self._n, self._one_coordinate = planes.n, planes.one_coordinate
        self._columns = to_jax(planes.columns, np.float32)
        self._has_both = to_jax(planes.has_both, bool)

    @property
    def whole(self) -> Planes:
        """The planes that it was made from, in single precision."""
        return Planes(self._n, self._columns, self._has_both, self._one_coordinate)


def characters_of(matched: Basis) -> dict[str, Characters]:
    """Return the characters on the rows of each table that is measured."""
    return {"W_E": matched.inputs, "W_L": matched.answers}
