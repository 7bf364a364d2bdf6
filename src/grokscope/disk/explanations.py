"""What was found in a run, kept in its folder as plain documents; who only reads needs no JAX.

They are the explanations of last checkpoints, and the claims at all checkpoints.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from grokscope.disk.atomic import names_in, read_bytes, utf8_bytes
from grokscope.disk.folder import RunFolder

EXPLANATION_NAME: Final = "explanation.json"
CLAIMS_NAME: Final = "claims-over-time.json"
FORMAT: Final = 1
RULES: Final = 2
"""Counts up whenever the rules for verdicts change (`grokscope.explanation.verdict`), so that what
was decided by others is made anew; files without it are of the first."""


def write_documents(
    folder: RunFolder, documents: Sequence[Mapping[str, Any]], name: str = EXPLANATION_NAME
) -> None:
    """Write a file of documents, whole or not at all.

    **Raises:** `DiskError` and `RunFolderError` where it cannot be written.
    """
    document = {"format": FORMAT, "rules": RULES, "explanations": list(documents)}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    folder.write_file(name, utf8_bytes(f"{text}\n"))


def read_documents(folder: RunFolder) -> list[dict[str, Any]]:
    """Return what `explanation.json` holds; nothing where it is missing, damaged or newer."""
    return _read(folder, EXPLANATION_NAME)[1]


def read_current_documents(folder: RunFolder, name: str = EXPLANATION_NAME) -> list[dict[str, Any]]:
    """Return what a file holds if today's rules decided it, else nothing."""
    rules, documents = _read(folder, name)
    return documents if rules == RULES else []


def _read(folder: RunFolder, name: str) -> tuple[int, list[dict[str, Any]]]:
    if name not in names_in(folder.path):
        return 0, []
    try:
        document = json.loads(read_bytes(folder.path / name))
        if document["format"] != FORMAT:
            return 0, []
        return document.get("rules", 1), [dict(one) for one in document["explanations"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0, []


def kept_documents(folder: RunFolder, seed: int) -> list[dict[str, Any]]:
    """Return what today's rules say of a seed's last checkpoint, as far as it is kept.

    **Returns:** an explanation per operation of the run, or none.
    """
    steps = folder.checkpoint_steps(seed)
    last = steps[-1] if steps else None
    return [e for e in read_current_documents(folder) if (e["seed"], e["step"]) == (seed, last)]
