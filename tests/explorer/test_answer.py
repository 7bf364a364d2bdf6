"""One pair: the votes of the keys add up to the formula, which answers like the clock."""

import json

import numpy as np
import pytest
from tests.explanation.clock_runs import KEYS, STEPS, P

from grokscope.errors import UsageError
from grokscope.explorer.answer import Trying, trying
from grokscope.explorer.snapshot import over_all_pairs
from grokscope.explorer.subject import Subject


def of(subject: Subject) -> Trying:
    model = subject.network(STEPS[-1]).model
    return trying(subject, model, over_all_pairs(model, 0))


def test_network_and_formula_answer_alike(subject: Subject) -> None:
    tried = of(subject)
    for x, y in ((1, 1), (5, 7), (22, 22), (3, 19)):
        found = tried.at(x, y)
        assert found.answer == found.by_formula == found.label == x * y % P
        assert found.largest[0] == found.answer
        assert len(found.largest) == 5
        assert found.attention == pytest.approx((1 / 3,))


def test_each_key_votes_with_a_cosine_of_the_sum(added: Subject) -> None:
    found = of(added).at(4, 9)
    assert set(KEYS["x + y"]) <= set(found.keys)
    assert found.votes is not None
    for k in KEYS["x + y"]:
        wave = np.cos(2 * np.pi * k * (4 + 9 - np.arange(P)) / P)
        vote = found.votes[:, found.keys.index(k)]
        assert np.corrcoef(vote, wave)[0, 1] == pytest.approx(1)
        assert vote.argmax() == 13


def test_a_pair_without_a_sum_has_no_votes(subject: Subject) -> None:
    found = of(subject).at(0, 5)
    assert (found.label, found.votes, found.by_formula, found.keys) == (0, None, None, ())
    assert json.loads(json.dumps(found.to_json()))["votes"] is None


def test_whether_a_pair_was_trained_is_said(subject: Subject) -> None:
    tried = of(subject)
    said = [tried.at(x, y).trained for x in range(P) for y in range(P)]
    assert said == subject.sides["train"].ravel().tolist()


@pytest.mark.parametrize("pair", [(-1, 0), (0, P), (P, P)])
def test_what_is_no_residue_is_refused(subject: Subject, pair: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="no such residue"):
        of(subject).at(*pair)
