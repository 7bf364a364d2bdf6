"""What `explain` found in a run is kept in its folder, for reports and for people."""

from collections.abc import Sequence
from typing import Any

from grokscope.circuits.explanation import Explanation
from grokscope.inspection.explaining import explain
from grokscope.runs.explanations import (
    EXPLANATION_NAME,
    FORMAT,
    kept,
    read_explanations,
    write_documents,
)
from grokscope.runs.folder import RunFolder

__all__ = ["EXPLANATION_NAME", "FORMAT", "explained", "read_explanations", "write_explanations"]


def write_explanations(folder: RunFolder, explanations: Sequence[Explanation]) -> None:
    """Write `explanation.json`, whole or not at all; raises `DiskError`."""
    write_documents(folder, [explanation.to_json() for explanation in explanations])


def explained(folder: RunFolder, seed: int) -> list[dict[str, Any]]:
    """Return the explanations of a seed's last checkpoint, one per operation of the run.

    They are read where `explain` has left them, and made where it has not.

    **Raises:** `UsageError` where there is no network to explain.
    """
    return kept(folder, seed) or [e.to_json() for e in explain(folder, seeds=[seed])]
