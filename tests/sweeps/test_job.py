"""The name of a run follows from what is trained, and from nothing else."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from grokscope.config.run import RunConfig, configure
from grokscope.errors import UsageError
from grokscope.runner.identity import identity
from grokscope.sweeps.job import Job, job_of


def job(*expressions: str, **settings: Any) -> Job:
    return job_of(configure(expressions or ("x + y",), **settings))


def test_the_name_says_what_is_trained() -> None:
    named = job("x^2 + y^2", p=59, train_fraction=0.4, seeds=(3,)).name
    assert named.startswith("x2+y2-p59-r0.4-s3-")


@pytest.mark.parametrize(
    "other",
    [
        job("x+y"),
        job("(x) + y"),
        job(steps=7),
        job(checkpoint_every=100_000),
        job(weight_decay=1),
        job(preset="paper"),
        job_of(RunConfig.from_json(job().config.to_json())),
    ],
)
def test_equal_runs_have_equal_names(other: Job) -> None:
    assert other.name == job().name


def test_runs_that_differ_have_names_of_their_own() -> None:
    others = [
        job("x*y"),
        job("y + x"),
        job("x + y", "x*y"),
        job("x*y", "x + y"),
        job(p=59),
        job(train_fraction=0.3000001),
        job(seeds=(1,)),
        job(weight_decay=0.5),
        job(heads=2),
        job(stop=False),
        job(stop_accuracy=0.999),
        job(eval_every=10),
        job(freeze=("mlp",)),
        job(eta=0.4),
        job(preset="quick"),
    ]
    names = {job().name, *(other.name for other in others)}
    assert len(names) == len(others) + 1


def test_a_setting_that_a_later_version_adds_renames_nothing() -> None:
    """Only what differs from its default is told apart; the digest is fixed for good."""
    assert identity(RunConfig()) == "{}"
    assert identity(configure(("x*y",), weight_decay=2)) == (
        '{"expressions":["x*y"],"weight_decay":2.0}'
    )
    assert job("x*y", weight_decay=2).name == "xy-p97-r0.3-s0-b93f431070"


def test_the_order_of_parts_means_nothing() -> None:
    parts = ("embedding", "attention")
    one, other = (job(source="/run", load=p, freeze=p) for p in (parts, parts[::-1]))
    assert one.name == other.name
    assert other.config.optimizer.freeze == parts[::-1]


def test_parts_in_the_order_of_the_network_keep_their_names() -> None:
    """As sweeps have them on the disk; sorted by the alphabet, attention would come first."""
    assert job(freeze=("embedding", "attention")).name == "x+y-p97-r0.3-s0-20fda59fa3"
    both: dict[str, Any] = dict.fromkeys(("load", "freeze"), ("attention", "mlp"))
    assert job(source="/run", **both).name == "x+y-p97-r0.3-s0-d9710f2854"


def test_a_source_is_meant_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker elsewhere finds it, and both ways to write it are one run."""
    monkeypatch.chdir(tmp_path)
    near, far = (job(source=source, load=("mlp",)) for source in ("a/../run", f"{tmp_path}/run"))
    assert near == far
    assert near.config.transfer.source == f"{tmp_path}/run"


def test_numbers_in_lists() -> None:
    names = {job("x", "y", task_weights=weights).name for weights in ((1, 2), (1.0, 2.0))}
    assert len(names) == 1


def test_there_and_back() -> None:
    one = job("x*y", seeds=(4,), freeze=("mlp",))
    assert Job.from_json(one.to_json()) == one


def test_one_seed() -> None:
    with pytest.raises(UsageError, match="a run of a sweep has one seed"):
        job(seeds=(0, 1))


def test_the_configuration_is_kept_as_it_was_written() -> None:
    config = configure(("x * y",), steps=5)
    assert job_of(config).config == config
    assert dataclasses.replace(config, eta=0.5) == config
