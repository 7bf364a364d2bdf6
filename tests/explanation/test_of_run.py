"""A run's networks are explained with its own operation, split and moment of grokking."""

from collections.abc import Callable

import numpy as np
import pytest

from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.errors import UsageError
from grokscope.explanation.circuit import Effort
from grokscope.explanation.explain import structures_by
from grokscope.explanation.findings import BySide
from grokscope.explanation.of_run import (
    case_of,
    explain_networks,
    folder_of,
    grokked_at,
)
from grokscope.explanation.result import Control
from grokscope.tasks import TRAIN, Task, make_split, parse
from grokscope.tasks.structure import structure_of

EFFORT = Effort(null_draws=50, control_draws=2)
KEYS = {"x + y": {2, 5, 9}, "x*y": {1, 4, 10}}


def test_the_last_checkpoint_is_explained(clock_run: RunFolder) -> None:
    (found,) = explain_networks(clock_run, effort=EFFORT, thorough=False)
    assert (found.operation, found.p, found.seed, found.step) == ("x + y", 23, 0, 300)
    assert found.verdict == "explained"
    assert set(found.embedding.keys) == KEYS["x + y"]
    # train and test are told apart by the run's own split
    full = found.ablations.outcomes.full
    assert full is not None
    assert full.accuracy == BySide(1.0, train=1.0, test=1.0, unleaked=1.0)


@pytest.mark.parametrize(("step", "grokked"), [(100, "fails"), (200, "holds"), (300, "holds")])
def test_a_checkpoint_before_grokking_has_not_grokked(
    clock_run: RunFolder, step: int, grokked: str
) -> None:
    (found,) = explain_networks(clock_run, step=step, effort=EFFORT, thorough=False)
    assert found.step == step
    claims = {str(claim.id): claim.verdict for claim in found.claims.values()}
    assert claims["grokked"] == grokked
    assert found.verdict == ("explained" if step == 300 else "not explained")


def test_by_another_operation_nothing_is_found(clock_run: RunFolder) -> None:
    (found,) = explain_networks(clock_run, by="x*y", effort=EFFORT, thorough=False)
    assert found.verdict == "not explained"
    assert found.operation == "x + y"
    assert found.structure.n == 22
    assert found.embedding.keys == found.neuron_logit_map.keys == ()
    assert found.control == Control("x*y", same_characters=False)


@pytest.mark.parametrize(
    ("by", "control"),
    [
        (None, None),
        ("y + x", None),
        ("x + y + 23", None),
        ("x - y", Control("x - y", same_characters=True)),
        ("2*x + 2*y", Control("2*x + 2*y", same_characters=True)),
        ("x^2 + y^2", Control("x^2 + y^2")),
        ("x*y", Control("x*y")),
    ],
)
def test_another_structure_is_a_control_unless_it_has_the_same_answers(
    by: str | None, control: Control | None
) -> None:
    own = structure_of(Task((parse("x + y"),), 23))
    search, found = structures_by(by, own, 23)
    assert found == control
    assert search is own if by is None else search.structures


def test_seeds_are_explained_in_order_and_can_be_chosen(
    make_clock_run: Callable[..., RunFolder],
) -> None:
    run = make_clock_run("x*y", seeds=(3, 1), grokked=False)
    found = explain_networks(run.path, effort=EFFORT, thorough=False)
    assert [e.seed for e in found] == [3, 1]
    assert [e.verdict for e in found] == ["partly", "partly"]
    assert [claim.id for claim in found[0].claims.missing] == ["grokked"]
    assert set(found[1].neuron_logit_map.keys) == KEYS["x*y"]
    (one,) = explain_networks(str(run.path), seeds=[1], effort=EFFORT, thorough=False)
    assert one.seed == 1
    with pytest.raises(UsageError, match="the run has no such seed; got 2; allowed: 3 1"):
        explain_networks(run, seeds=[2])


def test_a_case_has_what_the_run_says(clock_run: RunFolder) -> None:
    config = RunConfig.from_json(clock_run.manifest.config)
    task = Task.from_config(config.task)
    case = case_of(clock_run, config, task, 0, 0, None)
    assert (case.operation, case.seed, case.grokked_at) == ("x + y", 0, 200)
    split = make_split(task, config.task.train_fraction, config.task.split, 0)
    assert case.kind is not None
    assert np.array_equal(case.kind, split.kind)
    assert (case.kind == TRAIN).sum() == round(0.3 * 23 * 23)
    assert grokked_at(clock_run, 0) == 200
    assert grokked_at(clock_run, 5) is None
    assert folder_of(clock_run) is clock_run
    assert folder_of(clock_run.path).path == clock_run.path


def test_an_operation_without_structure_is_none_to_explain_by() -> None:
    own = structure_of(Task((parse("x*y"),), 23))
    with pytest.raises(UsageError, match="this operation has no structure to explain by"):
        structures_by("x^3 + x*y", own, 23)
    with pytest.raises(UsageError):
        structures_by("x +", own, 23)
