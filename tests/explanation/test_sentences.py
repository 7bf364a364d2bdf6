"""What an explanation says in words: nothing rounded up to perfect, every case its own sentence."""

from dataclasses import replace
from typing import Any, Final

import pytest

from grokscope.explanation.findings import (
    Ablations,
    ClockOrPizza,
    ClosedForm,
    ClosedForms,
    KeyShape,
    LogitFinding,
)
from grokscope.explanation.result import Control, Explanation, Key, StructureFound, TableFinding
from grokscope.explanation.sentences import (
    algorithm_in_words,
    harmonic_in_words,
    headline,
    number_in_words,
    one_sentence,
    own_and_harmonics,
    sentences,
    share_in_words,
)
from grokscope.explanation.verdict import AblationScores, Claim, ClaimId, Claims, Holds

FOUND: Final = TableFinding(
    basis="characters of x in Z_97", keys=(3, 6, 10), energy_in_keys=0.99996, saturated=False
)
STRUCTURE: Final = StructureFound(
    n=97, u="x", v="y", g="s mod 97", group="Z_97", words="x + y is addition mod 97"
)


def explanation(**changes: Any) -> Explanation:
    """Return an explanation of x + y mod 97, with what sentences are made of."""
    whole: dict[str, Any] = {
        "operation": "x + y",
        "p": 97,
        "seed": 0,
        "step": 4200,
        "verdict": "explained",
        "structure": STRUCTURE,
        "families": ((3, 6), (10,)),
        "embedding": FOUND,
        "neuron_logit_map": FOUND,
        "logits": LogitFinding(key_shapes=(KeyShape(3, 1.0, 1.0),)),
        "keys": (Key(3), Key(6, harmonic_of=3), Key(10)),
        "ablations": Ablations(full=1.0, logits=AblationScores(keep=1.0)),
        "closed_form": ClosedForms(agreement=1.0, numbers=2),
    }
    return Explanation(**whole | changes)


def claim(key: ClaimId, verdict: Holds, value: float | None = None) -> Claim:
    return Claim(id=key, statement="", value=value, verdict=verdict)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.0, "100%"),
        (0.99999, "99.999%"),
        (0.5, "50%"),
        (0.1234, "12.34%"),
        (0.0, "0%"),
        (None, "not testable"),
    ],
)
def test_a_share_below_one_is_never_called_100_percent(value: float | None, said: str) -> None:
    assert share_in_words(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.0, "1.00"),
        (0.9999, "0.9999"),
        (0.98, "0.98"),
        (-0.001, "0.00"),
        (-0.02, "-0.02"),
        (1.004, "1.00"),
        (None, "not testable"),
    ],
)
def test_a_number_below_one_is_never_called_one(value: float | None, said: str) -> None:
    assert number_in_words(value) == said


def test_harmonics_are_told_from_keys_of_their_own() -> None:
    assert own_and_harmonics(explanation(), FOUND) == ([3, 10], [6])
    assert harmonic_in_words(6, 3, 97) == "double of 3"
    assert harmonic_in_words(17, 40, 97) == "double of 40"  # 80 and 17 are the same wave mod 97
    assert harmonic_in_words(28, 41, 97) == "half of 41"
    table = replace(FOUND, keys=(41, 28), energy_in_keys=0.5)
    told = sentences(explanation(keys=(Key(28, harmonic_of=41), Key(41)), embedding=table))
    assert "by 1 frequency of x in Z_97: 41, with the half 28; 50%" in told[1]


def test_the_headline_leaves_out_what_a_table_lacks() -> None:
    assert headline(explanation()) == "x + y mod 97, seed 0, step 4,200: explained"
    assert headline(explanation(seed=None, step=None, verdict="partly")) == (
        "x + y mod 97: partly explained"
    )
    assert headline(explanation(seed=None, step=None, verdict="not decided")) == (
        "x + y mod 97: not decided"
    )


def test_a_control_says_so_first() -> None:
    found = explanation(control=Control("x*y"), verdict="not explained")
    assert headline(found) == (
        "x + y mod 97, seed 0, step 4,200, a control, read by x*y: not explained"
    )
    assert sentences(found)[0] == (
        "This is a control: the network was trained on x + y and is read here by the structure of "
        "x*y. Nothing should be found."
    )
    same = sentences(explanation(control=Control("x - y", same_characters=True)))[0]
    assert "should be found" not in same
    assert same.endswith("by the same characters, so that W_E cannot tell the two apart.")


