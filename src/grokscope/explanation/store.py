"""Explanations kept: as explanation.json in a run folder, and as rows of a table of many."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from grokscope.config.run import RunConfig
from grokscope.disk.explanations import (
    explains_checkpoint,
    read_current_documents,
    read_documents,
    write_documents,
)
from grokscope.disk.folder import RunFolder
from grokscope.errors import DiskError, RunFolderError
from grokscope.explanation.of_run import explain_networks
from grokscope.explanation.result import Explanation
from grokscope.explanation.sentences import VERDICTS_IN_WORDS, not_finite_in_words
from grokscope.explanation.verdict import Edit
from grokscope.measures import TABLES
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
    found = [
        e for e in _readable(read_current_documents(folder)) if (e.seed, e.step) == (seed, last)
    ]
    return found if last is not None and explains_checkpoint(folder, seed, last) else []


def read_or_explain(
    folder: RunFolder,
    seed: int,
    warn: Callable[[str], object] = lambda _: None,
    *,
    fresh: bool = False,
) -> list[Explanation]:
    """Return the explanations of a seed's last checkpoint, one per operation of the run.

    They are read where they were kept of these weights and today's rules decided them; else they
    are made, and kept if the folder allows.

    **Arguments:** the run; the seed; `warn` is told where what was made could not be kept; `fresh`
    makes them anew.

    **Raises:** `UsageError` where there is no network to explain.
    """
    found = [] if fresh else kept_explanations(folder, seed)
    if len(found) == len(RunConfig.from_json(folder.manifest.config).task.expressions):
        return found
    found = explain_networks(folder, seeds=[seed])
    others = [e for e in _readable(read_current_documents(folder)) if e.seed != seed]
    try:
        write_explanations(folder, sorted([*others, *found], key=lambda e: e.seed or 0))
    except (DiskError, RunFolderError) as error:
        warn(f"an explanation is not kept: {error.line}")
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


_PLACES: Final = ("W_E", "neurons", "class_axis")
COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("mixture_operation", pa.string()),
    ("explained_step", pa.int64()),
    ("verdict", pa.string()),
    ("levels", pa.string()),
    ("fails", pa.string()),
    ("group", pa.string()),
    *(
        (f"{table}_{what}", pa.list_(kind))
        for table in TABLES
        for what, kind in (("keys", pa.int64()), ("shares", pa.float64()))
    ),
    *((f"A_{place}_{edit}", pa.float64()) for place in _PLACES for edit in Edit),
    ("A_both_keep", pa.float64()),
    ("why_not", pa.string()),
)
"""What a row has beside those of `rows_of`: the operation of a mixture; the step; the verdict,
its levels, and the claims that it lacks; the group; the keys of W_E and W_L, each with its share of
the table's energy; A of every ablation; why there is no explanation."""


def row_of(found: Explanation) -> dict[str, Any]:
    """Return the columns of one explanation."""
    if reason := not_finite_in_words(found):
        return {"explained_step": found.step, "why_not": reason}
    row: dict[str, Any] = {
        "explained_step": found.step,
        "verdict": found.verdict,
        "levels": ", ".join(found.levels),
        "fails": ", ".join(c.id for c in found.claims.missing if c.fails),
        "group": found.structure.group,
        "A_both_keep": found.ablations.both_keep,
    }
    for name, table in found.by_table.items():
        row[f"{name}_keys"] = list(table.keys)
        row[f"{name}_shares"] = [table.spectrum[k - 1] for k in table.keys if table.spectrum]
    ablations = (found.ablations.embedding, found.ablations.neurons, found.ablations.logits)
    for place, scores in zip(_PLACES, ablations, strict=True):
        row |= {f"A_{place}_{edit}": scores.of(edit) for edit in Edit}
    return row


def row_in_words(row: Mapping[str, Any]) -> str:
    """Return the verdict of a row in words, or why there is none."""
    return row.get("why_not") or VERDICTS_IN_WORDS.get(
        row.get("verdict") or "", "not explained yet"
    )
