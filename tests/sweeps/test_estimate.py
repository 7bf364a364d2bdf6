"""The time of a sweep: measured on real steps, once per shape, and added up."""

import dataclasses
from typing import Any, ClassVar

import pytest

from grokscope.errors import GrokscopeError
from grokscope.sweeps import estimate as module
from grokscope.sweeps import timing
from grokscope.sweeps.estimate import estimate, shape_in_words
from grokscope.sweeps.job import job_of


def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is said to be done, which is shown with a clock."""
    told: list[str] = []
    monkeypatch.setattr(module, "doing", told.append)
    return told


def test_each_shape_is_measured_once(sweep_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUDGET", 600.0)
    axes = {"operation": ["x + y", "x*y"], "p": [5, 7], "seed": [0, 1], "weight_decay": [0.5, 1.0]}
    jobs = [(job, 1000) for job in sweep_of(axes).jobs()]
    told = heard(monkeypatch)
    found = estimate(jobs, 4)
    assert told == [f"measuring shape {i} of 2: p = {p}, r = 0.8, mlp" for i, p in ((1, 7), (2, 5))]
    assert [(s.config.task.p, s.steps, s.measured) for s in found.shapes] == [
        (p, (1000,) * 8, True) for p in (7, 5)
    ]
    for shape in found.shapes:
        assert 1e-6 < shape.times.per_step < 10
        assert 0 <= shape.times.beginning < 600
    training = sum(8 * (s.times.beginning + 1000 * s.times.per_step) for s in found.shapes)
    starting = sum(shape.times.loading for shape in found.shapes)
    assert found.workers == 4
    # and the seconds until the process was there
    assert 0 < found.seconds - starting - training / 4 < 600


class Told:
    """A process that answers at once with given times."""

    times: ClassVar = {"per_step": 0.5, "compiling": 9.0, "loading": 4.0, "beginning": 1.0}

    def __init__(self, _module: str, _place: Any, _log: Any, heard: Any) -> None:
        self._heard = heard

    def say(self, _document: Any) -> None:
        self._heard(self, {**self.times, "took": 1000.0})

    def kill(self) -> None:
        pass


def test_what_exceeds_the_budget_is_scaled(helpers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Process", Told)
    monkeypatch.setattr(module, "BUDGET", 0.0)
    whole, half = helpers.tiny(), helpers.tiny(train_fraction=0.3)
    told = heard(monkeypatch)
    found = estimate([(job_of(half), 10), (job_of(whole), 10), (job_of(whole), 30)], 1)
    assert told == ["measuring shape 1 of 2: p = 7, r = 0.6, transformer"]
    first, second = found.shapes
    assert (first.measured, second.measured) == (True, False)
    # forward and backward over what trains, forward over all pairs every ten steps
    ratio = (3 * 0.3 + 0.1) / (3 * 0.6 + 0.1)
    assert second.times.per_step == pytest.approx(0.5 * ratio)
    # what was measured is kept from then on, what was not has still to be compiled
    expected = (4 + 2 * 1 + 40 * 0.5) + (9 + 1 + 10 * 0.5 * ratio)
    assert found.seconds == pytest.approx(expected)
    assert found.of([(job_of(whole), 30)]) == 1 + 30 * 0.5
    assert found.of([(job_of(half), 10), (job_of(whole), 10)]) == pytest.approx(7 + 5 * ratio)


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


class Silent(Told):
    """A process that dies when it is asked."""

    def say(self, _document: Any) -> None:
        self._heard(self, None)


def test_what_cannot_be_measured(helpers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Process", Silent)
    with pytest.raises(GrokscopeError, match="a few steps could not be trained"):
        estimate([(job_of(helpers.tiny()), 10)], 1)


def test_workers_that_have_nothing_to_do_do_not_count(
    helpers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Process", Told)
    found = estimate([(job_of(helpers.tiny()), 10)], 16)
    assert dataclasses.replace(found, shapes=[]) == module.Estimate([], 1, 4 + 1 + 10 * 0.5)


def test_what_measuring_has_kept_is_not_counted_as_compiling(
    helpers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three runs: one compiles, one finds programs kept as a new process does, one has them."""
    starts, done = iter((9.0, 4.0, 1.0)), []

    def moments(_config: Any, steps: int, every: int) -> dict[int, float]:
        done.append(steps)
        start = next(starts)
        return {step: start + 0.5 * step for step in range(every, steps + 1, every)}

    monkeypatch.setattr(timing, "_moments", moments)
    monkeypatch.setattr(timing.jax, "clear_caches", lambda: done.append("forget"))
    config = helpers.tiny()
    expected = {"per_step": 0.5, "compiling": 9.0, "loading": 4.0, "beginning": 1.0}
    assert timing.seconds(config) == pytest.approx(expected)
    assert done == [20, "forget", 10, 10]
    # a chunk that is shorter than those of the sweep is another program: nothing of it is kept
    starts = iter((9.0, 4.0, 1.0))
    longer = dataclasses.replace(config.schedule, eval_every=1000, steps=10_000)
    slow = timing.seconds(dataclasses.replace(config, schedule=longer))
    assert slow["loading"] == slow["compiling"] == pytest.approx(9.0)
