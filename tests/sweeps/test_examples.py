"""The sweeps that come with grokscope have the runs that they promise."""

import itertools
from pathlib import Path

import pytest

from grokscope.runner.identity import program_of
from grokscope.sweeps.spec import Spec

EXAMPLES = Path(__file__).parents[2] / "examples" / "sweeps"


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.toml")))
def test_every_example_is_a_sweep(name: str) -> None:
    jobs = Spec.from_file(EXAMPLES / name).jobs()
    assert len({job.name for job in jobs}) == len(jobs) > 1


def test_every_optimiser_has_the_same_grid_and_seeds() -> None:
    points = Spec.from_file(EXAMPLES / "optimisers-p59.toml").points
    tried: dict[str, set[tuple[float, ...]]] = {}
    for point in points:
        optimizer, seeds = point.job.config.optimizer, point.job.config.seeds
        cell = (optimizer.learning_rate, optimizer.weight_decay, *seeds)
        tried.setdefault(point.labels["method"], set()).add(cell)
    grid = set(itertools.product((0.005, 0.02), (0.0, 0.1, 0.3, 1.0), (0, 1, 2)))
    assert list(tried.values()) == [grid] * 4
    # one program per method: learning rate, weight decay and seed belong to the run
    assert len({program_of(point.job.config) for point in points}) == 4
    assert {point.job.config.task.p for point in points} == {59}
