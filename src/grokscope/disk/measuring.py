"""Measure the tables of a file: which lie over the residues, and their numbers; needs no JAX."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from grokscope.config.arguments import plain_arguments
from grokscope.disk.memory import fitting
from grokscope.disk.residues import ResidueTable, no_residue_table_error, residue_tables
from grokscope.disk.tables import ForeignTable, read_tables
from grokscope.measures import describe

BYTES_PER_NUMBER: Final = 32
"""Memory per number of a table: what is computed in float64 needs four copies."""


@plain_arguments
def measure(
    path: str | Path,
    *,
    p: int | None = None,
    axis: int | None = None,
    tables: Sequence[str] = (),
    eta: float = 0.5,
    skipped: Callable[[str, str], object] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the measures of every table in a file that lies over the residues.

        >>> found = gs.measure("runs/x-y-p23/checkpoints/seed-0/step-0000040.safetensors")
        >>> sorted(found["W_E"])[:3]
        ['axis', 'fcr', 'ffd']

    **Arguments:**

    - `path`: .npy, .npz, .safetensors, or a checkpoint of PyTorch (.pt, .pth, .bin, .ckpt, .pkl).
    - `p`: the modulus; by default what the file says.
    - `axis`: which axis holds the residues, 0 or 1, where the lengths do not say it.
    - `tables`: names of those that are meant; by default all.
    - `eta`: threshold η of FFS and KFS, over 0 and below 1.
    - `skipped`: is called with the name of every other tensor, and the reason.

    **Returns:** by name, in the order of the file: `p`, every key of `gs.measures.MEASURES`, and
    where the residues were: `axis`, its `length`, and which entries of it were `left_out`.

    **Raises:** `UsageError` where p or the axis is not known, and where there is no such table;
    `GrokscopeError` where the file does not fit into memory.
    """
    known = _with_readout(read_tables(path))
    found = over_residues("measure", path, known, p=p, axis=axis, names=tables, skipped=skipped)
    with fitting(Path(path), BYTES_PER_NUMBER * max(table.rows.size for table in found)):
        return {table.name: describe(table.rows, eta) | table.to_json() for table in found}


def over_residues(
    verb: str,
    path: str | Path,
    tables: Mapping[str, ForeignTable],
    *,
    p: int | None,
    axis: int | None,
    names: Sequence[str],
    skipped: Callable[[str, str], object] | None,
) -> list[ResidueTable]:
    """Return the tables of a file that lie over the residues, and tell why others do not.

    **Arguments:** what is to be done with them; the file; its arrays; the rest as for `measure`.

    **Raises:** `UsageError` as `measure`.
    """
    found, reasons = residue_tables(tables, p=p, axis=axis, names=names)
    if not found:
        raise no_residue_table_error(verb, Path(path).name, reasons)
    for name, reason in reasons.items():
        if skipped is not None:
            skipped(name, reason)
    return found


def _with_readout(tables: Mapping[str, ForeignTable]) -> dict[str, ForeignTable]:
    """Add W_L = W_U·W_out to the matrices of one of our own one-block checkpoints."""
    if not all(name in tables and tables[name].axes for name in ("W_out", "W_U")):
        return dict(tables)
    W_out, W_U = tables["W_out"], tables["W_U"]
    with np.errstate(over="ignore", invalid="ignore"):  # then W_L is not finite, and said to be so
        product = (W_out.array @ W_U.array).T
    readout = dataclasses.replace(W_U, array=product, axes=("class", (W_out.axes or ("",))[0]))
    return {**tables, "W_L": readout}
