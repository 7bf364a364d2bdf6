"""Curves of several seeds as what is drawn: a median, a band, and few enough points."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from grokscope.measures.thinning import thin
from grokscope.report.record import Curve


class Summary(NamedTuple):
    """All seeds at every step that any of them recorded."""

    steps: Int[np.ndarray, "step"]
    values: Float[np.ndarray, "seed step"]

    @property
    def median(self) -> Float[np.ndarray, "step"]:
        """Median over the seeds, nan where none has a value."""
        known = ~np.isnan(self.values).all(axis=0)
        median = np.full(len(self.steps), np.nan)
        median[known] = np.nanmedian(self.values[:, known], axis=0)
        return median

    @property
    def low(self) -> Float[np.ndarray, "step"]:
        """Least value of any seed, nan where none has a value."""
        return np.fmin.reduce(self.values)

    @property
    def high(self) -> Float[np.ndarray, "step"]:
        """Largest value of any seed, nan where none has a value."""
        return np.fmax.reduce(self.values)


def summarise(curves: Mapping[int, Curve]) -> Summary:
    """Bring all seeds to common steps; one that has stopped keeps its last value."""
    steps = np.unique(np.concatenate([curve.steps for curve in curves.values()]))
    values = np.full((len(curves), len(steps)), np.nan)
    for row, curve in zip(values, curves.values(), strict=True):
        latest = np.searchsorted(curve.steps, steps, side="right") - 1
        row[:] = np.where(latest >= 0, curve.values[latest], np.nan)
    return Summary(steps, np.where(np.isfinite(values), values, np.nan))


def thin_band(summary: Summary, buckets: int) -> list[tuple[int, float, float]]:
    """Return (step, least, largest) at the points that `thin` keeps of either edge."""
    low, high = summary.low, summary.high
    kept = np.union1d(thin(low, buckets // 2), thin(high, buckets // 2))
    return [(int(summary.steps[i]), float(low[i]), float(high[i])) for i in kept]
