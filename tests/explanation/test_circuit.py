"""What a circuit claims, from keys that are given by hand, and when nothing can be claimed."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.explanation.networks import Built, built

from grokscope.explanation.circuit import Circuit, Effort, find_circuit
from grokscope.explanation.keys import Keys
from grokscope.explanation.verdict import ClaimId, Place
from grokscope.fourier.basis import Basis
from grokscope.tasks import TEST_UNLEAKED, TRAIN

NONE = Keys((), (), (), 0.0, 0.0, 0.1, 10, False)
EFFORT = Effort(null_draws=50, control_draws=3)
KEYS = (2, 5, 9)


def keys(*frequencies: int, saturated: bool = False) -> Keys:
    return dataclasses.replace(NONE, frequencies=frequencies, energy=0.9, saturated=saturated)


@pytest.fixture(scope="module")
def clock(build_clock: Callable, known_structure: Callable, in_basis: Callable) -> Built:
    structure = known_structure("x + y", 23)
    return in_basis(build_clock(structure, KEYS, grid=12), structure)


@pytest.fixture(scope="module")
def squares(build_clock: Callable, known_structure: Callable, in_basis: Callable) -> Built:
    structure = known_structure("x^2 + y^2", 23)
    return in_basis(build_clock(structure, KEYS, grid=12), structure)


def circuit(about: Built, embedding: Keys, readout: Keys, grokked: bool = True) -> Circuit:
    found = {Place.EMBEDDING: embedding, Place.LOGITS: readout}
    return Circuit(about, grokked, found, EFFORT)


def verdicts(of: Circuit) -> dict[str, str]:
    return {str(claim.id): claim.verdict for claim in of.claims.values()}


def test_the_built_in_keys_are_an_explanation(clock: Built) -> None:
    found = circuit(clock, keys(*KEYS), keys(*KEYS))
    assert found.verdict == "explained"
    assert set(verdicts(found).values()) == {"holds"}
    assert len(found.ablations[Place.EMBEDDING].control) == 3
    assert found.score[0] == 3
    assert_allclose(found.score[1], 1)


def test_other_keys_are_none(clock: Built) -> None:
    found = circuit(clock, keys(1, 3, 4), keys(1, 3, 4))
    assert found.verdict == "not explained"
    failing = {name for name, verdict in verdicts(found).items() if verdict == "fails"}
    assert {"embedding keep", "embedding remove", "readout keep", "both kept"} <= failing
    assert found.score[0] == 0


def test_no_keys_are_no_explanation(clock: Built) -> None:
    found = circuit(clock, NONE, NONE)
    assert found.verdict == "not explained"
    assert (found.families, found.frequencies) == ([], ())
    assert verdicts(found)["embedding keep"] == verdicts(found)["both kept"] == "not testable"
    assert found.score == (0, -1.0)


def test_families_join_both_matrices_and_must_be_in_both(clock: Built) -> None:
    # 2·2 = 4, and 2·9 = 18 = −5
    found = circuit(clock, keys(2, 5, 9), keys(4, 9))
    assert found.families == [(2, 4), (5, 9)]
    assert found.frequencies == (2, 4, 5, 9)
    assert verdicts(found)["families agree"] == "holds"
    lacking = circuit(clock, keys(2, 5, 3), keys(2, 5))
    assert lacking.families == [(2,), (5,), (3,)]
    agree = lacking.claims[ClaimId.FAMILIES_AGREE]
    assert (agree.verdict, agree.n) == ("fails", 3)
    assert_allclose(agree.value or 0, 2 / 3)


@pytest.mark.parametrize(("count", "verdict"), [(5, "holds"), (6, "fails")])
def test_keys_are_sparse_up_to_half_of_all_frequencies(
    clock: Built, count: int, verdict: str
) -> None:
    every = (2, 5, 9, 1, 3, 4)[:count]
    found = circuit(clock, keys(*every), keys(*every))
    assert verdicts(found)["sparse"] == verdict
    assert found.verdict == ("explained" if verdict == "holds" else "partly")


def test_of_a_saturated_embedding_the_readout_says_the_keys(squares: Built) -> None:
    found = circuit(squares, keys(2, 5, 9, 1, saturated=True), keys(*KEYS))
    assert set(found.frequencies) == set(KEYS)
    asked = verdicts(found)
    assert asked["embedding keys"] == asked["families agree"] == "not testable"
    assert found.ablations[Place.EMBEDDING].outside
    assert not found.ablations[Place.LOGITS].outside
    assert found.verdict == "explained"


def test_it_must_still_be_sparse(squares: Built) -> None:
    many = keys(*range(1, 11))
    found = circuit(squares, keys(2, 5, 9, 1, saturated=True), many)
    assert verdicts(found)["sparse"] == "fails"
    assert found.verdict == "partly"


def test_where_both_are_saturated_nothing_is_decided(squares: Built) -> None:
    found = circuit(squares, keys(*KEYS, saturated=True), keys(*KEYS, saturated=True))
    assert "fails" not in verdicts(found).values()
    assert found.verdict == "not decided"
    assert found.score[0] == 1


def test_a_network_at_chance_cannot_be_tested(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    about = in_basis(network(p=23), known_structure("x + y", 23))
    found = circuit(about, keys(*KEYS), keys(*KEYS))
    assert not found.testable
    # what fails is said: it answers nothing, whatever cannot be tested besides
    assert verdicts(found)["new pairs"] == "fails"
    assert found.verdict == "not explained"
    names = ("keep", "remove", "control", "keep others")
    for place in ("embedding", "readout"):
        assert {verdicts(found)[f"{place} {name}"] for name in names} == {"not testable"}


@pytest.mark.parametrize("p", [2, 3])
def test_a_group_with_one_frequency_cannot_be_tested(
    network: Callable, known_structure: Callable, in_basis: Callable, p: int
) -> None:
    about = in_basis(network(p=p), known_structure("x + y", p))
    right = about.logits.argmax(axis=2).astype(np.int32)
    about = built(about.model, right, about.basis)
    found = circuit(about, keys(1), keys(1))
    assert not found.testable
    assert verdicts(found)["embedding keys"] == verdicts(found)["sparse"] == "not testable"
    assert "fails" not in verdicts(found).values()
    assert found.verdict == "not decided"


def test_keys_of_both_matrices_are_looked_for_in_both(
    clock: Built, known_structure: Callable
) -> None:
    found = find_circuit(clock, grokked=True, effort=EFFORT)
    assert [set(keys.frequencies) for keys in found.keys.values()] == [set(KEYS)] * 2
    # a basis that was tried raises the threshold
    other = Basis(known_structure("x^2 + y^2", 23))
    tried = find_circuit(clock, grokked=True, tried=[other], effort=EFFORT)
    before, after = (of.keys[Place.EMBEDDING] for of in (found, tried))
    assert after.threshold >= before.threshold
    assert set(after.frequencies) == set(KEYS)


def test_what_answers_only_trained_pairs_cannot_be_tested(clock: Built) -> None:
    """Labels are as the clock says on trained pairs and wrong on all others."""
    kind = np.full(23 * 23, TRAIN, np.int8)
    kind[::2] = TEST_UNLEAKED
    labels = np.where(kind.reshape(23, 23) == TRAIN, clock.labels, (clock.labels + 1) % 23)
    about = built(clock.model, labels.astype(np.int32), clock.basis, kind)
    found = circuit(about, keys(*KEYS), keys(*KEYS))
    assert about.full.accuracy.train == 1
    assert about.full.accuracy.unleaked == 0
    assert not found.testable
    assert found.verdict == "not explained"
    new = found.claims[ClaimId.NEW_PAIRS]
    assert (new.verdict, new.n) == ("fails", (kind == TEST_UNLEAKED).sum())
    assert_allclose(new.value or 0, -about.chance)
    right = built(clock.model, clock.labels, clock.basis, kind)
    assert circuit(right, keys(*KEYS), keys(*KEYS)).verdict == "explained"
