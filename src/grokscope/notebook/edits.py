"""Ready edits of activations and weights: `net.logits(edits={"blocks.0.mlp_post": zero(7)})`.

Each function here returns an edit: a function that takes a named array, [x, y, …] for an
activation of all pairs and the axes of the matrix for a weight, and returns what the network shall
use instead. Any function of yours that does so is an edit, too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from grokscope.config.arguments import plain_arguments
from grokscope.errors import UsageError
from grokscope.fourier import characters
from grokscope.fourier.characters import Characters, pulled_back
from grokscope.notebook.arrays import NamedArray

Edit = Callable[[NamedArray], Any]
_PAIRS = ("x", "y")
_RESIDUES = ("x", "y", "token", "class")


@plain_arguments
def zero(units: int | Sequence[int] | None = None, *, axis: str | None = None) -> Edit:
    """Return the edit that sets some units to 0.

        >>> net.accuracy(edits={"blocks.0.mlp_post": gs.edits.zero(range(16))})["all"] < 1
        True

    **Arguments:**

    - `units`: places on the axis, one or several; None for all.
    - `axis`: its name, for instance `head`; by default the last one.
    """

    def edit(array: NamedArray) -> np.ndarray:
        return _replaced(array, units, axis, np.zeros_like(array.values))

    return edit


@plain_arguments
def mean(units: int | Sequence[int] | None = None, *, axis: str | None = None) -> Edit:
    """Return the edit that sets some units to their mean over all pairs, or all tokens of a weight.

    **Arguments:** as for `zero`.
    """

    def edit(array: NamedArray) -> np.ndarray:
        over = [i for i, name in enumerate(array.axes) if name in _RESIDUES]
        means = array.values.mean(axis=tuple(over), keepdims=True)
        return _replaced(array, units, axis, np.broadcast_to(means, array.shape))

    return edit


@plain_arguments
def keep(frequencies: int | Sequence[int], basis: Any = None) -> Edit:
    """Return the edit that keeps only the constant and some frequencies along the residues.

    Of an activation [x, y, …] it keeps products of waves in x and in y that both have one of these
    frequencies, or are constant; of W_E and W_U waves over the residues, operators as they are.

        >>> net.logits(edits={"W_E": gs.edits.keep([1, 5])}).shape
        (23, 23, 23)

    **Arguments:**

    - `frequencies`: k = 1 … ⌊n/2⌋, one or several.
    - `basis`: what `gs.basis` gives, or characters of the residues; by default the additive ones.
    """
    return _along_residues(characters.keep, frequencies, basis)


@plain_arguments
def remove(frequencies: int | Sequence[int], basis: Any = None) -> Edit:
    """Return the edit that takes some frequencies out along the residues; the rest stays.

    **Arguments:** as for `keep`.
    """
    return _along_residues(characters.remove, frequencies, basis)


@plain_arguments
def patch(x: int | None = None, y: int | None = None) -> Edit:
    """Return the edit that takes the activation of another pair.

        >>> there = net.logits(edits={"blocks.0.residual_after": gs.edits.patch(x=3, y=4)})
        >>> bool((there.values == net.logits().at(x=3, y=4).values).all())
        True

    **Arguments:** the other pair; an operand that is left out stays as it is.
    """

    def edit(array: NamedArray) -> np.ndarray:
        _require_pairs(array, "patch")
        found = array.values
        for axis, (name, residue) in enumerate((("x", x), ("y", y))):
            if residue is not None:
                found = np.broadcast_to(
                    np.take(found, [_checked(name, residue, len(array))], axis), found.shape
                )
        return found

    return edit


def _replaced(
    array: NamedArray, units: int | Sequence[int] | None, axis: str | None, new: np.ndarray
) -> np.ndarray:
    if units is None:
        return new
    number = array.ndim - 1 if axis is None else array.axis(axis)
    size = array.shape[number]
    chosen = np.zeros(size, bool)
    for unit in _several(units):
        chosen[_checked(array.axes[number], unit, size)] = True
    shape = [size if i == number else 1 for i in range(array.ndim)]
    return np.where(chosen.reshape(shape), new, array.values)


def _checked(name: str, place: int, size: int) -> int:
    if not 0 <= place < size:
        raise UsageError(f"there is no such {name}", got=place, allowed=f"0 to {size - 1}")
    return place


def _several(given: int | Sequence[int]) -> Sequence[int]:
    return [given] if isinstance(given, int) else given


def _along_residues(
    project: Callable[..., np.ndarray], frequencies: int | Sequence[int], basis: Any
) -> Edit:
    known, chosen = getattr(basis, "inputs", basis), _several(frequencies)
    if not isinstance(known, Characters | None):
        raise UsageError(
            "no such basis",
            got=basis,
            allowed="what gs.basis gives, or None for the additive one",
            next_step='for example gs.basis("x*y", p=97)',
        )

    def edit(array: NamedArray) -> np.ndarray:
        found = array.values.astype(np.float64)
        axes = [name for name in array.axes if name in _RESIDUES]
        if not axes:
            raise UsageError(
                "this has no axis over the residues",
                got=", ".join(array.axes),
                next_step="edit W_E, W_U or an activation",
            )
        for name in axes:
            number = array.axis(name)
            rows = _rows(array, known)
            _check(chosen, rows.n)
            places = array.coordinates.get(name, range(array.shape[number]))
            inside = [i for i, place in enumerate(places) if isinstance(place, int)]
            found = _projected(
                found, number, inside[: len(rows.inside)], lambda w, c=rows: project(c, chosen, w)
            )
        return found

    return edit


def _rows(array: NamedArray, known: Characters | None) -> Characters:
    """Return the characters of the residues; of W_E, which has operators too, those of `p`."""
    name = next(name for name in array.axes if name in _RESIDUES)
    length = array.shape[array.axis(name)]
    places = array.coordinates.get(name, range(length))
    p = sum(isinstance(place, int) for place in places)
    if known is None:
        return pulled_back([np.arange(p)], p)
    own = len(known.inside)
    # tokens without names may be operators
    if own == p or (name not in array.coordinates and name == "token" and own < length):
        return known
    raise UsageError(
        "the basis is that of another modulus",
        got=f"p = {own}",
        allowed=f"p = {p}",
        next_step=f"take gs.basis(operation, p={p})",
    )


def _projected(
    values: np.ndarray,
    axis: int,
    residues: Sequence[int],
    project: Callable[[Float[np.ndarray, "p column"]], np.ndarray],
) -> np.ndarray:
    """Project the residues along an axis; what else is there, operators, is left alone."""
    table = np.moveaxis(values, axis, 0).copy()
    flat = table[residues].reshape(len(residues), -1)
    table[residues] = project(flat).reshape(len(residues), *table.shape[1:])
    return np.moveaxis(table, 0, axis)


def _check(frequencies: Sequence[int], n: int) -> None:
    for k in frequencies:
        if not 1 <= k <= n // 2:
            raise UsageError("there is no such frequency", got=k, allowed=f"1 to {n // 2}")


def _require_pairs(array: NamedArray, what: str) -> None:
    if array.axes[:2] != _PAIRS:
        raise UsageError(
            f"{what} needs an activation",
            got=f"an array over {', '.join(array.axes)}",
            allowed="an array over x, y, …",
        )


def require_functions(edits: Any) -> None:
    """Refuse edits that are no functions by name; raises `UsageError`."""
    known = {} if edits is None else edits
    plain = isinstance(known, Mapping) and all(map(callable, known.values()))
    if not plain:
        raise UsageError(
            "edits are not usable",
            got=edits,
            allowed="functions by the name of an activation or a weight",
            next_step='for example {"blocks.0.mlp_post": gs.edits.zero(7)}',
        )


def edited(name: str, edit: Edit, array: NamedArray) -> np.ndarray:
    """Return what an edit makes of an array; raises `UsageError` for what is not like it."""
    new = np.asarray(edit(array))
    if new.shape != array.shape or new.dtype.kind not in "fiub":
        raise UsageError(
            f"the edit of {name} changes the shape or the kind of the numbers",
            got=f"{new.shape} of {new.dtype}",
            allowed=f"{array.shape} of {array.dtype}",
            next_step="an edit takes a named array and returns one like it, as gs.edits.zero(7)",
        )
    return new.astype(array.dtype)
