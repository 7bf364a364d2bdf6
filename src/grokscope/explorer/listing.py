"""The table of runs, read again only where something changed, with small accuracy curves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float

from grokscope.disk.curves import Recorded
from grokscope.disk.explanations import EXPLANATION_NAME
from grokscope.disk.folder import METRICS_NAME, RunFolder
from grokscope.disk.listing import RunSummary, summary_of
from grokscope.errors import GrokscopeError

Fingerprint = tuple[int, ...]
_WATCHED: Final = ("manifest.json", METRICS_NAME, EXPLANATION_NAME, "checkpoints")


@dataclass(frozen=True, eq=False)
class RunRow:
    """A run of the table.

    **Arguments:**

    - `name`: its path from the folder that is explored; `.` for a run itself.
    - `summary`: what the listing says.
    - `curves`: train and test accuracy, the first seed's.
    """

    name: str
    summary: RunSummary
    curves: tuple[Float[np.ndarray, "step"], ...] = ()


@dataclass(eq=False)
class RunRows:
    """Rows that are kept until the run's files change; runs that train are read each time."""

    _known: dict[Path, tuple[Fingerprint, RunSummary]] = field(default_factory=dict)
    _curves: dict[Path, tuple[Fingerprint, tuple[Float[np.ndarray, "step"], ...]]] = field(
        default_factory=dict
    )

    def of(
        self,
        folder: Path,
        list_with: Callable[[Callable[[Path], RunSummary]], list[RunSummary]],
    ) -> list[RunRow]:
        """Return a row for every run.

        **Arguments:** the folder that is explored; what lists it with a reader of one run.
        """
        if (folder / "manifest.json").exists():
            return [self._row(folder, self.read(folder))]
        return [self._row(folder, summary) for summary in list_with(self.read)]

    def read(self, path: Path) -> RunSummary:
        """Return the summary of a run, kept where nothing changed and nobody trains it."""
        now = self.fingerprint(path)
        known = self._known.get(path)
        if known is None or known[0] != now or known[1].state == "running":
            known = self._known[path] = (now, summary_of(path))
        return known[1]

    def fingerprint(self, path: Path) -> Fingerprint:
        """Return what changes when a run's files do."""
        found = []
        for name in _WATCHED:
            try:
                found.append((path / name).stat().st_mtime_ns)
            except OSError:
                found.append(0)
        return tuple(found)

    def _row(self, folder: Path, summary: RunSummary) -> RunRow:
        path = summary.path
        inside = path.is_relative_to(folder)
        name = path.relative_to(folder).as_posix() if inside else path.name
        if summary.error is not None:
            return RunRow(name, summary)
        now = self.fingerprint(path)
        known = self._curves.get(path)
        if known is None or known[0] != now:
            known = self._curves[path] = (now, _curves(path))
        return RunRow(name, summary, known[1])


def _curves(path: Path) -> tuple[Float[np.ndarray, "step"], ...]:
    """Return train and test accuracy of the first seed at some forty evaluations."""
    try:
        folder = RunFolder.open(path)
        found = Recorded(folder.metrics()).curves()
    except GrokscopeError:
        return ()
    seed = folder.manifest.seeds[0] if folder.manifest.seeds else 0
    curves = [found.get((f"{side}_accuracy", None), {}).get(seed) for side in ("train", "test")]
    return tuple(c.values[:: max(1, len(c.values) // 40)] for c in curves if c is not None)
