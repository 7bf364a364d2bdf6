"""One row of a table."""

from dataclasses import dataclass

from benchmarks.clock import Spread


@dataclass(frozen=True)
class Row:
    """What was measured, what came out, and what was aimed at."""

    what: str
    measured: str
    aim: str = ""
    note: str = ""


def at_most(what: str, measured: Spread, limit: float, unit: str = "", note: str = "") -> Row:
    """Return the row of a number that shall be small."""
    kept = "met" if measured.median <= limit else "missed"
    return Row(what, measured.text(unit), f"≤ {limit:g}{unit}: {kept}", note)


def at_least(what: str, measured: Spread, limit: float, note: str = "") -> Row:
    """Return the row of a number that shall be large."""
    kept = "met" if measured.median >= limit else "missed"
    return Row(what, measured.text(), f"≥ {limit:g}: {kept}", note)
