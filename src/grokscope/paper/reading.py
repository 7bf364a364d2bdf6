"""The recorded numbers of one seed of a run."""

from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc
from jaxtyping import Float, Int

from grokscope.paper.wanted import Found

BASIS = "additive"


class Line(NamedTuple):
    """One recorded number over training."""

    steps: Int[np.ndarray, "step"]
    values: Float[np.ndarray, "step"]

    @property
    def first(self) -> float | None:
        """The first value that is defined."""
        return next((float(v) for v in self.values if np.isfinite(v)), None)

    @property
    def last(self) -> float | None:
        """The last value that is defined."""
        return next((float(v) for v in self.values[::-1] if np.isfinite(v)), None)

    @property
    def best(self) -> float | None:
        """The largest value that is defined."""
        known = self.values[np.isfinite(self.values)]
        return float(known.max()) if len(known) else None


_NOTHING = Line(np.zeros(0, np.int64), np.zeros(0))


class Reading:
    """Curves and spectra of one seed, read once.

    **Arguments:**

    - `found`: the run and the seed.
    """

    def __init__(self, found: Found) -> None:
        self.found = found

    def line(self, name: str, operation: str | None = None) -> Line:
        """Return a curve; empty where nothing of this name was recorded.

        **Arguments:**

        - `name`: the measure, and after a space the matrix, as in `ffs W_E`.
        - `operation`: one of a mixture; None for the whole network.
        """
        return self._lines.get((name, operation), _NOTHING)

    @cached_property
    def _lines(self) -> dict[tuple[str, str | None], Line]:
        rows = self.found.folder.metrics()
        basis = pc.field("basis")
        mine = rows.filter((pc.field("seed") == self.found.seed)
                           & (basis.is_null() | (basis == BASIS)))  # fmt: skip
        keys = [key for key in ("measure", "matrix", "operation") if key in mine.schema.names]
        grouped = mine.group_by(keys, use_threads=False)
        lines = {}
        for row in grouped.aggregate([("step", "list"), ("value", "list")]).to_pylist():
            steps, values = np.array(row["step_list"]), np.array(row["value_list"])
            order = np.argsort(steps, kind="stable")
            name = " ".join(filter(None, (row["measure"], row["matrix"])))
            lines[name, row.get("operation")] = Line(steps[order], values[order])
        return lines

    @cached_property
    def spectra(self) -> dict[tuple[str, int], Float[np.ndarray, "2 freq"]]:
        """Cosine and sine norms by matrix and step, in the additive basis."""
        rows = self.found.folder.spectra()
        mine = rows.filter((pc.field("seed") == self.found.seed) & (pc.field("basis") == BASIS))
        columns = [("k", "list"), ("cos_norm", "list"), ("sin_norm", "list")]
        found = {}
        grouped = mine.group_by(["matrix", "step"], use_threads=False)
        for row in grouped.aggregate(columns).to_pylist():
            order = np.argsort(row["k_list"], kind="stable")
            norms = np.array([row["cos_norm_list"], row["sin_norm_list"]])[:, order]
            found[row["matrix"], row["step"]] = norms
        return found
