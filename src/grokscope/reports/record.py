"""A run as its report needs it: configuration, state, and every recorded number as curves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from grokscope.config.run import RunConfig
from grokscope.disk.atomic import path_for_shell
from grokscope.disk.curves import Curve, Curves, Recorded
from grokscope.disk.folder import RunFolder
from grokscope.disk.listing import KILLED, Selection, select
from grokscope.disk.lock import is_locked
from grokscope.disk.manifest import all_settings, run_labels
from grokscope.errors import RunFolderError
from grokscope.explanation.of_run import splits_of
from grokscope.measures import first_confirmed
from grokscope.measures.grokking import thin
from grokscope.tasks import Split, Task


class Moments(NamedTuple):
    """When a seed memorised and grokked; None where it is not confirmed."""

    memorised: int | None
    grokked: int | None


@dataclass(frozen=True, eq=False)
class RunRecord:
    """One run, read once; made by `read_runs`."""

    folder: RunFolder
    config: RunConfig
    label: str
    """What tells it from the other runs of the page."""
    recorded: Recorded
    """Every number that was recorded."""

    @property
    def curves(self) -> Curves:
        """The curves of the whole network, those of measures in the additive basis."""
        return self.recorded.curves()

    @property
    def operation(self) -> str:
        """The operation, several joined with a comma."""
        return self.folder.manifest.operation

    @property
    def p(self) -> int:
        """The modulus."""
        return self.config.task.p

    @property
    def typed(self) -> str:
        """The run's folder as a word of a command line."""
        return path_for_shell(self.folder.path)

    @property
    def seeds(self) -> list[int]:
        """All seeds, also those with nothing recorded yet."""
        return list(self.config.seeds)

    @property
    def shown_seed(self) -> int:
        """The first seed, or the first that has not diverged: whose network is shown."""
        results = self.folder.manifest.results
        broken = {r.get("seed") for r in results if r.get("status") == "diverged"}
        return next((seed for seed in self.seeds if seed not in broken), self.seeds[0])

    def matched_curves(self, number: int = 0) -> Curves:
        """The same as `curves` in the basis that fits an operation; empty in older runs."""
        return self.recorded.curves("matched", self.name_in_rows(number))

    def name_in_rows(self, number: int) -> str | None:
        """What an operation is called in the recorded rows: None where there is only one."""
        return self.task.expressions[number].canonical if self.task.n_tasks > 1 else None

    @property
    def matrices(self) -> list[str]:
        """Matrices whose norm was recorded, by name."""
        return sorted(matrix for measure, matrix in self.curves if measure == "l2_norm" and matrix)

    @cached_property
    def status(self) -> str:
        """As in the manifest; `running` only while a process trains it."""
        status = self.folder.manifest.status
        return KILLED if status == "running" and is_locked(self.folder.path) is False else status

    @property
    def finished(self) -> bool:
        """Whether nothing is left to train."""
        return self.status in ("grokked", "undecided", "diverged")

    @cached_property
    def last_step(self) -> int:
        """Last recorded evaluation of any seed, 0 without one."""
        found = [curve.steps[-1] for seeds in self.curves.values() for curve in seeds.values()]
        return int(max(found, default=0))

    @cached_property
    def moments(self) -> dict[int, Moments]:
        """Memorising and grokking per seed, of a mixture when the last operation does."""
        each = [self.moments_of(name) for name in self.task_curves] or [self.moments_of(None)]
        return {
            seed: Moments(*map(_last, zip(*(m[seed] for m in each), strict=True)))
            for seed in self.seeds
        }

    @cached_property
    def task_curves(self) -> dict[str, Curves]:
        """Of a mixture, `curves` by operation; empty for a single one, and in older runs."""
        names = [expression.canonical for expression in self.task.expressions]
        found = {name: self.recorded.curves(operation=name) for name in names}
        return {name: curves for name, curves in found.items() if curves}

    def moments_of(self, operation: str | None) -> dict[int, Moments]:
        """Memorising and grokking per seed, of one operation or of all together."""
        curves = self.curves if operation is None else self.task_curves[operation]
        return {
            seed: Moments(*(_confirmed(curves, f"{side}_accuracy", seed) for side in SIDES[:2]))
            for seed in self.seeds
        }

    @cached_property
    def task(self) -> Task:
        """The operation's table and tokens."""
        return Task.from_config(self.config.task)

    @cached_property
    def split(self) -> Split | None:
        """Training and test pairs of the first seed and operation; None where not known."""
        splits = splits_of(self.folder.manifest, self.config, self.task, self.seeds[0])
        return None if splits is None else splits[0]

    @property
    def n_leaked(self) -> int:
        """Test pairs of the first seed whose transpose trains, for a symmetric operation."""
        return (
            0 if self.split is None else self.split.counts["test"] - self.split.counts["unleaked"]
        )


SIDES = ("train", "test", "unleaked")


def _confirmed(curves: Curves, measure: str, seed: int) -> int | None:
    curve = curves.get((measure, None), {}).get(seed)
    return None if curve is None else first_confirmed(curve.steps.tolist(), list(curve.values))


def _last(steps: Iterable[int | None]) -> int | None:
    """Return the largest, or None where one is not known."""
    found = list(steps)
    known = [step for step in found if step is not None]
    return max(known) if len(known) == len(found) else None


def read_all(selection: Selection) -> tuple[list[RunRecord], list[str]]:
    """Return the runs of a selection, each with a label of its own, and why others are left out.

    **Raises:** `UsageError` where none can be read.
    """
    folders, errors = [], []
    for path, error in selection.runs.items():
        try:
            folder = RunFolder.open(path)
            folders.append((folder, Recorded(folder.metrics())))
        except RunFolderError as broken:
            if len(selection.runs) == 1:
                raise
            errors.append(f"{path.name}: {error or broken}")
    if not folders:
        raise RunFolderError("none of these runs can be read", got=errors[0])
    settings = [all_settings(folder.manifest) for folder, _ in folders]
    names = run_labels(settings, [folder.path.resolve().name for folder, _ in folders])
    records = [
        RunRecord(folder, RunConfig.from_json(folder.manifest.config), label, recorded)
        for (folder, recorded), label in zip(folders, names, strict=True)
    ]
    return records, errors


def read_runs(paths: Sequence[Path]) -> list[RunRecord]:
    """Return the runs in these folders; raises as `select` and `read_all`."""
    return read_all(select(paths))[0]


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
