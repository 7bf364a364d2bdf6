"""Label statistics of many random splits: the paper's Appendix K, which needs no training."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from grokscope.measures.label_statistics import (
    chance_above,
    chance_divergence,
    label_counts,
    label_divergence,
    label_entropy,
)
from grokscope.paper.experiment import Experiment
from grokscope.paper.store import cell_id
from grokscope.paper.tables import table_a5
from grokscope.tasks import Split, Task, make_split, parse

STATISTICS: Final = ("kl", "entropy_train", "entropy_test")
_DRAWS: Final = 10_000


def label_rows(
    operations: Sequence[str], fractions: Sequence[float], seeds: Sequence[int], p: int
) -> list[dict[str, Any]]:
    """Return one row of statistics per operation and training fraction, over all seeds.

    **Arguments:**

    - `operations`: polynomials; `random` would have other labels for every seed.
    - `fractions`: training fractions r.
    - `seeds`: each draws a split, the one that a training with this seed has.
    - `p`: the modulus.

    **Raises:** `UsageError` as `parse` and `make_split`.
    """
    splits: dict[tuple[bytes, float, int], Split] = {}
    rows = []
    for text in operations:
        task = Task((parse(text),), p)
        for r in fractions:
            mine = [_split(task, r, seed, splits) for seed in seeds]
            rows.append(
                {"operation": task.canonical, "p": p, "train_fraction": r, "seeds": len(mine)}
                | _statistics(task, mine)
            )
    return rows


def label_cells(experiment: Experiment) -> list[str]:
    """Return the cells of the rows that `label_rows` gives for an experiment, in their order."""
    axes, p = experiment.axes, int(experiment.fixed["p"])
    seeds = " ".join(map(str, axes["seed"]))
    return [
        cell_id(f"labels of {parse(text).canonical} mod {p}, r = {r:g}, seeds {seeds}")
        for text in axes["operation"]
        for r in axes["train_fraction"]
    ]


def _split(task: Task, r: float, seed: int, known: dict[tuple[bytes, float, int], Split]) -> Split:
    """Draw a split, once for all operations that are defined at the same pairs."""
    key = (task.defined.tobytes(), r, seed)
    if key not in known:
        known[key] = make_split(task, r, "pairs", seed)
    return known[key]


def _statistics(task: Task, splits: Sequence[Split]) -> dict[str, Any]:
    labels = task.labels(0)[0]
    train = [label_counts(labels, split.train, task.p) for split in splits]
    test = [label_counts(labels, split.test, task.p) for split in splits]
    n_labels = len(np.unique(labels[task.defined]))
    divergences = [label_divergence(a, b) for a, b in zip(train, test, strict=True)]
    finite = [d for d in divergences if math.isfinite(d)]
    sizes = int(train[0].sum()), int(test[0].sum())
    return {
        "labels": n_labels,
        "n_train": sizes[0],
        "n_test": sizes[1],
        **_spread("kl", finite),
        "kl_undefined": len(divergences) - len(finite),
        "kl_chance": chance_divergence(n_labels, *sizes),
        **_spread("entropy_train", [label_entropy(counts) for counts in train]),
        **_spread("entropy_test", [label_entropy(counts) for counts in test]),
    }


def _spread(name: str, values: Sequence[float]) -> dict[str, float | None]:
    """Return the mean over the seeds and the standard deviation between them."""
    if not values:
        return {name: None, f"{name}_sd": None}
    return {name: float(np.mean(values)), f"{name}_sd": float(np.std(values))}


class Separation(NamedTuple):
    """How well a statistic tells the operations that grokked from those that did not."""

    statistic: str
    train_fraction: float
    grokked: int
    not_grokked: int
    chance_above: float
    """Chance that one that did not grok has the higher value; 0.5 says nothing."""
    p_value: float
    """Share of shuffled outcomes that are as far from 0.5."""


def separations(rows: Sequence[Mapping[str, Any]]) -> list[Separation]:
    """Compare the statistics of `label_rows` with what grokked in the paper's Table A.5.

    The null shuffles the outcomes among the operations of one fraction. Fractions at which
    everything grokked, or nothing, have nothing to tell apart and are left out.
    """
    outcomes = {
        (key, r): cell.grokked for key, row in table_a5().items() for r, cell in row.cells.items()
    }
    known = [row for row in rows if (row["operation"], row["train_fraction"]) in outcomes]
    found = []
    for r in sorted({row["train_fraction"] for row in known}):
        here = [row for row in known if row["train_fraction"] == r]
        for statistic in STATISTICS:
            told = [row for row in here if row[statistic] is not None]
            values = np.array([row[statistic] for row in told])
            grokked = np.array([outcomes[row["operation"], r] for row in told], bool)
            if 0 < grokked.sum() < len(grokked):
                found.append(_separation(statistic, r, values, grokked))
    return found


def _separation(
    statistic: str, r: float, values: Float[np.ndarray, "n"], grokked: Bool[np.ndarray, "n"]
) -> Separation:
    area = chance_above(values[~grokked], values[grokked])
    rng = np.random.default_rng(0)
    drawn = rng.permuted(np.tile(grokked, (_DRAWS, 1)), axis=1)
    # the same area for all draws at once: the mean of 1[a > b] + ½·1[a = b] over pairs (a, b)
    above = (values[:, None] > values) + 0.5 * (values[:, None] == values)
    areas = ((~drawn @ above) * drawn).sum(axis=1) / (grokked.sum() * (~grokked).sum())
    # counting the real outcome among the draws, so that the share is never 0
    far = np.abs(areas - 0.5) >= abs(area - 0.5) - 1e-9
    p_value = (1 + int(far.sum())) / (1 + _DRAWS)
    counts = int(grokked.sum()), int((~grokked).sum())
    return Separation(statistic, r, *counts, area, p_value)
