"""Batches hold every job once, and only jobs whose programs have the same shapes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.config.run import RunConfig, configure
from grokscope.runner.identity import program_of
from grokscope.sweeps.batch import make_batches, mib_per_run, side_by_side
from grokscope.sweeps.spec import Spec

SPEC = Spec.from_dict(
    {
        "axes": {
            "p": [5, 7],
            "operation": ["x", "y", ["x", "y"]],
            "seed": range(7),
            "weight_decay": [0.5, 1.0],
        }
    }
)


def config(**settings: Any) -> RunConfig:
    return configure(("x",), **settings)


@given(st.integers(1, 9), st.none() | st.integers(1, 50), st.none() | st.integers(1, 90_000))
def test_every_job_once(slots: int, size: int | None, memory: int | None) -> None:
    batches = make_batches(SPEC.jobs(), slots=slots, size=size, memory_mib=memory)
    jobs = [job.name for batch in batches for job in batch.jobs]
    assert sorted(jobs) == sorted(job.name for job in SPEC.jobs())
    for batch in batches:
        assert 1 <= batch.size <= len(batch.jobs)
        assert len({program_of(job.config) for job in batch.jobs}) == 1
        if size is not None:
            assert batch.size <= size


def test_one_job_each_on_a_cpu_and_many_on_a_gpu() -> None:
    assert {len(b.jobs) for b in make_batches(SPEC.jobs(), slots=2)} == {1}
    wide = make_batches(SPEC.jobs(), slots=1, memory_mib=80_000)
    assert [len(b.jobs) for b in wide] == [28, 14, 28, 14]
    assert all(b.size == len(b.jobs) for b in wide)
    refilled = make_batches(SPEC.jobs(), slots=1, size=4)
    assert [(len(b.jobs), b.size) for b in refilled] == [(28, 4), (14, 4)] * 2
    shared = make_batches(SPEC.jobs(), slots=2, size=4)
    assert [len(b.jobs) for b in shared] == [14, 14, 7, 7] * 2


@pytest.mark.parametrize(
    "other",
    [
        {"seeds": (5,)},
        {"train_fraction": 0.8},
        {"learning_rate": 0.1},
        {"weight_decay": 0.0},
        {"steps": 5},
    ],
)
def test_what_may_differ(other: dict[str, Any]) -> None:
    assert program_of(config(**other)) == program_of(config())


@pytest.mark.parametrize(
    "other",
    [
        {"p": 59},
        {"d_mlp": 64},
        {"architecture": "mlp"},
        {"batch_size": 5},
        {"freeze": ("mlp",)},
        {"eval_every": 10},
        {"split": "orbits"},
        {"eta": 0.4},
        {"beta1": 0.8},
    ],
)
def test_what_must_not(other: dict[str, Any]) -> None:
    assert program_of(config(**other)) != program_of(config())


def test_memory() -> None:
    assert side_by_side(config(), None) == 1
    assert side_by_side(config(), 10) == 1
    assert 1 < side_by_side(config(), 4_000) < side_by_side(config(), 16_000)
    assert mib_per_run(config(train_fraction=0.9)) > 1.5 * mib_per_run(config())