def test_what_knows_pairs_by_heart_is_no_failure_to_explain() -> None:
    fails = claim(ClaimId.NEW_PAIRS, "fails", -0.0052)
    found = explanation(claims=Claims([fails]), verdict="not explained")
    assert sentences(found)[0] == (
        "It answers pairs that it was not trained on hardly better than guessing (accuracy -0.005 "
        "beside it): it knows pairs by heart at most, so there is no algorithm to read out yet."
    )
    assert one_sentence(found) == "The algorithm is not explained: " + sentences(found)[0].replace(
        "It", "it", 1
    )
    held = explanation(claims=Claims([replace(fails, verdict="holds")]))
    assert "guessing" not in " ".join([*sentences(held), one_sentence(held)])


def test_what_is_not_decided_says_why() -> None:
    open_end = Claims([claim(ClaimId.EMBEDDING_KEEP, "not testable")])
    whole = sentences(explanation(claims=open_end, verdict="not decided"))[-1]
    assert (
        whole == "It is not decided: nothing failed, but this cannot be tested here: "
        "embedding keep."
    )
    table = sentences(explanation(verdict="not decided", ablations=Ablations()))[-1]
    assert table.startswith("It is not decided: a table alone shows which frequencies it holds")
    small = replace(STRUCTURE, n=3, group="Z_3")
    told = sentences(explanation(verdict="not decided", structure=small))
    assert told[-1] == "It is not decided: Z_3 has one frequency, and no other to compare it with."
    assert not any("W_E" in text for text in told)


def test_every_part_is_told() -> None:
    assert sentences(explanation()) == [
        "x + y is addition mod 97: the answer is s mod 97, s = x + y in Z_97.",
        "W_E lays the residues out by 2 frequencies of x in Z_97: 3 10, with the double 6; 99.996% "
        "of its energy.",
        "W_L reads the answers at 2 frequencies: 3 10, with the double 6; 99.996% of its energy.",
        "In the logits every key is a circle, cos(θ_s − θ_c).",
        "A formula with 2 numbers, one amplitude per key, gives 100% of its answers.",
    ]


def test_without_a_structure_only_that_is_said() -> None:
    nothing = StructureFound(words="no structure found")
    told = sentences(explanation(structure=nothing))
    assert told == [
        "no structure found.",
        "Without a structure there is no basis to look for keys in.",
    ]
    assert one_sentence(explanation(structure=nothing, verdict="not explained")) == (
        "The algorithm is not explained: no structure found."
    )


def test_no_keys_and_saturated_tables_are_no_findings() -> None:
    empty, full = replace(FOUND, keys=()), replace(FOUND, saturated=True)
    told = sentences(explanation(embedding=empty, neuron_logit_map=full))
    assert told[1] == "W_E has no key frequency above its permutation null."
    assert told[2].startswith("W_L is saturated")


def test_lines_are_told_apart_from_circles() -> None:
    shapes = (KeyShape(3, 1.0, 1.0), KeyShape(10, 1.0, 0.0), KeyShape(5, 1.0, 0.0, forced=True))
    told = sentences(explanation(logits=LogitFinding(key_shapes=shapes)))
    assert told[3] == (
        "In the logits the keys are 1 circle (3), 1 line (10) and 1 line that the operation "
        "forces (5); a line is a standing wave, cos θ_s·cos θ_c."
    )


def test_a_harmonic_that_is_a_line_is_no_shape_of_the_network() -> None:
    shapes = (KeyShape(41, 11.57, 11.0), KeyShape(28, 0.0124, 0.0, harmonic_of=41))
    told = sentences(explanation(logits=LogitFinding(key_shapes=shapes)))
    assert told[3:5] == [
        "In the logits every key is a circle, cos(θ_s − θ_c).",
        "Beside them the harmonic 28, an amplitude of 0.012; the largest key has 11.6.",
    ]


def test_the_formula_that_answers_better_is_named() -> None:
    ellipse = ClosedForm(agreement=0.9, accuracy=0.9, variance_explained=0.9, numbers=6)
    form = ClosedForms(agreement=0.5, numbers=1, ellipse=ellipse)
    assert sentences(explanation(closed_form=form))[-1] == (
        "A formula with 1 number, one amplitude per key, gives 50% of its answers; the nearest "
        "answer on the keys' ellipses, 6 numbers, 90%."
    )


def test_the_verdict_names_what_is_lacking() -> None:
    claims = Claims(
        [
            claim(ClaimId.SPARSE, "fails"),
            claim(ClaimId.CIRCLES, "fails"),
            claim(ClaimId.BOTH_KEPT, "holds"),
        ]
    )
    assert one_sentence(explanation(claims=claims, verdict="partly")) == (
        "The algorithm is partly explained: x + y is addition mod 97, on 2 families of key "
        "frequencies; not shown: sparse."
    )


def test_an_unknown_algorithm_is_not_told() -> None:
    assert algorithm_in_words(explanation()) == ""
    known = ClockOrPizza(kind="clock", circularity=0.999)
    assert algorithm_in_words(explanation(algorithm=known)) == "clock: circularity 0.999"
