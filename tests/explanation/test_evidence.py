"""Bounds, claims, and what verdict follows from them."""

from collections.abc import Mapping

import pytest

from grokscope.explanation.verdict import (
    BOTH_KEPT,
    BOUNDS,
    VERDICTS,
    Bound,
    Claim,
    Holds,
    ablation_claims,
    failed_claims,
    verdict,
)

EMBEDDING = ("embedding keys", "embedding keep", "embedding remove", "embedding control")
READOUT = ("readout keys", "readout keep", "readout remove", "readout control")
SHARED = ("grokked", "structure", "families agree", "sparse", "both kept")


def claims(others: Mapping[str, Holds] | None = None) -> list[Claim]:
    """All claims, holding unless another verdict is given by name."""
    return [
        Claim(name, "", None, (others or {}).get(name, "holds"))
        for name in (*SHARED, *EMBEDDING, *READOUT)
    ]


def test_all_claims_explain_a_network() -> None:
    assert verdict(claims()) == "explained"
    assert VERDICTS == ("explained", "partly", "not decided", "not explained")
    assert failed_claims(claims()) == []


@pytest.mark.parametrize("name", SHARED)
def test_one_that_fails_of_both_leaves_it_partly_explained(name: str) -> None:
    judgements: tuple[Holds, ...] = ("fails", "not testable")
    for judged in judgements:
        found = claims({name: judged})
        expected = "not explained" if name == "structure" else "partly"
        assert verdict(found) == expected
        assert [claim.name for claim in failed_claims(found)] == [name]


@pytest.mark.parametrize("name", EMBEDDING)
@pytest.mark.parametrize("judged", ["fails", "not testable"])
def test_one_matrix_is_enough_for_partly_and_none_for_nothing(name: str, judged: Holds) -> None:
    assert verdict(claims({name: judged})) == "partly"
    for other in READOUT:
        assert verdict(claims({other: judged})) == "partly"
        neither = "not explained" if judged == "fails" else "not decided"
        assert verdict(claims({name: judged, other: judged})) == neither


def test_what_was_tested_and_failed_is_not_open_because_something_else_is() -> None:
    open_ends: dict[str, Holds] = {EMBEDDING[1]: "not testable", READOUT[1]: "not testable"}
    assert verdict(claims(open_ends)) == "not decided"
    failing: dict[str, Holds] = {**open_ends, "sparse": "fails"}
    assert verdict(claims(failing)) == "not explained"
    # where it is not needed its failing decides nothing
    assert verdict(claims(failing), ["sparse"]) == "not decided"


def test_what_is_not_needed_is_not_asked() -> None:
    found = claims({"embedding keys": "not testable", "sparse": "fails"})
    assert verdict(found) == "partly"
    assert verdict(found, ["embedding keys", "sparse"]) == "explained"
    # what else fails still counts
    also = claims({"embedding keys": "not testable", "readout keep": "fails"})
    assert verdict(also, ["embedding keys"]) == "partly"
    assert verdict(claims({"structure": "fails"}), ["structure"]) == "not explained"


def test_a_supporting_claim_decides_nothing() -> None:
    extra = Claim("circles", "", 0.0, "fails", decisive=False)
    assert verdict([*claims(), extra]) == "explained"
    assert failed_claims([extra]) == []


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("keep", (0.98, 1.2), (0.979, -1.0)),
        ("remove", (0.05, -0.3), (0.051, 1.0)),
        ("control", (0.8, 1.0), (0.799, 0.0)),
        ("keep_others", (0.2, -0.1), (0.201, 1.0)),
    ],
)
def test_bounds(name: str, inside: tuple[float, ...], outside: tuple[float, ...]) -> None:
    assert [BOUNDS[name].judge(value) for value in inside] == ["holds"] * len(inside)
    assert [BOUNDS[name].judge(value) for value in outside] == ["fails"] * len(outside)
    assert BOUNDS[name].judge(None) == BOUNDS[name].judge(float("nan")) == "not testable"


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
    scaled = {"keep": 1.0, "remove": 0.5, "control": None, "keep_others": 0.1}
    found = ablation_claims("readout", scaled, 7)
    assert [(c.name, c.value, c.verdict, c.n) for c in found] == [
        ("readout keep", 1.0, "holds", None),
        ("readout remove", 0.5, "fails", None),
        ("readout control", None, "not testable", 7),
        ("readout keep others", 0.1, "holds", 7),
    ]
    assert found[1].statement == (
        "without the keys the class axis of the logits does not answer: A ≤ 0.05"
    )
    blind = ablation_claims("embedding", scaled, 7, judged=False)
    assert {claim.verdict for claim in blind} == {"not testable"}
    assert found[0].to_json() == {
        "name": "readout keep",
        "statement": "with only the keys the class axis of the logits answers: A ≥ 0.98",
        "value": 1.0,
        "control": None,
        "n": None,
        "verdict": "holds",
        "decisive": True,
    }
