"""An experiment's cells are all combinations, and each takes the weights that it says."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grokscope.paper.experiment import Request, experiments, load_experiment
from grokscope.paper.plan import SOURCES_NAME, Cell, plan
from grokscope.sweeps.job import job_of

TRAINED = [name for name in experiments() if load_experiment(name).kind == "training"]
OUT = Path("sweeps/paper")


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("small", [False, True])
def test_cells_are_all_combinations_in_the_order_of_the_axes(name: str, small: bool) -> None:
    experiment = Request(seeds=() if small else (0, 1), small=small).apply(load_experiment(name))
    found = plan(experiment, OUT).cells
    keys = list(itertools.product(*experiment.axes.values()))
    assert [_on_axes(cell, experiment.axes) for cell in found] == keys
    assert len({cell.key for cell in found}) == len(keys)


def _on_axes(cell: Cell, axes: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the value of a cell on each axis of its experiment, as the experiment writes it."""
    config = cell.config
    texts = config.task.expressions
    values = config.settings() | {
        "operation": texts if len(texts) > 1 else "".join(texts),
        "seed": cell.seed,
        "start": next((s for s in axes.get("start", ()) if s["label"] == cell.labels["start"]), 0),
    }
    return tuple(values[name] for name in axes)


def test_table_a5_is_as_large_as_the_paper_says() -> None:
    assert len(plan(load_experiment("table-a5"), OUT).cells) == 35 * 7 * 3


def test_sources_are_trained_once_per_seed_and_each_seed_takes_its_own() -> None:
    experiment = Request(seeds=(0, 5), fractions=(0.3,)).apply(load_experiment("table-1"))
    found = plan(experiment, OUT)
    assert len(found.sources) == 3 * 2
    names = {job.name for job in found.specs[SOURCES_NAME].jobs()}
    assert names == {job_of(source.config).name for source in found.sources}
    for cell in found.cells:
        source = cell.config.transfer.source
        if cell.labels["start"] == "from scratch":
            assert source is None
            continue
        assert source is not None
        assert Path(source).name in names
        assert f"-s{cell.seed}-" in source
        taken = "embedding" if "PG-E" in cell.labels["start"] else "attention"
        assert taken in cell.config.transfer.load
        assert cell.config.optimizer.freeze == cell.config.transfer.load
        assert cell.source is not None
        assert cell.labels["start"].endswith(cell.source.operation)


def test_sources_have_the_modulus_and_length_of_the_paper() -> None:
    found = plan(Request(seeds=(0,)).apply(load_experiment("table-1")), OUT)
    steps = {s.labels["operation"]: s.config.schedule.steps for s in found.sources}
    assert steps == {"x + y": 10_000, "x*y": 10_000, "x - y": 40_000}
    assert not any(source.config.schedule.stop for source in found.sources)
    small = plan(Request(small=True).apply(load_experiment("table-1")), OUT)
    assert {source.config.task.p for source in small.sources} == {59}
    assert {s.config.schedule.steps for s in small.sources} == {3_000}
    starts = Request(small=True).apply(load_experiment("table-1")).axes["start"]
    assert [start["label"] for start in starts] == [
        "from scratch",
        "PG-E x + y",
        "PG-T x + y",
        "PG-E x*y",
        "PG-T x*y",
    ]


def test_all_small_versions_together_take_less_than_an_hour_on_two_cores() -> None:
    """A core trains a pair once in some 9 µs with the paper's network mod 59."""
    cells = {}
    for name in TRAINED:
        found = plan(Request(small=True).apply(load_experiment(name)), OUT)
        cells |= {cell.key: cell.config for cell in (*found.sources, *found.cells)}
    pairs = sum(
        c.schedule.steps * c.task.p**2 * c.task.train_fraction * len(c.task.expressions)
        for c in cells.values()
    )
    assert {c.task.p for c in cells.values()} == {59}
    assert pairs * 9e-6 / 2 < 3600
