"""explanation.json in a run folder, as plain documents; who only reads it needs no JAX."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from grokscope.runs.atomic import names_in, read_bytes, utf8
from grokscope.runs.folder import RunFolder

EXPLANATION_NAME: Final = "explanation.json"
FORMAT: Final = 1
_LATER_FIELDS: Final = {"by": None, "table": None}
"""What explanations that were written earlier do not have."""


def write_documents(folder: RunFolder, documents: Sequence[Mapping[str, Any]]) -> None:
    """Write `explanation.json`, whole or not at all.

    **Raises:** `DiskError` and `RunFolderError` where it cannot be written.
    """
    document = {"format": FORMAT, "explanations": list(documents)}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    folder.write_file(EXPLANATION_NAME, utf8(f"{text}\n"))


def read_explanations(folder: RunFolder) -> list[dict[str, Any]]:
    """Return what `explanation.json` holds; nothing where it is missing, damaged or newer."""
    if EXPLANATION_NAME not in names_in(folder.path):
        return []
    try:
        document = json.loads(read_bytes(folder.path / EXPLANATION_NAME))
        if document["format"] != FORMAT:
            return []
        return [_LATER_FIELDS | explanation for explanation in document["explanations"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


def kept(folder: RunFolder, seed: int) -> list[dict[str, Any]]:
    """Return the kept explanations of a seed's last checkpoint, one per operation of the run."""
    steps = folder.checkpoint_steps(seed)
    last = steps[-1] if steps else None
    return [e for e in read_explanations(folder) if (e["seed"], e["step"]) == (seed, last)]
