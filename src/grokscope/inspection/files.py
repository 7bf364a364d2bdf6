"""Explain the tables of a file: a whole checkpoint, or an embedding or readout alone."""

import dataclasses
from pathlib import Path
from typing import Final

import numpy as np

from grokscope.circuits.compose import explain_network, explain_table
from grokscope.circuits.explanation import Explanation
from grokscope.errors import RunFolderError, UsageError
from grokscope.inspection.explaining import control_of, structure_by
from grokscope.inspection.network import network_of
from grokscope.runs.tables import ForeignTable, read_tables, to_residue_rows
from grokscope.runs.tensors import read
from grokscope.tasks import Task, parse
from grokscope.tasks.structure import structure_of

_READOUTS: Final = ("W_U", "W_L", "unembed")


def explain_file(
    path: str | Path, operation: str, *, p: int | None = None, by: str | None = None
) -> list[Explanation]:
    """Say what the tables of a file show of an algorithm.

    One of grokscope's own checkpoints is explained as a network, without the claims that need
    to know which pairs were trained. Of other files each table with one row per residue is
    looked at alone; W_U, W_L and unembeddings as readouts, all others as embeddings.

    **Arguments:**

    - `path`: .npy, .npz or .safetensors.
    - `operation`: what the network was trained on.
    - `p`: the modulus; by default what the file says, or the number of rows.
    - `by`: explain by the structure of another operation, as a control.

    **Returns:** one explanation per network or table.

    **Raises:** `UsageError` for a file without such a table, or an operation that has none.
    """
    path = Path(path)
    tables = read_tables(path)
    if _is_checkpoint(tables):
        return [_checkpoint(path, operation, by)]
    found, reasons = [], []
    for name, table in tables.items():
        rows, reason = to_residue_rows(table.array, table.axes, table.p if p is None else p, None)
        if rows is None:
            reasons.append(f"{name}: {reason}")
            continue
        task = Task((parse(operation),), len(rows))
        own = structure_of(task)
        search = own if by is None else structure_by(by, task.p)
        place = "readout" if any(word in name for word in _READOUTS) else "embedding"
        explanation = explain_table(np.asarray(rows, np.float64), search, place=place,
                                    operation=task.canonical)  # fmt: skip
        found.append(dataclasses.replace(explanation, by=control_of(by, own, search)))
    if not found:
        raise UsageError("no table to explain", got=path.name,
                         next_step="; ".join(reasons) or "it is empty")  # fmt: skip
    return found


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
    trained = str(content.meta.get("operation", task.canonical))
    if task.canonical not in (parts := trained.split(", ")):
        raise RunFolderError("this checkpoint was trained on another operation", got=operation,
                             allowed=trained, next_step="to explain it by another structure, use"
                             f' --operation "{parts[0]}" --by "{operation}"')  # fmt: skip
    own = structure_of(task, 0, network.seed)
    search = own if by is None else structure_by(by, p)
    explanation = explain_network(
        network.model,
        task.labels(network.seed)[0].reshape(p, p),
        search,
        operation=task.canonical,
        kind=None,
        task=parts.index(task.canonical),
        seed=network.seed,
        step=network.step,
    )
    return dataclasses.replace(explanation, by=control_of(by, own, search))
