"""Bounds, claims, and what verdict follows from which of them hold."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from grokscope.explanation.document import to_plain
from grokscope.explanation.verdict import (
    BOTH_KEPT,
    VERDICTS,
    AblationScores,
    Bound,
    Claim,
    ClaimId,
    Claims,
    Edit,
    Holds,
    Place,
    ablation_claims,
    verdict,
)

EMBEDDING = (
    ClaimId.EMBEDDING_KEYS,
    ClaimId.EMBEDDING_KEEP,
    ClaimId.EMBEDDING_REMOVE,
    ClaimId.EMBEDDING_CONTROL,
    ClaimId.EMBEDDING_KEEP_OTHERS,
)
LOGITS = (
    ClaimId.NEURON_LOGIT_MAP_KEYS,
    ClaimId.LOGITS_KEEP,
    ClaimId.LOGITS_REMOVE,
    ClaimId.LOGITS_CONTROL,
    ClaimId.LOGITS_KEEP_OTHERS,
)
SHARED = (
    ClaimId.GROKKED,
    ClaimId.STRUCTURE,
    ClaimId.NEW_PAIRS,
    ClaimId.FAMILIES_AGREE,
    ClaimId.SPARSE,
    ClaimId.BOTH_KEPT,
)


def claims(others: Mapping[ClaimId, Holds] | None = None) -> Claims:
    """All claims, holding unless another verdict is given."""
    return Claims(
        Claim(id=key, statement="", verdict=(others or {}).get(key, "holds"))
        for key in (*SHARED, *EMBEDDING, *LOGITS)
    )


def test_all_claims_explain_a_network() -> None:
    assert verdict(claims()) == "explained"
    assert VERDICTS == ("explained", "partly", "not decided", "not explained")
    assert claims().missing == []


def test_every_claim_is_asked_for_or_supports() -> None:
    decisive = {key for key in ClaimId if key.decisive}
    assert decisive == {*SHARED, *EMBEDDING, *LOGITS, ClaimId.FINITE}


@pytest.mark.parametrize("key", SHARED)
@pytest.mark.parametrize("judged", ["fails", "not testable"])
def test_one_that_fails_of_both_leaves_it_partly_explained(key: ClaimId, judged: Holds) -> None:
    found = claims({key: judged})
    assert verdict(found) == ("not explained" if key is ClaimId.STRUCTURE else "partly")
    assert [claim.id for claim in found.missing] == [key]


@pytest.mark.parametrize("key", EMBEDDING)
@pytest.mark.parametrize("judged", ["fails", "not testable"])
def test_one_place_is_enough_for_partly_and_none_for_nothing(key: ClaimId, judged: Holds) -> None:
    assert verdict(claims({key: judged})) == "partly"
    for other in LOGITS:
        assert verdict(claims({other: judged})) == "partly"
        neither = "not explained" if judged == "fails" else "not decided"
        assert verdict(claims({key: judged, other: judged})) == neither


@pytest.mark.parametrize("key", [None, *EMBEDDING, *LOGITS, *SHARED])
def test_rewording_a_claim_leaves_the_verdict(key: ClaimId | None) -> None:
    """The rule knows claims by identity: whatever they say, it says the same."""
    known = claims({} if key is None else {key: "fails"})
    reworded = Claims(replace(c, statement=f"embedding readout {c.id}") for c in known.values())
    assert verdict(reworded) == verdict(known)
    turned = Claims(reversed(list(known.values())))
    assert verdict(turned) == verdict(known)


def test_what_was_tested_and_failed_is_not_open_because_something_else_is() -> None:
    open_ends: dict[ClaimId, Holds] = {
        ClaimId.EMBEDDING_KEEP: "not testable",
        ClaimId.LOGITS_KEEP: "not testable",
    }
    assert verdict(claims(open_ends)) == "not decided"
    failing: dict[ClaimId, Holds] = {**open_ends, ClaimId.SPARSE: "fails"}
    assert verdict(claims(failing)) == "not explained"
    # where it is not needed its failing decides nothing
    assert verdict(claims(failing), [ClaimId.SPARSE]) == "not decided"


def test_what_is_not_needed_is_not_asked() -> None:
    keys = ClaimId.EMBEDDING_KEYS
    found = claims({keys: "not testable", ClaimId.SPARSE: "fails"})
    assert verdict(found) == "partly"
    assert verdict(found, [keys, ClaimId.SPARSE]) == "explained"
    # what else fails still counts
    also = claims({keys: "not testable", ClaimId.LOGITS_KEEP: "fails"})
    assert verdict(also, [keys]) == "partly"
    assert verdict(claims({ClaimId.STRUCTURE: "fails"}), [ClaimId.STRUCTURE]) == "not explained"


def test_a_place_of_which_nothing_is_asked_does_not_pass() -> None:
    found = claims({ClaimId.SPARSE: "fails", ClaimId.LOGITS_KEEP: "fails"})
    assert verdict(found) == "partly"
    assert verdict(found, EMBEDDING) == "not explained"


def test_a_supporting_claim_decides_nothing() -> None:
    extra = Claim(id=ClaimId.CIRCLES, statement="", value=0.0, verdict="fails")
    assert verdict(Claims([*claims().values(), extra])) == "explained"
    assert Claims([extra]).missing == []


@pytest.mark.parametrize(
    ("edit", "inside", "outside"),
    [
        (Edit.KEEP, (0.98, 1.2), (0.979, -1.0)),
        (Edit.REMOVE, (0.05, -0.3), (0.051, 1.0)),
        (Edit.CONTROL, (0.8, 1.0), (0.799, 0.0)),
        (Edit.KEEP_OTHERS, (0.2, -0.1), (0.201, 1.0)),
    ],
)
def test_bounds(edit: Edit, inside: tuple[float, ...], outside: tuple[float, ...]) -> None:
    assert [edit.bound.judge(value) for value in inside] == ["holds"] * len(inside)
    assert [edit.bound.judge(value) for value in outside] == ["fails"] * len(outside)
    assert edit.bound.judge(None) == edit.bound.judge(float("nan")) == "not testable"


def test_bounds_in_words() -> None:
    assert str(BOTH_KEPT) == "A ≥ 0.95"
    assert str(Bound(at_most=0.05)) == "A ≤ 0.05"
    assert [Bound(0.1, 0.5).judge(a) for a in (0.05, 0.1, 0.5, 0.6)] == [
        "fails",
        "holds",
        "holds",
        "fails",
    ]


def test_claims_of_an_ablation_name_place_and_draws() -> None:
    scores = AblationScores(keep=1.0, remove=0.5, control=None, keep_others=0.1)
    found = ablation_claims(Place.LOGITS, scores, 7)
    assert [(c.id, c.value, c.verdict, c.n) for c in found] == [
        (ClaimId.LOGITS_KEEP, 1.0, "holds", None),
        (ClaimId.LOGITS_REMOVE, 0.5, "fails", None),
        (ClaimId.LOGITS_CONTROL, None, "not testable", 7),
        (ClaimId.LOGITS_KEEP_OTHERS, 0.1, "holds", 7),
    ]
    assert found[1].statement == (
        "without the keys the class axis of the logits does not answer: A ≤ 0.05"
    )
    blind = ablation_claims(Place.EMBEDDING, scores, 7, judged=False)
    assert {claim.verdict for claim in blind} == {"not testable"}
    assert to_plain(found[0]) == {
        "name": "readout keep",
        "statement": "with only the keys the class axis of the logits answers: A ≥ 0.98",
        "value": 1.0,
        "control": None,
        "n": None,
        "verdict": "holds",
        "decisive": True,
    }
