"""The time of a sweep: measured on real steps, once per shape, and added up."""

import dataclasses
from typing import Any

import pytest

from grokscope.errors import GrokscopeError
from grokscope.experiments.sweeps import estimate as module
from grokscope.experiments.sweeps.estimate import estimate, shape_in_words
from grokscope.experiments.sweeps.job import job_of


def test_each_shape_is_measured_once(sweep_of: Any) -> None:
    axes = {"operation": ["x + y", "x*y"], "p": [5, 7], "seed": [0, 1], "weight_decay": [0.5, 1.0]}
    jobs = [(job, 1000) for job in sweep_of(axes).jobs()]
    told: list[str] = []
    found = estimate(jobs, 4, told.append)
    assert told == [f"measuring shape {i} of 2: p = {p}, r = 0.8, mlp" for i, p in ((1, 5), (2, 7))]
    assert [(s.config.task.p, s.n_jobs) for s in found.shapes] == [(5, 8), (7, 8)]
    for shape in found.shapes:
        assert 1e-6 < shape.per_step < 10
        assert 0 < shape.start < 600
    steps = sum(shape.per_step * 8 * 1000 for shape in found.shapes)
    start = sum(shape.start for shape in found.shapes)
    assert found.workers == 4
    assert found.seconds == pytest.approx(start + steps / 4)


def test_shapes_are_told_apart_in_words(helpers: Any) -> None:
    optimizer = {"method": "muon", "freeze": ("embedding", "mlp"), "orthogonal_gradients": True}
    config = helpers.tiny()
    assert shape_in_words(config) == "p = 7, r = 0.6, transformer"
    rate = dataclasses.replace(config.optimizer, learning_rate=0.5)
    assert shape_in_words(dataclasses.replace(config, optimizer=rate)) == shape_in_words(config)
    other = dataclasses.replace(config.optimizer, **optimizer)
    assert shape_in_words(dataclasses.replace(config, optimizer=other)) == (
        "p = 7, r = 0.6, transformer, method muon, orthogonal gradients True, freeze embedding mlp"
    )


class Silent:
    """A process that dies when it is asked."""

    def __init__(self, _module: str, _place: Any, _log: Any, heard: Any) -> None:
        self._heard = heard

    def say(self, _document: Any) -> None:
        self._heard(self, None)

    def kill(self) -> None:
        pass


def test_what_cannot_be_measured(helpers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Process", Silent)
    with pytest.raises(GrokscopeError, match="a few steps could not be trained"):
        estimate([(job_of(helpers.tiny()), 10)], 1)


def test_workers_that_have_nothing_to_do_do_not_count(
    helpers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Quick(Silent):
        def say(self, _document: Any) -> None:
            self._heard(self, {"per_step": 0.5, "start": 3.0})

    monkeypatch.setattr(module, "Process", Quick)
    found = estimate([(job_of(helpers.tiny()), 10)], 16)
    assert dataclasses.replace(found, shapes=[]) == module.Estimate([], 1, 8.0)
