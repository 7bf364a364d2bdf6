"""A run to look at, to ask and to train on: what `gs.train` and `gs.load_run` give."""

import dataclasses
import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Int

from grokscope.config.arguments import plain_arguments
from grokscope.config.run import RunConfig
from grokscope.config.validate import did_you_mean
from grokscope.disk.curves import ADDITIVE, Recorded
from grokscope.disk.folder import RunFolder
from grokscope.errors import UsageError
from grokscope.notebook.arrays import NamedArray
from grokscope.notebook.shown import ShowsTable, Table
from grokscope.rounding import share_in_percent
from grokscope.tasks import Task

if TYPE_CHECKING:
    from grokscope.explanation.over_time import Timeline
    from grokscope.notebook.plots import Plots
    from grokscope.notebook.run_network import RunNetwork
    from grokscope.sweeps.explain_many import Explanations

_UNKNOWN = "–"
_ALL_NUMBERS = "run.metrics() has every number"
_NAMES = 12
"""How many names an error gives."""


class Run(ShowsTable):
    """One trained run, with all its seeds; it shows itself as a table with curves.

        >>> run = gs.load_run("runs/x-y-p23")
        >>> run.results[0]["status"], run.steps.tolist()
        ('undecided', [0, 20, 40])
        >>> run.curve("ffs", "W_E").shape
        (2, 3)

    What a run that still trains has saved since is seen by `run.reload()`.

    **Arguments:**

    - `path`: its folder, or what has one.

    **Raises:** `RunFolderError` where no run lies there.
    """

    def __init__(self, path: Any) -> None:
        self.folder = RunFolder.open(path)

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    @cached_property
    def config(self) -> RunConfig:
        """Every setting."""
        return RunConfig.from_json(self.folder.manifest.config)

    @property
    def operation(self) -> str:
        """The operation, several joined with a comma."""
        return self.folder.manifest.operation

    @property
    def p(self) -> int:
        """The modulus."""
        return self.config.task.p

    @property
    def seeds(self) -> tuple[int, ...]:
        """All seeds."""
        return self.config.seeds

    @property
    def status(self) -> str:
        """`running`, `interrupted`, `failed`, or how the worst seed ended."""
        return self.folder.manifest.status

    @property
    def results(self) -> list[dict[str, Any]]:
        """Per seed `status`, `memorised_at`, `grokked_at`, `steps` and more; [] before an end."""
        return self.folder.manifest.results

    @cached_property
    def steps(self) -> Int[np.ndarray, "step"]:
        """Every step at which any seed was evaluated."""
        found = [curve.steps for of in self._recorded.curves().values() for curve in of.values()]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, int)

    @plain_arguments
    def checkpoint_steps(self, seed: int | None = None) -> list[int]:
        """Return the steps at which weights were kept, of a seed, by default the first."""
        if seed is not None and seed not in self.seeds:
            known = " ".join(map(str, self.seeds))
            raise UsageError("the run has no such seed", got=seed, allowed=known)
        return self.folder.checkpoint_steps(self.seeds[0] if seed is None else seed)

    @plain_arguments
    def metrics(self, *, as_arrow: bool = False) -> Any:
        """Return every recorded number: seed, step, measure, matrix, basis, operation, value.

            >>> run.metrics(as_arrow=True).column_names[:3]
            ['seed', 'step', 'measure']

        polars reads it with `polars.from_arrow(run.metrics(as_arrow=True))`.

        **Arguments:**

        - `as_arrow`: return a pyarrow table also where pandas is installed.

        **Returns:** a pandas `DataFrame` where pandas is installed, else a pyarrow table.
        """
        return _as_frame(self.folder.metrics(), as_arrow)

    @plain_arguments
    def spectra(self, *, as_arrow: bool = False) -> Any:
        """Return the norms per frequency: seed, step, matrix, basis, operation, k, and both norms.

        **Arguments** and returns as for `metrics`.
        """
        return _as_frame(self.folder.spectra(), as_arrow)

    @plain_arguments
    def curve(
        self,
        measure: str,
        matrix: str | None = None,
        *,
        basis: Literal["additive", "matched"] = ADDITIVE,
        operation: int | str | None = None,
    ) -> NamedArray:
        """Return one recorded number as seeds × steps; nan where a seed has none.

            >>> run.curve("test_accuracy").at(seed=0).axes
            ('step',)

        `run.curve("ffs", "W_E").to_pandas()` is a `DataFrame`.

        **Arguments:**

        - `measure`: such as `test_accuracy`, `train_loss`, `ffs`, `fcr`, `gini`, `l2_norm`.
        - `matrix`: `W_E` or `W_L`; None for numbers of no matrix.
        - `basis`: `additive`, or `matched`, the one that fits the operation.
        - `operation`: one of a mixture, by its text or its number; None for all together.

        **Raises:** `UsageError` where nothing of this name was recorded, with what was.
        """
        name = None if operation is None else self._name_in_rows(operation)
        found = self._recorded.curves(basis, name).get((measure, matrix))
        if found is None:
            raise self._not_recorded(measure, matrix, basis, name)
        values = np.full((len(self.seeds), len(self.steps)), np.nan)
        for row, seed in zip(values, self.seeds, strict=True):
            if seed in found:
                row[np.searchsorted(self.steps, found[seed].steps)] = found[seed].values
        places = {"seed": self.seeds, "step": self.steps.tolist()}
        return NamedArray(values, ("seed", "step"), places)

    def _name_in_rows(self, operation: int | str) -> str | None:
        """Return what an operation is called in the rows: None where there is only one."""
        task = Task.from_config(self.config.task)
        number = task.number_of(operation)
        return task.expressions[number].canonical if task.n_tasks > 1 else None

    def _not_recorded(
        self, measure: str, matrix: str | None, basis: str, operation: str | None
    ) -> UsageError:
        """Return the error of a number that is not there, with those that are like it."""
        known = self._recorded.curves(basis, operation)
        like = [key for key in known if measure == key[0] or (matrix and matrix == key[1])]
        names = sorted({" of ".join(filter(None, key)) for key in like or known})
        where = filter(None, (matrix and f"in the {basis} basis", operation and f"for {operation}"))
        meant = did_you_mean(measure, {name for name, _ in known})
        return UsageError(
            " ".join(("this was not recorded", *where)),
            got=" of ".join(filter(None, (measure, matrix))),
            allowed=", ".join(names[:_NAMES]) + (", …" if len(names) > _NAMES else "") or "nothing",
            next_step=meant if meant and not meant.endswith(f" {measure}?") else _ALL_NUMBERS,
        )

    @property
    def plot(self) -> "Plots":
        """Figures of the run: `run.plot.accuracy()`, `run.plot.circles(step=2000)` and so on."""
        from grokscope.notebook.plots import Plots

        return Plots(self)

    @plain_arguments
    def network(
        self, seed: int | None = None, step: int | Literal["last"] = "last"
    ) -> "RunNetwork":
        """Return the network of a seed at a checkpoint.

        **Arguments:**

        - `seed`: by default the first.
        - `step`: one of `checkpoint_steps`, or `last`.

        **Raises:** `RunFolderError` for another seed or step.
        """
        from grokscope.explanation.of_run import grokked_at, load_network, splits_of
        from grokscope.notebook.run_network import RunNetwork

        seed = self.seeds[0] if seed is None else seed
        model, seed, step = load_network(self.folder, seed, None if step == "last" else step)
        task = Task.from_config(self.config.task)
        names = [e.canonical for e in task.expressions] if task.n_tasks > 1 else [None]
        grokked = [grokked_at(self.folder, seed, name) for name in names]
        splits = splits_of(self.folder.manifest, self.config, task, seed)
        imported = self.folder.manifest.imported is not None
        return RunNetwork(
            model,
            task,
            seed=seed,
            step=step,
            kinds=[None] * task.n_tasks if splits is None else [split.kind for split in splits],
            grokked=[None if imported else at is not None and at <= step for at in grokked],
        )

    def explain(self, **options: Any) -> "Explanations":
        """Say which algorithm its networks found; the options are those of `gs.explain`."""
        from grokscope.notebook.explain import explain

        return explain(self, **options)

    def over_time(self, **options: Any) -> "list[Timeline]":
        """Say when each claim became true; the options are those of `gs.over_time`."""
        from grokscope.notebook.verbs import over_time

        return over_time(self, **options)

    @plain_arguments
    def report(self, out: str | Path | None = None) -> Path:
        """Write its page, by default into its folder, and return the file."""
        from grokscope.reports import write_report

        return write_report(self, out)

    @plain_arguments
    def resume(self, steps: int | None = None, *, quiet: bool = False) -> "Run":
        """Go on with a training that was interrupted, or go on longer; returns the run.

        **Arguments:**

        - `steps`: a larger maximum of steps, for a run that is undecided.
        - `quiet`: show nothing but warnings.
        """
        from grokscope.notebook.verbs import train_config

        config = self.config
        if steps is not None:
            schedule = dataclasses.replace(config.schedule, steps=steps)
            config = dataclasses.replace(config, schedule=schedule)
        return train_config(config, self.path, resume=True, quiet=quiet)

    def reload(self) -> "Run":
        """Return the run as it lies on the disk now."""
        return Run(self.path)

    def shown(self) -> Table:
        """Return the table that is shown: a line per seed."""
        sizes = self.config.model
        title = f"{self.operation} mod {self.p}: {self.status}, {sizes.architecture}, {self.path}"
        header = ("seed", "status", "memorised at", "grokked at", "steps", "train", "test")
        shares = [self._shares(seed) for seed in self.seeds]
        rows = [
            self._row(seed, [s[-1] if len(s) else np.nan for s in of])
            for seed, of in zip(self.seeds, shares, strict=True)
        ]
        return Table(title, header, rows, shares, "train (blue) and test accuracy")

    def _row(self, seed: int, shares: Sequence[float]) -> list[str]:
        found = next((r for r in self.results if r["seed"] == seed), {})
        moments = [found.get(name) for name in ("memorised_at", "grokked_at", "steps")]
        numbers = [_UNKNOWN if at is None else f"{at:,}" for at in moments]
        status = found.get("status", self.status)
        return [str(seed), status, *numbers, *(_percent(share) for share in shares)]

    def _shares(self, seed: int) -> list[np.ndarray]:
        curves = self._recorded.curves()
        known = [curves.get((f"{side}_accuracy", None), {}) for side in ("train", "test")]
        return [of[seed].values if seed in of else np.zeros(0) for of in known]

    @cached_property
    def _recorded(self) -> Recorded:
        return Recorded(self.folder.metrics())


def _percent(share: float) -> str:
    return share_in_percent(share) if np.isfinite(share) else _UNKNOWN


def _as_frame(table: Any, as_arrow: bool) -> Any:
    return table.to_pandas() if not as_arrow and importlib.util.find_spec("pandas") else table
