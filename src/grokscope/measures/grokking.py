"""When things happen along a training, and which points of a curve to keep."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from grokscope.errors import UsageError

GROKKED: Final = 0.99
"""Test accuracy from which a network has grokked, where it stays."""


def first_confirmed(
    steps: Sequence[int],
    accuracy: Sequence[float],
    threshold: float = GROKKED,
    confirmations: int = 5,
) -> int | None:
    """Return the first step whose accuracy is high and stays high.

    **Arguments:**

    - `steps`: step of each evaluation, ascending.
    - `accuracy`: accuracy at each evaluation, 0 to 1.
    - `threshold`: the least accuracy that counts.
    - `confirmations`: number of following evaluations that must exist and count too.

    **Returns:** the step, or `None` if none is confirmed. With test accuracy it is the step of
    grokking, with train accuracy that of memorising.
    """
    streak: list[int] = []
    for step, value in _paired(steps, accuracy):
        streak = [*streak, step] if value >= threshold else []
        if len(streak) > confirmations:
            return streak[0]
    return None


def high_since(
    steps: Sequence[int], accuracy: Sequence[float], threshold: float = GROKKED
) -> int | None:
    """Return the step from which on accuracy is high to the end, whether confirmed or not.

    **Arguments:** as for `first_confirmed`.

    **Returns:** the step, or `None` if the last accuracy is not high.
    """
    since = None
    for step, value in _paired(steps, accuracy):
        since = (step if since is None else since) if value >= threshold else None
    return since


def half_fall(steps: Sequence[int], values: Sequence[float], smallest: float = 0.1) -> int | None:
    """Return the first step at which a measure has made half of its fall from first to last value.

    Compared with the step of grokking it says whether the measure leads or lags.

    **Arguments:**

    - `steps`: step of each value, ascending.
    - `values`: the measure, 0 to 1; undefined values (nan) are passed over.
    - `smallest`: the least fall from first to last value that counts as one.

    **Returns:** the step, or `None` if the measure does not fall that much.
    """
    known = [(s, v) for s, v in _paired(steps, values) if not math.isnan(v)]
    if not known or known[0][1] - known[-1][1] < smallest:
        return None
    middle = (known[0][1] + known[-1][1]) / 2
    return next(s for s, v in known if v <= middle)


def _paired(steps: Sequence[int], values: Sequence[float]) -> Iterator[tuple[int, float]]:
    if len(steps) != len(values):
        raise UsageError(
            "steps and values do not belong together",
            got=f"{len(steps)} steps and {len(values)} values",
            allowed="one value per step",
            next_step="of a run take run.steps and a row of run.curve(…)",
        )
    return zip(steps, values, strict=True)


def thin(values: Float[np.ndarray, "step"], buckets: int) -> Int[np.ndarray, "..."]:
    """Return which points to draw, so that a linear and a logarithmic time axis show the curve.

    These are the least and the largest of each stretch, and as many evenly on a logarithmic scale.

    **Arguments:**

    - `values`: the curve; undefined and infinite values are never drawn.
    - `buckets`: number of stretches; at most 3·buckets + 2 points remain.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) <= 3 * buckets + 2:
        return known
    stretches = np.array_split(known, buckets)
    extremes = [s[f(values[s])] for s in stretches for f in (np.argmin, np.argmax)]
    early = known[np.geomspace(1, len(known), buckets).astype(int) - 1]
    return np.unique([known[0], *extremes, *early, known[-1]])
