"""A run as one row of results."""

from collections.abc import Sequence
from typing import Any, Final

from grokscope.paper.reading import Reading
from grokscope.paper.wanted import Wanted
from grokscope.runs.lock import is_locked
from grokscope.runs.query import KILLED

TABLES: Final = ("W_E", "W_L")
MEASURES: Final = ("ffs", "fcr")
_SIDES: Final = ("train", "test", "unleaked")


def summary_rows(wanted: Wanted, reading: Reading) -> list[dict[str, Any]]:
    """Return the row of a run, and of a mixture one more per operation.

    **Arguments:**

    - `wanted`: where the run stands in the experiment.
    - `reading`: what was recorded.
    """
    expressions = wanted.config.task.expressions
    whole = {**place(wanted), **_outcome(reading, None), **_measures(reading), **_about(reading)}
    if len(expressions) == 1:
        return [whole]
    names = wanted.labels["operation"].split(", ")
    return [whole, *(_part(wanted, reading, name) for name in names)]


def place(wanted: Wanted) -> dict[str, Any]:
    """Return the columns that say which run a row is of."""
    task = wanted.config.task
    return {**wanted.labels, "task": None, "p": task.p, "train_fraction": task.train_fraction,
            "seed": wanted.seed}  # fmt: skip


def _part(wanted: Wanted, reading: Reading, operation: str) -> dict[str, Any]:
    """Return the row of one operation of a mixture."""
    return {**place(wanted), "task": operation, **_outcome(reading, operation)}


def _outcome(reading: Reading, operation: str | None) -> dict[str, Any]:
    result = _of_task(reading.found.result, operation)
    accuracies = {side: reading.line(f"{side}_accuracy", operation) for side in _SIDES}
    steps = accuracies["test"].steps
    return {
        "status": _status(reading, result, operation),
        "memorised_at": result.get("memorised_at"),
        "grokked_at": result.get("grokked_at"),
        "steps": int(steps[-1]) if len(steps) else None,
        **{f"{side}_accuracy": line.last for side, line in accuracies.items()},
        "best_test_accuracy": accuracies["test"].best,
    }


def _of_task(result: dict[str, Any], operation: str | None) -> dict[str, Any]:
    """Return what is known of one operation of a mixture, or of the whole run."""
    if operation is None:
        return result
    tasks: Sequence[dict[str, Any]] = result.get("tasks", ())
    return next((t for t in tasks if t["operation"] == operation), {})


def _status(reading: Reading, result: dict[str, Any], operation: str | None) -> str:
    status = reading.found.result["status"]
    if status == "running" and is_locked(reading.found.folder.path) is False:
        return KILLED
    if operation is not None and result.get("grokked_at") is not None:
        return "grokked"
    return "undecided" if operation is not None and status == "grokked" else status


def _measures(reading: Reading) -> dict[str, Any]:
    """Return the first and the last value of FFS and FCR of both tables."""
    found: dict[str, Any] = {}
    for key in MEASURES:
        for table in TABLES:
            line = reading.line(f"{key} {table}")
            found |= {f"{key}_{table}_first": line.first, f"{key}_{table}": line.last}
    return found


def _about(reading: Reading) -> dict[str, Any]:
    manifest = reading.found.folder.manifest
    seconds = float(manifest.times.get("training_seconds", 0)) / max(1, len(manifest.seeds))
    return {"seconds": round(seconds), "device": manifest.hardware.get("device"),
            "run": reading.found.folder.path.name}  # fmt: skip
