"""Which axis of a table holds the residues: never guessed where it could be another one.

An axis can hold them where it has exactly p entries, or a few more, since a vocabulary has
operators and an equals sign behind its residues. A width of the network that happens to be as
long cannot be told from them by its shape; then the user is asked.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Float

from grokscope.axes import MOST_TOKENS, axis_in_words
from grokscope.disk.tables import ForeignTable
from grokscope.errors import UsageError, quote

_RESIDUES: Final = ("p", "class", "token")
_INSIDE: Final = frozenset(
    {
        "W_Q",
        "W_K",
        "W_V",
        "W_O",
        "W_in",
        "W_hidden",
        "W_out",
        "W_pos",
        "b_Q",
        "b_K",
        "b_V",
        "b_O",
        "b_in",
        "b_out",
    }
)
"""The field's names of weights inside a network, no axis of which holds residues."""
_NO_AXIS: Final = "no axis"
_REASONS, _TABLES = 2, 4
"""How many of them one error gives."""


@dataclass(frozen=True)
class ResidueTable:
    """A table whose rows are the residues, and where they lay in the array of the file."""

    name: str
    rows: Float[np.ndarray, "p column"]
    axis: int
    """Which axis of the array held the residues."""
    length: int
    """Entries of that axis: p, and those behind them that were left out."""

    @property
    def p(self) -> int:
        """The modulus."""
        return len(self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the axis, its length, and which of its entries were left out."""
        left_out = list(range(self.p, self.length))
        return {"axis": self.axis, "length": self.length, "left_out": left_out}


def residue_tables(
    tables: Mapping[str, ForeignTable],
    *,
    p: int | None = None,
    axis: int | None = None,
    names: Sequence[str] = (),
) -> tuple[list[ResidueTable], dict[str, str]]:
    """Return the tables of a file that lie over the residues, and why the others do not.

    Where a file names its axes those words decide, else the lengths, else the user.

    **Arguments:**

    - `tables`: as `read_tables` returns them.
    - `p`: the modulus; by default what the file says.
    - `axis`: which axis holds the residues, 0 or 1, where lengths do not say it. Of a table that
      is alone or named in `names` it may have any length from p on.
    - `names`: which tables are meant; by default all.

    **Returns:** the tables in the order of the file, and by name why others are left out.

    **Raises:** `UsageError` where p is not known or not the file's, and where both axes, or
    another width of the network, could be the residues.
    """
    _check(p, axis)
    meant = _named(tables, names)
    skipped = {name: problem for name, table in meant.items() if (problem := _problem(table))}
    usable = {name: table for name, table in meant.items() if name not in skipped}
    told = axis is not None and (bool(names) or len(usable) == 1)
    choice = _Choice(axis, told, _widths(tables))
    moduli = {name: _modulus(name, usable[name], p) for name in sorted(usable, key=_is_inside)}
    found = []
    for name, table in usable.items():
        try:
            found.append(_taken(name, table, moduli[name], choice))
        except _UnfitError as reason:
            skipped[name] = str(reason)
    if not told:
        _refuse_two_vocabularies([t for t in found if usable[t.name].axes is None])
    return found, {name: skipped[name] for name in meant if name in skipped}


def no_residue_table_error(verb: str, file: str, skipped: Mapping[str, str]) -> UsageError:
    """Return the error of a file in which no table lies over the residues, with its reasons."""
    first = sorted(skipped, key=lambda name: (_is_inside(name), _NO_AXIS not in skipped[name]))
    reasons = [f"{quote(name)}: {skipped[name]}" for name in first[:_REASONS]]
    if len(first) > _REASONS:
        reasons.append(f"and {len(first) - _REASONS} more")
    return UsageError(
        f"no table to {verb}",
        got=file,
        allowed=f"2 axes of finite numbers, one of them p residues and at most {MOST_TOKENS} more",
        next_step="; ".join([*(reasons or ["it is empty"]), "--p, --axis and --table choose"]),
    )


class _UnfitError(Exception):
    """Why a table does not lie over the residues."""


class _Choice(NamedTuple):
    """What else is known of the axis than the table itself tells."""

    axis: int | None
    told: bool
    """Whether the user means this table by the axis, so that its length may be any."""
    widths: frozenset[int]
    """Lengths of the axes of those matrices that lie inside the network by their names."""


def _taken(name: str, table: ForeignTable, p: int, choice: _Choice) -> ResidueTable:
    if table.axes is not None:
        axis = _by_words(table.axes, choice.axis)
    elif choice.axis is not None and choice.told:
        axis = choice.axis
    else:
        axis = _by_length(name, table.array.shape, p, choice)
    length = table.array.shape[axis]
    if length < p:
        raise _UnfitError(f"{axis_in_words(axis, length)}, fewer than p = {p}")
    # rows one after the other in memory give the same bits, whichever axis they were
    rows = table.array[:p] if axis == 0 else np.ascontiguousarray(table.array.T[:p])
    if rows.dtype.kind != "f":
        rows = rows.astype(np.float64)
    if not np.isfinite(rows).all():
        raise _UnfitError("it holds values that are not finite")
    return ResidueTable(name, rows, axis, length)


def _by_words(words: tuple[str, ...], axis: int | None) -> int:
    """Return the axis whose word marks the residues; of two, the one that was asked for."""
    marked = [i for i, word in enumerate(words) if word in _RESIDUES]
    if not marked:
        raise _UnfitError(f"{_NO_AXIS} of residues among {', '.join(words)}")
    return axis if axis in marked else marked[0]


def _by_length(name: str, shape: tuple[int, ...], p: int, choice: _Choice) -> int:
    """Return the one axis that has p entries, or a few more; raises `UsageError` for two."""
    if _is_inside(name):
        raise _UnfitError(f"{_NO_AXIS} of residues, since by its name it is inside the network")
    fits = [i for i in (0, 1) if p <= shape[i] <= p + MOST_TOKENS]
    if len(fits) == 2:
        raise UsageError(
            f"both axes of {quote(name)} could be the residues mod {p}",
            got=_times(shape),
            allowed=f"one of {p} to {p + MOST_TOKENS}",
            next_step=f"choose: --table {quote(name)} --axis 0 (its rows) or"
            " --axis 1 (its columns)",
        )
    if not fits or choice.axis not in (None, *fits):
        which = _NO_AXIS if choice.axis is None else f"{_NO_AXIS} {choice.axis}"
        raise _UnfitError(
            f"{which} of {p} residues and at most {MOST_TOKENS} more tokens: {_times(shape)}"
        )
    if shape[fits[0]] in choice.widths:
        raise _UnfitError(
            f"{_NO_AXIS} of residues for certain: {shape[fits[0]]} is also a width"
            " inside the network; --table and --axis choose it"
        )
    return fits[0]


def _is_inside(name: str) -> bool:
    return not _INSIDE.isdisjoint(re.split("[./]", name))


def _widths(tables: Mapping[str, ForeignTable]) -> frozenset[int]:
    inside = [table.array.shape for name, table in tables.items() if _is_inside(name)]
    return frozenset(length for shape in inside for length in shape)


def _refuse_two_vocabularies(found: Sequence[ResidueTable]) -> None:
    """Raise `UsageError` where two lengths pass for residues and more tokens: one is a width."""
    longer = {table.length: table for table in found if table.length > table.p}
    if len(longer) > 1:
        first, second, *_ = longer.values()
        raise UsageError(
            "two lengths pass for residues and a few tokens, so one of them is a width",
            got=f"{axis_in_words(first.axis, first.length)} of {first.name},"
            f" {axis_in_words(second.axis, second.length)} of {second.name}",
            next_step="choose: --table NAME --axis 0 or 1",
        )


def _check(p: int | None, axis: int | None) -> None:
    if axis not in (None, 0, 1):
        raise UsageError("the axis is not usable", got=axis, allowed="0 or 1")
    if p is not None and p < 2:
        raise UsageError("p is not usable", got=p, allowed="a whole number, 2 or more")


def _named(tables: Mapping[str, ForeignTable], names: Sequence[str]) -> dict[str, ForeignTable]:
    for name in names:
        if name not in tables:
            raise UsageError(
                "the file has no such table",
                got=name,
                allowed=", ".join(map(quote, list(tables)[:_TABLES]))
                + (", …" if len(tables) > _TABLES else ""),
            )
    return {name: table for name, table in tables.items() if not names or name in names}


def _modulus(name: str, table: ForeignTable, p: int | None) -> int:
    """Return the modulus that was given, or else that of the file."""
    if p is None and table.p is None:
        raise UsageError(
            f"the modulus of {quote(name)} is not known",
            got=_times(table.array.shape),
            allowed=f"a modulus P, where one axis has P entries or up to {MOST_TOKENS} more",
            next_step="name it with --p P",
        )
    if None not in (p, table.p, table.axes) and p != table.p:
        raise UsageError(
            "the file says another p", got=p, allowed=str(table.p), next_step="leave --p out"
        )
    return (p or table.p) or 0


def _problem(table: ForeignTable) -> str:
    array = table.array
    if table.problem:
        return table.problem
    if array.ndim != 2:
        return {0: "one number", 1: f"1 axis, of {array.size}"}.get(
            array.ndim, f"{array.ndim} axes, {_times(array.shape)}"
        ) + ", where a table has 2 axes"
    if array.dtype.kind not in "fiub":
        return f"it holds {array.dtype.name}, not real numbers"
    return "" if array.size else "it is empty"


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
