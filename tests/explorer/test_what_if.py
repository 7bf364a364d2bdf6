"""Edits of a clock do what the formula says."""

import dataclasses

import numpy as np
import pytest
from tests.explanation.build import build_clock
from tests.explanation.clock_runs import KEYS, STEPS, P
from tests.explanation.networks import make
from tests.explorer.conftest import unpack

from grokscope.errors import UsageError
from grokscope.explorer.packing import pack_what_if
from grokscope.explorer.subject import Subject
from grokscope.explorer.what_if import Edits, Position, Turn, WhatIf, what_if
from grokscope.models import AnyModel
from grokscope.tasks.structure import structure

KEYS_HERE = KEYS["x + y"]


@pytest.fixture
def model(added: Subject) -> AnyModel:
    return added.network(STEPS[-1]).model


def edited(added: Subject, model: AnyModel, **edits: object) -> WhatIf:
    return what_if(added, model, dataclasses.replace(Edits(KEYS_HERE), **edits))


def test_without_edits_nothing_changes(added: Subject, model: AnyModel) -> None:
    found = edited(added, model)
    assert found.after.accuracy == found.before.accuracy
    assert (found.answers == added.labels).all()
    assert (found.confusion == np.eye(P, dtype=int) * P).all()


@pytest.mark.parametrize("place", ["W_E", "neurons", "logits"])
def test_keys_carry_the_answers_everywhere(added: Subject, model: AnyModel, place: str) -> None:
    assert edited(added, model, **{place: "keep"}).after.accuracy.all > 0.99
    assert edited(added, model, **{place: "remove"}).after.accuracy.all < 0.2


def test_a_key_that_is_turned_turns_the_answer(added: Subject) -> None:
    """cos(k(x + a) …): an angle of 2πk·3/p at x is as good as x + 3; at both it counts twice."""
    best, k = structure("x + y", P).best, 5
    assert best is not None
    one_key = build_clock(make, best, (k,), 16)
    x, y = np.indices((P, P))
    places: dict[Position, int] = {"x": 3, "y": 3, "x and y": 6}
    for at, moved in places.items():
        turned = Turn(k, 360 * k * 3 / P, at)
        found = what_if(added, one_key, Edits((k,), turned=turned))
        assert (found.answers == (x + y + moved) % P).all(), at


def test_one_of_three_keys_that_is_turned_halfway_hurts(added: Subject, model: AnyModel) -> None:
    found = edited(added, model, turned=Turn(KEYS_HERE[0], 180))
    assert found.after.accuracy.all < 1
    whole_turn = edited(added, model, turned=Turn(KEYS_HERE[0], 360))
    assert (whole_turn.answers == added.labels).all()


def test_silent_neurons_write_nothing(added: Subject, model: AnyModel) -> None:
    every = tuple(range(model.neuron_logit_map.shape[1]))
    assert edited(added, model, silenced=every).after.accuracy.all < 0.2
    assert edited(added, model, silenced=every[:1]).after.accuracy.all > 0.9


@pytest.mark.parametrize(
    "edits",
    [{"frequencies": (0,)}, {"frequencies": (12,)}, {"turned": Turn(99, 5)}, {"silenced": (-1,)}],
)
def test_what_is_not_there_is_refused(added: Subject, model: AnyModel, edits: dict) -> None:
    with pytest.raises(UsageError, match="there is no such"):
        edited(added, model, **edits)


def test_the_file_says_what_came_out(added: Subject, model: AnyModel) -> None:
    found = unpack(pack_what_if(edited(added, model, W_E="remove")))
    assert found.header["before"]["accuracy"]["all"] == 1
    assert found.header["after"]["accuracy"]["all"] < 0.2
    assert found.header["words"].startswith("right after the edits: all ")
    assert found.arrays["answers"].shape == (P, P)
