"""explanation.json in a run folder: written from explanations, and read into them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grokscope.config.run import RunConfig
from grokscope.disk.explanations import (
    read_current_documents,
    read_documents,
    write_documents,
)
from grokscope.disk.folder import RunFolder
from grokscope.errors import DiskError, RunFolderError
from grokscope.explanation.of_run import explain_networks
from grokscope.explanation.result import Explanation
from grokscope.tasks import Task
from grokscope.tasks.structure import Structure, structure_of


def write_explanations(folder: RunFolder, explanations: Sequence[Explanation]) -> None:
    """Write `explanation.json`, whole or not at all; raises `DiskError`."""
    write_documents(folder, [explanation.to_json() for explanation in explanations])


def read_explanations(folder: RunFolder) -> list[Explanation]:
    """Return what `explanation.json` holds, by whichever rules; nothing where it is damaged."""
    return _readable(read_documents(folder))


def kept_explanations(folder: RunFolder, seed: int) -> list[Explanation]:
    """Return what today's rules say of a seed's last checkpoint, as far as it is kept.

    **Returns:** an explanation per operation of the run, or none.
    """
    steps = folder.checkpoint_steps(seed)
    last = steps[-1] if steps else None
    found = _readable(read_current_documents(folder))
    return [e for e in found if (e.seed, e.step) == (seed, last)]


def read_or_explain(
    folder: RunFolder, seed: int, warn: Callable[[str], object] = lambda _: None
) -> list[Explanation]:
    """Return the explanations of a seed's last checkpoint, one per operation of the run.

    They are read where they were kept and today's rules decided them; else they are made, and kept
    if the folder allows.

    **Arguments:** the run; the seed; `warn` is told where what was made could not be kept.

    **Raises:** `UsageError` where there is no network to explain.
    """
    found = kept_explanations(folder, seed)
    if len(found) == len(RunConfig.from_json(folder.manifest.config).task.expressions):
        return found
    found = explain_networks(folder, seeds=[seed])
    others = [e for e in _readable(read_current_documents(folder)) if e.seed != seed]
    try:
        write_explanations(folder, sorted([*others, *found], key=lambda e: e.seed or 0))
    except (DiskError, RunFolderError) as error:
        warn(f"an explanation is not kept: {error}")
    return found


def structure_explained(
    explanation: Explanation, task: Task, number: int, seed: int
) -> Structure | None:
    """Return the structure that an explanation rests on, which need not be the first of several.

    **Arguments:** the explanation; the task, which of its operations, and the seed.

    **Returns:** None where it rests on none, or this version does not find it any more.
    """
    found = structure_of(task, number, seed).structures
    return next((s for s in found if explanation.structure.is_of(s)), None)


def _readable(documents: Sequence[Mapping[str, Any]]) -> list[Explanation]:
    try:
        return [Explanation.from_json(document) for document in documents]
    except ValueError:
        return []
