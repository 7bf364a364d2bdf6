"""What a run recorded as curves and spectra: the one reader of its long rows."""

import math
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float, Int

ADDITIVE = "additive"


class Curve(NamedTuple):
    """One recorded number of one seed over training."""

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

    def at(self, step: int) -> float:
        """The last value recorded up to a step; nan before the first."""
        before = int(np.searchsorted(self.steps, step, side="right"))
        return float(self.values[before - 1]) if before else math.nan


NO_CURVE = Curve(np.zeros(0, np.int64), np.zeros(0))
"""Of what was never recorded."""

Curves = dict[tuple[str, str | None], dict[int, Curve]]
"""By measure and matrix (None where it has none), then by seed."""


class Recorded:
    """Every recorded number of a run, gathered once.

    **Arguments:**

    - `rows`: of `RunFolder.metrics()`.
    """

    def __init__(self, rows: pa.Table) -> None:
        self._curves: dict[tuple[str, str | None], Curves] = {}
        grouped = rows.group_by(
            ["basis", "operation", "measure", "matrix", "seed"], use_threads=False
        )
        for row in grouped.aggregate([("step", "list"), ("value", "list")]).to_pylist():
            steps, values = np.array(row["step_list"]), np.array(row["value_list"])
            order = np.argsort(steps, kind="stable")
            curve = Curve(steps[order], values[order])
            here = self._curves.setdefault((row["basis"] or ADDITIVE, row["operation"]), {})
            here.setdefault((row["measure"], row["matrix"]), {})[row["seed"]] = curve

    def curves(self, basis: str = ADDITIVE, operation: str | None = None) -> Curves:
        """Return the curves in a basis; with the additive one also the numbers of no basis.

        **Arguments:**

        - `basis`: `additive` or `matched`.
        - `operation`: one of a mixture, in its canonical text; None for the whole network.
        """
        return self._curves.get((basis, operation), {})


def spectra_of(
    rows: pa.Table, seed: int, basis: str = ADDITIVE, operation: str | None = None
) -> dict[str, dict[int, Float[np.ndarray, "2 freq"]]]:
    """Return the norms of cosines and sines at k = 1, 2, … by matrix and step.

    **Arguments:**

    - `rows`: of `RunFolder.spectra()`.
    - `seed`: which network.
    - `basis`, `operation`: as for `Recorded.curves`.
    """
    name = pc.field("operation")
    mine = (pc.field("seed") == seed) & (pc.field("basis") == basis)
    mine &= name.is_null() if operation is None else name == operation
    grouped = rows.filter(mine).group_by(["matrix", "step"], use_threads=False)
    lists = grouped.aggregate([(c, "list") for c in ("k", "cos_norm", "sin_norm")])
    found: dict[str, dict[int, np.ndarray]] = {}
    for row in lists.to_pylist():
        order = np.argsort(row["k_list"], kind="stable")
        norms = np.array([row["cos_norm_list"], row["sin_norm_list"]])[:, order]
        found.setdefault(row["matrix"], {})[row["step"]] = norms
    return found
