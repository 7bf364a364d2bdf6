"""explanation.json in a run folder: what `explain` found, for reports and for people."""

import json
from collections.abc import Sequence
from typing import Any, Final

from grokscope.circuits.explanation import Explanation
from grokscope.inspection.explaining import explain
from grokscope.runs.atomic import names_in, read_bytes, utf8
from grokscope.runs.folder import RunFolder

EXPLANATION_NAME: Final = "explanation.json"
FORMAT: Final = 1
_LATER_FIELDS: Final = {"by": None}
"""What explanations that were written earlier do not have."""


def write_explanations(folder: RunFolder, explanations: Sequence[Explanation]) -> None:
    """Write `explanation.json`, whole or not at all; raises `DiskError`."""
    found = [explanation.to_json() for explanation in explanations]
    document = {"format": FORMAT, "explanations": found}
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


def explained(folder: RunFolder, seed: int) -> list[dict[str, Any]]:
    """Return the explanations of a seed's last checkpoint, one per operation of the run.

    They are read where `explain` has left them, and made where it has not.

    **Raises:** `UsageError` where there is no network to explain.
    """
    steps = folder.checkpoint_steps(seed)
    last = steps[-1] if steps else None
    known = [e for e in read_explanations(folder) if (e["seed"], e["step"]) == (seed, last)]
    return known or [e.to_json() for e in explain(folder, seeds=[seed])]
