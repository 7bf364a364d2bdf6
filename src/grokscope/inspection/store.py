"""What `explain` found in a run is kept in its folder, for reports and for people."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grokscope.circuits.explanation import Explanation
from grokscope.config import RunConfig
from grokscope.errors import DiskError, RunFolderError
from grokscope.inspection.explaining import explain
from grokscope.runs.explanations import (
    EXPLANATION_NAME,
    FORMAT,
    by_these_rules,
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


def explained(
    folder: RunFolder, seed: int, warn: Callable[[str], object] = lambda _: None
) -> list[dict[str, Any]]:
    """Return the explanations of a seed's last checkpoint, one per operation of the run.

    They are read where they were kept and today's rules decided them; else they are made, and kept
    if the folder allows.

    **Arguments:** the run; the seed; `warn` is told where what was made could not be kept.

    **Raises:** `UsageError` where there is no network to explain.
    """
    found = kept(folder, seed)
    if len(found) == len(RunConfig.from_json(folder.manifest.config).task.expressions):
        return found
    found = [e.to_json() for e in explain(folder, seeds=[seed])]
    others = [e for e in by_these_rules(folder) if e["seed"] != seed]
    try:
        write_documents(folder, sorted([*others, *found], key=lambda e: e["seed"]))
    except (DiskError, RunFolderError) as error:
        warn(f"an explanation is not kept: {error}")
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
