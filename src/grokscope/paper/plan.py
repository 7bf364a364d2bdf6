"""The runs that an experiment needs, sources first, and how to find them among run folders."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from grokscope.config.run import RunConfig
from grokscope.disk.atomic import names_in
from grokscope.disk.folder import MANIFEST_NAME, RunFolder
from grokscope.disk.sweep_folder import RUNS_NAME
from grokscope.errors import RunFolderError, UsageError, line_of
from grokscope.paper.experiment import Experiment, operation_of
from grokscope.paper.tables import operation_key
from grokscope.runner.identity import cell_key
from grokscope.sweeps.spec import Point, Spec

SOURCES_NAME: Final = "sources"
CELLS_NAME: Final = "cells"
_START: Final = "start"
_OWN_LABELS: Final = ("operation", "p", "train_fraction", "seed", _START)
"""Axes that a cell's labels do not take as they are."""
_NOT_SETTINGS: Final = ("label", "from", "paper")
"""Of a start: what it is called here and in the paper, and which source it takes weights from."""


class SourceRun(NamedTuple):
    """The network that weights are taken from: what it learned, for how long, its seed."""

    operation: str
    step: int
    seed: int


@dataclass(frozen=True)
class Cell:
    """One cell of an experiment.

    **Arguments:**

    - `config`: what to train, with one seed.
    - `labels`: where it stands on the experiment's axes, by their names.
    - `source`: the network whose weights it takes over; None for none.
    """

    config: RunConfig
    labels: dict[str, Any]
    source: SourceRun | None = None

    @property
    def seed(self) -> int:
        """The one seed."""
        return self.config.seeds[0]

    @property
    def key(self) -> str:
        """What is equal for all runs of this cell."""
        return cell_key(self.config, self.seed, self.source)


@dataclass(frozen=True)
class Plan:
    """What an experiment trains.

    **Arguments:**

    - `sources`: runs whose weights others take over; they are trained first.
    - `cells`: those of the experiment, in the order of its axes.
    - `specs`: the sweeps that train both, by their folder inside the experiment's, in order.
    """

    sources: tuple[Cell, ...]
    cells: tuple[Cell, ...]
    specs: dict[str, Spec]


def plan(experiment: Experiment, out: Path) -> Plan:
    """Return the runs of an experiment whose folder is `out`.

    **Raises:** `UsageError` for settings that cannot be trained.
    """
    specs: dict[str, Spec] = {}
    source_points: list[Point] = []
    if names := _used_sources(experiment):
        specs[SOURCES_NAME] = Spec.from_dict(_source_sweep(experiment, names))
        source_points = specs[SOURCES_NAME].points
    sources = tuple(_source_cell(point) for point in source_points)
    paths = {
        (cell.labels["source"], cell.seed): str(out / SOURCES_NAME / RUNS_NAME / point.job.name)
        for cell, point in zip(sources, source_points, strict=True)
    }
    specs[CELLS_NAME] = Spec.from_dict(_cell_sweep(experiment, paths))
    cells = tuple(_cell(experiment, point) for point in specs[CELLS_NAME].points)
    return Plan(sources, cells, specs)


def _used_sources(experiment: Experiment) -> list[str]:
    """Return the sources that some start takes weights from."""
    starts = experiment.axes.get(_START, ())
    names = dict.fromkeys(start["from"] for start in starts if "from" in start)
    for name in names:
        if name not in experiment.sources:
            raise UsageError(
                "an experiment takes weights from an unknown source",
                got=name,
                allowed=", ".join(experiment.sources),
            )
    return list(names)


def _source_sweep(experiment: Experiment, names: list[str]) -> dict[str, Any]:
    """Return the sweep of the sources, as TOML has it."""
    tables = [
        {
            "label": name,
            "operation": experiment.sources[name].operation,
            "steps": experiment.sources[name].steps,
            "train_fraction": experiment.sources[name].train_fraction,
        }
        for name in names
    ]
    shared = {k: v for k, v in experiment.fixed.items() if k == "p"}
    return {
        "axes": {"source": tables, "seed": list(experiment.axes["seed"])},
        "fixed": {"stop": False, "checkpoint_every": 10_000, **shared},
    }


def _source_cell(point: Point) -> Cell:
    operation = operation_of(point.job.config.task.expressions)
    return Cell(point.job.config, {"operation": operation, "source": point.labels["source"]})


