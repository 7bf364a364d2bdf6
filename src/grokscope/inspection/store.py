"""What `explain` found in a run is kept in its folder, for reports and for people."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from grokscope.circuits.explanation import Explanation, TableFinding, key_rows
from grokscope.errors import DiskError, RunFolderError
from grokscope.inspection.explaining import explain
from grokscope.runs.explanations import (
    EXPLANATION_NAME,
    FORMAT,
    kept,
    read_explanations,
    write_documents,
)
from grokscope.runs.folder import RunFolder
from grokscope.tasks import Task
from grokscope.tasks.structure import Structure, structure_of

__all__ = ["EXPLANATION_NAME", "FORMAT", "explained", "read_explanations", "write_explanations"]


def write_explanations(folder: RunFolder, explanations: Sequence[Explanation]) -> None:
    """Write `explanation.json`, whole or not at all; raises `DiskError`."""
    write_documents(folder, [explanation.to_json() for explanation in explanations])


def explained(folder: RunFolder, seed: int) -> list[dict[str, Any]]:
    """Return the explanations of a seed's last checkpoint, one per operation of the run.

    They are read where they were kept; where not they are made, and kept if the folder allows.

    **Raises:** `UsageError` where there is no network to explain.
    """
    found = kept(folder, seed)
    if found:
        return [_with_later_fields(document) for document in found]
    found = [e.to_json() for e in explain(folder, seeds=[seed])]
    others = [e for e in read_explanations(folder) if e["seed"] != seed]
    # where it cannot be kept, what was found is shown all the same
    with contextlib.suppress(DiskError, RunFolderError):
        write_documents(folder, sorted([*others, *found], key=lambda e: e["seed"]))
    return found


def structure_explained(
    document: Mapping[str, Any], task: Task, number: int, seed: int
) -> Structure | None:
    """Return the structure that an explanation rests on, which need not be the first of several.

    **Arguments:** the explanation; the task, which of its operations, and the seed.

    **Returns:** None where it rests on none, or this version does not find it any more.
    """
    known, names = document["structure"], ("n", "u", "v", "g")
    found = structure_of(task, number, seed).structures
    return next((s for s in found if all(s.to_json()[x] == known[x] for x in names)), None)


def _with_later_fields(document: dict[str, Any]) -> dict[str, Any]:
    """Return an explanation with what those that were written earlier do not have."""
    if "keys" in document:
        return document
    in_E, in_L = (_table(document[place]) for place in ("embedding", "readout"))
    rows = key_rows(in_E, in_L, document["families"], document["structure"]["n"] or 1)
    parents = {row["frequency"]: row["harmonic_of"] for row in rows}
    for shape in document["logits"]["key_shapes"]:
        shape["harmonic_of"] = parents.get(shape["frequency"])
    return document | {"keys": list(rows)}


def _table(document: Mapping[str, Any]) -> TableFinding:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value
                              for name, value in document.items()}  # fmt: skip
    return TableFinding(**fields)
