"""Explain the tables of a file: a whole checkpoint, or W_E or W_L alone."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from grokscope.disk.measuring import BYTES_PER_NUMBER, over_residues
from grokscope.disk.memory import fitting
from grokscope.disk.residues import ResidueTable
from grokscope.disk.tables import ForeignTable, read_tables
from grokscope.disk.tensors import read
from grokscope.errors import RunFolderError, UsageError
from grokscope.explanation.explain import explain_network, explain_table, structures_by
from grokscope.explanation.network import of_model
from grokscope.explanation.of_run import network_of
from grokscope.explanation.result import Explanation, TableSource
from grokscope.explanation.verdict import Place
from grokscope.numerics import computing
from grokscope.progress import showing
from grokscope.tasks import Task, parse
from grokscope.tasks.structure import structure_of

_ROLES: Final = {
    Place.LOGITS: re.compile(r"(?<![A-Za-z])W_[UL](?![A-Za-z])|unembed|lm_head", re.IGNORECASE),
    Place.EMBEDDING: re.compile(r"(?<![A-Za-z])W_E(?![A-Za-z])|(?<!pos_)embed|wte", re.IGNORECASE),
}
"""What the names of tensors say of them, the first that fits; all others do not say it."""
_ROLE_OF_AXIS: Final = {"token": Place.EMBEDDING, "class": Place.LOGITS}


@computing()
@showing()
def explain_file(
    path: str | Path,
    operation: str,
    *,
    p: int | None = None,
    axis: int | None = None,
    tables: Sequence[str] = (),
    by: str | None = None,
    skipped: Callable[[str, str], object] | None = None,
) -> list[Explanation]:
    """Say what the tables of a file show of an algorithm.

    One of grokscope's own checkpoints is explained as a network, without the claims that need
    to know which pairs were trained. Of other files each table over the residues is looked at
    alone: as an embedding or a readout where its name says which, else with its residues as x.

    **Arguments:**

    - `path`: .npy, .npz, .safetensors, or a checkpoint of PyTorch (.pt, .pth, .bin, .ckpt, .pkl).
    - `operation`: what the network was trained on.
    - `p`: the modulus; by default what the file says.
    - `axis`: which axis holds the residues, 0 or 1, where the lengths do not say it.
    - `tables`: names of those that are meant; by default all.
    - `by`: explain by the structure of another operation, as a control.
    - `skipped`: is called with the name of every other tensor, and the reason.

    **Returns:** one explanation of the network, or one per table, in the order of the file.

    **Raises:** `UsageError` for a file without such a table, one whose p or axis is not known,
    or an operation that has no structure; `GrokscopeError` where it does not fit into memory.
    """
    path = Path(path)
    known = read_tables(path)
    if _is_checkpoint(known) and not tables:
        _refuse_other(known, p, axis)
        return [_checkpoint(path, operation, by)]
    found = over_residues("explain", path, known, p=p, axis=axis, names=tables, skipped=skipped)
    with fitting(path, BYTES_PER_NUMBER * max(table.rows.size for table in found)):
        return [_table(table, known[table.name], operation, by) for table in found]


def _table(
    table: ResidueTable, source: ForeignTable, operation: str, by: str | None
) -> Explanation:
    task = Task((parse(operation),), table.p)
    own = structure_of(task)
    search, control = structures_by(by, own, task.p)
    role = _role(table, source)
    explanation = explain_table(
        np.asarray(table.rows, np.float64),
        search,
        name=table.name,
        place=role or Place.EMBEDDING,
        operation=task.canonical,
        control=control,
    )
    left_out = tuple(range(table.p, table.length))
    taken = TableSource(table.name, role, table.axis, table.length, left_out)
    return dataclasses.replace(explanation, table=taken)


def _role(table: ResidueTable, source: ForeignTable) -> Place | None:
    """Return whether rows are residues or answers: the axis says it, or else the table's name."""
    if source.axes is not None and source.axes[table.axis] in _ROLE_OF_AXIS:
        return _ROLE_OF_AXIS[source.axes[table.axis]]
    return next((role for role, words in _ROLES.items() if words.search(table.name)), None)


def _refuse_other(tables: dict[str, ForeignTable], p: int | None, axis: int | None) -> None:
    """Raise `UsageError` where something else is said than the checkpoint says itself."""
    own = tables["W_E"].p
    if p not in (None, own):
        raise UsageError(
            "this checkpoint says another p", got=p, allowed=str(own), next_step="leave it out"
        )
    if axis is not None:
        raise UsageError(
            "this checkpoint says which axes hold the residues",
            got=axis,
            next_step="leave the axis out, or name the tables",
        )


def _is_checkpoint(tables: dict[str, ForeignTable]) -> bool:
    ours = ("W_E", "W_in", "W_U")
    return all(name in tables and tables[name].axes for name in ours) or (
        "W_E" in tables and "W_in.0" in tables and bool(tables["W_E"].axes)
    )


def _checkpoint(path: Path, operation: str, by: str | None) -> Explanation:
    content = read(path)
    network = network_of(content.tensors, content.meta)
    p = network.model.W_U.shape[1]
    task = Task((parse(operation),), p)
    trained = str(content.meta.get("operation", task.canonical)).split(", ")
    _require_trained(operation, task.canonical, trained)
    own = structure_of(task, 0, network.seed)
    search, control = structures_by(by, own, p)
    return explain_network(
        of_model(network.model, trained.index(task.canonical)),
        task.labels(network.seed)[0].reshape(p, p),
        search,
        operation=task.canonical,
        seed=network.seed,
        step=network.step,
        control=control,
    )


def _require_trained(operation: str, canonical: str, trained: list[str]) -> None:
    """Raise `RunFolderError` where a checkpoint was not trained on an operation."""
    if canonical not in trained:
        raise RunFolderError(
            "this checkpoint was trained on another operation",
            got=operation,
            allowed=", ".join(trained),
            next_step="to explain it by another structure, use"
            f' --operation "{trained[0]}" --by "{operation}"',
        )
