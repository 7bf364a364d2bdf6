"""An explanation as the row of a table over many networks."""

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from grokscope.explanation.result import Explanation
from grokscope.explanation.sentences import VERDICTS, not_finite_in_words
from grokscope.explanation.verdict import Edit
from grokscope.measures import TABLES

_PLACES: Final = ("W_E", "neurons", "class_axis")

COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("mixture_operation", pa.string()),
    ("explained_step", pa.int64()),
    ("verdict", pa.string()),
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
"""What a row has beside those of `rows_of`: the operation of a mixture; the step; the verdict, and
the claims that it lacks; the group; the keys of W_E and W_L, each with its share of the table's
energy; A of every ablation; why there is no explanation."""


def row_of(found: Explanation) -> dict[str, Any]:
    """Return the columns of one explanation."""
    if reason := not_finite_in_words(found):
        return {"explained_step": found.step, "why_not": reason}
    row: dict[str, Any] = {
        "explained_step": found.step,
        "verdict": found.verdict,
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
    return row.get("why_not") or VERDICTS.get(row.get("verdict") or "", "not explained yet")
