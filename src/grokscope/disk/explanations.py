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
RULES: Final = 3
"""Counts up whenever the rules for verdicts change (`grokscope.explanation.verdict`), so that what
was decided by others is made anew; files without it are of the first."""


def write_documents(
    folder: RunFolder, documents: Sequence[Mapping[str, Any]], name: str = EXPLANATION_NAME
) -> None:
    """Write a file of documents, whole or not at all.

    **Raises:** `DiskError` and `RunFolderError` where it cannot be written.
    """
    document = {
        "format": FORMAT,
        "rules": RULES,
        "checkpoints": _digests(folder, documents),
        "explanations": list(documents),
    }
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    folder.write_file(name, utf8_bytes(f"{text}\n"))


def _digests(folder: RunFolder, documents: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the SHA-256 of every checkpoint that is explained by documents that name it."""
    places = {(one["seed"], one["step"]) for one in documents if "seed" in one and "step" in one}
    return {
        f"{seed}/{step}": folder.checkpoint_digest(seed, step)
        for seed, step in sorted(places)
        if step in folder.checkpoint_steps(seed)
    }


def explains_checkpoint(folder: RunFolder, seed: int, step: int) -> bool:
    """Whether what is kept of a checkpoint is of the weights that lie there now.

    Files of earlier versions do not say of which; they count as such.
    """
    kept = _document(folder).get("checkpoints", {}).get(f"{seed}/{step}")
    return kept is None or kept == folder.checkpoint_digest(seed, step)


def read_documents(folder: RunFolder) -> list[dict[str, Any]]:
    """Return what `explanation.json` holds; nothing where it is missing, damaged or newer."""
    return _read(folder, EXPLANATION_NAME)[1]


def read_current_documents(folder: RunFolder, name: str = EXPLANATION_NAME) -> list[dict[str, Any]]:
    """Return what a file holds if today's rules decided it, else nothing."""
    rules, documents = _read(folder, name)
    return documents if rules == RULES else []


def _read(folder: RunFolder, name: str) -> tuple[int, list[dict[str, Any]]]:
    document = _document(folder, name)
    return document.get("rules", 1), document.get("explanations", [])


def _document(folder: RunFolder, name: str = EXPLANATION_NAME) -> dict[str, Any]:
    """Return the whole file; {} where it is missing, damaged or newer."""
    if name not in names_in(folder.path):
        return {}
    try:
        document = json.loads(read_bytes(folder.path / name))
        if document["format"] != FORMAT:
            return {}
        found = [dict(one) for one in document["explanations"]]
        return document | {
            "explanations": found,
            "checkpoints": dict(document.get("checkpoints", {})),
        }
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def kept_documents(folder: RunFolder, seed: int) -> list[dict[str, Any]]:
    """Return what today's rules say of a seed's last checkpoint, as far as it is kept.

    **Returns:** an explanation per operation of the run, or none.
    """
    steps = folder.checkpoint_steps(seed)
    last = steps[-1] if steps else None
    return [e for e in read_current_documents(folder) if (e["seed"], e["step"]) == (seed, last)]