def _cell_sweep(experiment: Experiment, paths: Mapping[tuple[str, int], str]) -> dict[str, Any]:
    """Return the sweep of the cells; a start's source depends on the seed, so both are one axis."""
    axes: dict[str, Any] = {name: list(values) for name, values in experiment.axes.items()}
    axes["operation"] = [list(v) if isinstance(v, tuple) else v for v in axes["operation"]]
    if _START in axes:
        pairs = itertools.product(axes.pop("seed"), axes.pop(_START))
        axes[_START] = [_seeded_start(start, seed, paths) for seed, start in pairs]
    return {"axes": axes, "fixed": dict(experiment.fixed)}


def _seeded_start(
    start: Mapping[str, Any], seed: int, paths: Mapping[tuple[str, int], str]
) -> dict[str, Any]:
    """Return the settings of a start with a seed, and the run that it takes weights from."""
    own = {name: value for name, value in start.items() if name not in _NOT_SETTINGS}
    source = {"source": paths[start["from"], seed]} if "from" in start else {}
    return own | source | {"label": _seeded_label(start, seed), "seed": seed}


def _seeded_label(start: Mapping[str, Any], seed: int) -> str:
    return f"{start['label']}, seed {seed}"


def _cell(experiment: Experiment, point: Point) -> Cell:
    """Return the cell that a run of the sweep fills."""
    config = point.job.config
    (seed,), chosen = config.seeds, config.settings()
    labels = {"operation": operation_of(config.task.expressions)}
    labels |= {name: chosen[name] for name in experiment.axes if name not in _OWN_LABELS}
    for start in experiment.axes.get(_START, ()):
        if point.labels[_START] == _seeded_label(start, seed):
            return Cell(config, labels | {_START: start["label"]}, _origin(experiment, start, seed))
    return Cell(config, labels)


def _origin(experiment: Experiment, start: Mapping[str, Any], seed: int) -> SourceRun | None:
    """Return the network that a start takes weights from."""
    if "from" not in start:
        return None
    source = experiment.sources[start["from"]]
    return SourceRun(operation_of(source.operation), source.steps, seed)


_DEPTH: Final = 3
"""Levels of folders in which runs are looked for."""


@dataclass(frozen=True, eq=False)
class CellRun:
    """One seed of a run on the disk."""

    folder: RunFolder
    config: RunConfig
    seed: int

    @property
    def result(self) -> dict[str, Any]:
        """What the manifest says of this seed; only its state while it trains."""
        results = self.folder.manifest.results
        blank = {"seed": self.seed, "status": self.folder.manifest.status}
        return next((r for r in results if r["seed"] == self.seed), blank)


def find_runs(
    cells: Sequence[Cell], folders: Iterable[Path], warn: Callable[[str], None] | None = None
) -> list[CellRun | None]:
    """Return, for each cell, the run that is farthest among all in some folders.

    **Arguments:**

    - `cells`: what is looked for.
    - `folders`: run folders, or folders of them, also of sweeps.
    - `warn`: is told of each run that cannot be read, which is then passed over.

    **Returns:** in the order of the cells, None where there is no run.
    """
    best: dict[str, CellRun] = {}
    keys = {cell.key for cell in cells}
    for found in _runs_of(folders, warn):
        key = cell_key(found.config, found.seed, _source_run(found))
        if key in keys and (key not in best or _rank(found) > _rank(best[key])):
            best[key] = found
    return [best.get(cell.key) for cell in cells]


def _runs_of(folders: Iterable[Path], warn: Callable[[str], None] | None) -> Iterator[CellRun]:
    for path in folders:
        for run in _runs_in(Path(path), _DEPTH):
            try:
                folder = RunFolder.open(run)
                config = RunConfig.from_json(folder.manifest.config)
            except UsageError as error:
                if warn is not None:
                    warn(f"passed over: {line_of(error)}")
                continue
            yield from (CellRun(folder, config, seed) for seed in config.seeds)


def _runs_in(path: Path, depth: int) -> Iterator[Path]:
    try:
        names = names_in(path, missing_ok=True)
    except RunFolderError:
        return
    if MANIFEST_NAME in names:
        yield path
    elif depth:
        for name in names:
            if (path / name).is_dir():
                yield from _runs_in(path / name, depth - 1)


def _rank(found: CellRun) -> tuple[bool, int]:
    """Order runs of one cell: one that grokked first, then the longer one."""
    result = found.result
    return result["status"] == "grokked", result.get("steps") or 0


def _source_run(found: CellRun) -> SourceRun | None:
    record = found.folder.manifest.transfer
    if record is None:
        return None
    taken = next((e for e in record["checkpoints"] if e["seed"] == found.seed), None)
    if taken is None:
        return None
    return SourceRun(operation_key(record["operation"]), taken["step"], taken["source_seed"])
