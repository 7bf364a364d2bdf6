"""One row per explained network: what of an explanation fits into a table."""

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from grokscope.inspection.sentences import VERDICTS, not_finite

_TABLES: Final = {"W_E": "embedding", "W_L": "readout"}
_PLACES: Final = {"W_E": "embedding", "neurons": "neurons", "class_axis": "readout"}
_TESTS: Final = ("keep", "remove", "control", "keep_others")

COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("mixture_operation", pa.string()),
    ("explained_step", pa.int64()),
    ("verdict", pa.string()),
    ("fails", pa.string()),
    ("group", pa.string()),
    *(
        (f"{table}_{what}", pa.list_(kind))
        for table in _TABLES
        for what, kind in (("keys", pa.int64()), ("shares", pa.float64()))
    ),
    *((f"A_{place}_{test}", pa.float64()) for place in _PLACES for test in _TESTS),
    ("A_both_keep", pa.float64()),
    ("why_not", pa.string()),
)
"""What a row has beside those of `rows_of`: the operation of a mixture; the step; the verdict, and
the claims that it lacks; the group; the keys of W_E and W_L, each with its share of the table's
energy; A of every ablation; why there is no explanation."""


def row_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of one explanation."""
    if reason := not_finite(document):
        return {"explained_step": document["step"], "why_not": reason}
    causal = document["causal"]
    row: dict[str, Any] = {
        "explained_step": document["step"],
        "verdict": document["verdict"],
        "fails": ", ".join(c["name"] for c in document["claims"]
                           if c["decisive"] and c["verdict"] == "fails"),
        "group": document["structure"]["group"],
        "A_both_keep": causal.get("both_keep"),
    }  # fmt: skip
    for table, place in _TABLES.items():
        keys, spectrum = document[place]["key_frequencies"], document[place]["spectrum"]
        row[f"{table}_keys"] = list(keys)
        row[f"{table}_shares"] = [spectrum[k - 1] for k in keys] if spectrum else []
    for name, place in _PLACES.items():
        row |= {f"A_{name}_{test}": (causal.get(place) or {}).get(test) for test in _TESTS}
    return row


def in_words(row: Mapping[str, Any]) -> str:
    """Return the verdict of a row in words, or why there is none."""
    return row.get("why_not") or VERDICTS.get(row.get("verdict") or "", "not explained yet")
