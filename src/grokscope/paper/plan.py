"""From an experiment to the runs that it needs: sources first, then every combination."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grokscope.config.run import configure
from grokscope.disk.sweep_folder import RUNS_NAME
from grokscope.errors import UsageError
from grokscope.paper.cells import Cell, SourceRun
from grokscope.paper.experiment import Experiment, operation_of
from grokscope.sweeps.job import job_of
from grokscope.sweeps.spec import Spec

SOURCES_NAME: Final = "sources"
CELLS_NAME: Final = "cells"
_ALWAYS: Final = ("operation", "p", "train_fraction", "seed")
_START: Final = "start"
_OWN_WORDS: Final = ("label", "from", "paper")
"""Of a start: what it is called here and in the paper, and which source it takes weights from."""


@dataclass(frozen=True)
class Plan:
    """What an experiment trains.

    **Arguments:**

    - `sources`: runs whose weights others take over; they are trained first.
    - `runs`: the cells of the experiment.
    - `specs`: the sweeps that train them, by their folder inside the experiment's, in order.
    """

    sources: tuple[Cell, ...]
    runs: tuple[Cell, ...]
    specs: dict[str, Spec]


def plan(experiment: Experiment, out: Path) -> Plan:
    """Return the runs of an experiment whose folder is `out`.

    **Raises:** `UsageError` for settings that cannot be trained.
    """
    sources = _sources(experiment)
    specs = {}
    if sources:
        specs[SOURCES_NAME] = Spec.from_dict(_source_document(experiment))
    paths = {(w.labels["source"], w.seed): str(_path(w, out)) for w in sources}
    specs[CELLS_NAME] = Spec.from_dict(_document(experiment, paths))
    return Plan(tuple(sources), tuple(_runs(experiment, paths)), specs)


def _path(source: Cell, out: Path) -> Path:
    return out / SOURCES_NAME / RUNS_NAME / job_of(source.config).name


def _used(experiment: Experiment) -> list[str]:
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


def _source_document(experiment: Experiment) -> dict[str, Any]:
    """Return the sweep of the sources."""
    tables = [
        {
            "label": name,
            "operation": experiment.sources[name].operation,
            "steps": experiment.sources[name].steps,
            "train_fraction": experiment.sources[name].train_fraction,
        }
        for name in _used(experiment)
    ]
    seeds = list(experiment.axes["seed"])
    return {"axes": {"source": tables, "seed": seeds}, "fixed": _source_fixed(experiment)}


def _source_fixed(experiment: Experiment) -> dict[str, Any]:
    shared = {k: v for k, v in experiment.fixed.items() if k == "p"}
    return {"stop": False, "checkpoint_every": 10_000, **shared}


def _sources(experiment: Experiment) -> list[Cell]:
    found = []
    for name, seed in itertools.product(_used(experiment), experiment.axes["seed"]):
        source = experiment.sources[name]
        config = configure(
            (source.operation,),
            steps=source.steps,
            train_fraction=source.train_fraction,
            seeds=(seed,),
            **_source_fixed(experiment),
        )
        labels = {"operation": operation_of(source.operation), "source": name}
        found.append(Cell(config, labels))
    return found


def _document(experiment: Experiment, paths: Mapping[tuple[str, int], str]) -> dict[str, Any]:
    """Return the sweep of the cells; a start's source depends on the seed, so both are one axis."""
    axes: dict[str, Any] = {name: list(values) for name, values in experiment.axes.items()}
    axes["operation"] = [list(v) if isinstance(v, tuple) else v for v in axes["operation"]]
    if _START in axes:
        pairs = itertools.product(axes.pop(_START), axes.pop("seed"))
        axes[_START] = [
            _settings(start, seed, paths)
            | {"label": f"{start['label']}, seed {seed}", "seed": seed}
            for start, seed in pairs
        ]
    return {"axes": axes, "fixed": dict(experiment.fixed)}


def _settings(
    start: Mapping[str, Any], seed: int, paths: Mapping[tuple[str, int], str]
) -> dict[str, Any]:
    """Return the settings of a start, with the run that it takes weights from."""
    own = {name: value for name, value in start.items() if name not in _OWN_WORDS}
    return own | {"source": paths[start["from"], seed]} if "from" in start else own


def _runs(experiment: Experiment, paths: Mapping[tuple[str, int], str]) -> Iterator[Cell]:
    names = list(experiment.axes)
    for values in itertools.product(*experiment.axes.values()):
        chosen = {**experiment.fixed, **dict(zip(names, values, strict=True))}
        yield _wanted(experiment, chosen, paths)


def _wanted(
    experiment: Experiment, chosen: Mapping[str, Any], paths: Mapping[tuple[str, int], str]
) -> Cell:
    rest = dict(chosen)
    operation, seed, start = rest.pop("operation"), rest.pop("seed"), rest.pop(_START, None)
    labels = {"operation": operation_of(operation)}
    labels |= {name: rest[name] for name in experiment.axes if name in rest and name not in _ALWAYS}
    source = None
    if start is not None:
        labels[_START] = start["label"]
        rest |= _settings(start, seed, paths)
        if "from" in start:
            origin = experiment.sources[start["from"]]
            source = SourceRun(operation_of(origin.operation), origin.steps, seed)
    expressions = operation if isinstance(operation, tuple) else (operation,)
    return Cell(configure(expressions, seeds=(seed,), **rest), labels, source)
