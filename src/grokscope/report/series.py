"""Curves of several seeds as what is drawn: a median, a band, and few enough points."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from grokscope.report.record import Curve


class Summary(NamedTuple):
    """All seeds at every step that any of them recorded."""

    steps: Int[np.ndarray, "step"]
    values: Float[np.ndarray, "seed step"]

    @property
    def median(self) -> Float[np.ndarray, "step"]:
        """Median over the seeds, nan where none has a value."""
        return self._over_seeds(np.median)

    @property
    def low(self) -> Float[np.ndarray, "step"]:
        """Least value of any seed."""
        return self._over_seeds(np.min)

    @property
    def high(self) -> Float[np.ndarray, "step"]:
        """Largest value of any seed."""
        return self._over_seeds(np.max)

    def _over_seeds(self, function: Callable[[np.ndarray], Any]) -> Float[np.ndarray, "step"]:
        known = (column[~np.isnan(column)] for column in self.values.T)
        return np.array([function(column) if len(column) else np.nan for column in known])


def summarise(curves: Mapping[int, Curve]) -> Summary:
    """Bring all seeds to common steps; one that has stopped keeps its last value."""
    steps = np.unique(np.concatenate([curve.steps for curve in curves.values()]))
    values = np.full((len(curves), len(steps)), np.nan)
    for row, curve in zip(values, curves.values(), strict=True):
        latest = np.searchsorted(curve.steps, steps, side="right") - 1
        row[:] = np.where(latest >= 0, curve.values[latest], np.nan)
    return Summary(steps, values)


def thin(values: Float[np.ndarray, "step"], buckets: int) -> Int[np.ndarray, "step"]:
    """Return which points to draw: the least and the largest of each stretch, first and last.

    **Arguments:**

    - `values`: the curve; undefined values (nan) are never drawn.
    - `buckets`: number of stretches; at most 2·buckets + 2 points remain.
    """
    known = np.flatnonzero(~np.isnan(values))
    if len(known) <= 2 * buckets + 2:
        return known
    stretches = np.array_split(known, buckets)
    extremes = [s[f(values[s])] for s in stretches for f in (np.argmin, np.argmax)]
    return np.unique([known[0], *extremes, known[-1]])


def thin_band(summary: Summary, buckets: int) -> list[tuple[int, float, float]]:
    """Return (step, least, largest) of each stretch, so that no excursion is lost."""
    low, high = summary.low, summary.high
    known = np.flatnonzero(~np.isnan(low))
    stretches = np.array_split(known, min(buckets, len(known))) if len(known) else []
    band = [(int(summary.steps[s[0]]), low[s].min(), high[s].max()) for s in stretches]
    if band:
        end = known[-1]
        band.append((int(summary.steps[end]), low[end], high[end]))
    return band
