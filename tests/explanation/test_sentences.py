"""What an explanation says in words: nothing rounded up to perfect, every case its own sentence."""

from typing import Any, Final

import pytest

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

TABLE: Final = {"basis": "characters of x in Z_97", "saturated": False, "null_energy": None}


def document(**changes: Any) -> dict[str, Any]:
    """Return the parts of an explanation of x + y mod 97 that sentences are made of."""
    place = {**TABLE, "key_frequencies": [3, 6, 10], "energy_in_keys": 0.99996}
    whole = {
        "operation": "x + y",
        "p": 97,
        "seed": 0,
        "step": 4200,
        "verdict": "explained",
        "structure": {
            "n": 97,
            "u": "x",
            "v": "y",
            "g": "s mod 97",
            "group": "Z_97",
            "words": "x + y is addition mod 97",
        },
        "families": [{}, {}],
        "claims": [],
        "embedding": place,
        "readout": place,
        "logits": {"key_shapes": [{"frequency": 3, "shape": "circle"}]},
        "keys": [
            {"frequency": 3, "harmonic_of": None},
            {"frequency": 6, "harmonic_of": 3},
            {"frequency": 10, "harmonic_of": None},
        ],
        "causal": {"full": 1.0, "readout": {"keep": 1.0}},
        "by": None,
        "table": None,
        "closed_form": {"agreement": 1.0, "numbers": 2},
        "algorithm": {},
    }
    return whole | changes


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.0, "100%"),
        (0.99999, "99.99%"),
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
        (0.9999, "0.99"),
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
    assert own_and_harmonics(document(), "embedding") == ([3, 10], [6])
    assert harmonic_in_words(6, 3, 97) == "double of 3"
    assert harmonic_in_words(17, 40, 97) == "double of 40"  # 80 and 17 are the same wave mod 97
    assert harmonic_in_words(28, 41, 97) == "half of 41"
    halves = [{"frequency": 28, "harmonic_of": 41}, {"frequency": 41, "harmonic_of": None}]
    place = {**TABLE, "key_frequencies": [41, 28], "energy_in_keys": 0.5}
    told = sentences(document(keys=halves, embedding=place, readout=place))
    assert "by 1 frequency of x in Z_97: 41, with the half 28; 50%" in told[1]


def test_the_headline_leaves_out_what_a_table_lacks() -> None:
    assert headline(document()) == "x + y mod 97, seed 0, step 4,200: explained"
    assert headline(document(seed=None, step=None, verdict="partly")) == (
        "x + y mod 97: partly explained"
    )
    assert headline(document(seed=None, step=None, verdict="not decided")) == (
        "x + y mod 97: not decided"
    )


def test_a_control_says_so_first() -> None:
    by = {"operation": "x*y", "same_characters": False}
    found = document(by=by, verdict="not explained")
    assert headline(found) == (
        "x + y mod 97, seed 0, step 4,200, a control, read by x*y: not explained"
    )
    assert sentences(found)[0] == (
        "This is a control: the network was trained on x + y and is read here by the structure of "
        "x*y. Nothing should be found."
    )
    same = sentences(document(by={"operation": "x - y", "same_characters": True}))[0]
    assert "should be found" not in same
    assert same.endswith("by the same characters, so that W_E cannot tell the two apart.")


def test_what_knows_pairs_by_heart_is_no_failure_to_explain() -> None:
    claim = {"name": "new pairs", "decisive": True, "verdict": "fails", "value": -0.0052}
    found = document(claims=[claim], verdict="not explained")
    assert sentences(found)[0] == (
        "It answers pairs that it was not trained on hardly better than guessing (accuracy -0.005 "
        "beside it): it knows pairs by heart at most, so there is no algorithm to read out yet."
    )
    assert one_sentence(found) == f"Not explained. {sentences(found)[0]}"
    held = document(claims=[claim | {"verdict": "holds"}])
    assert "guessing" not in " ".join([*sentences(held), one_sentence(held)])


def test_what_is_not_decided_says_why() -> None:
    claim = {"name": "embedding keep", "decisive": True, "verdict": "not testable"}
    whole = sentences(document(claims=[claim], verdict="not decided"))[-1]
    assert (
        whole == "It is not decided: nothing failed, but this cannot be tested here: "
        "embedding keep."
    )
    table = sentences(document(verdict="not decided", causal={"full": None}))[-1]
    assert table.startswith("It is not decided: a table alone shows which frequencies it holds")
    small = document()["structure"] | {"n": 3, "group": "Z_3"}
    told = sentences(document(verdict="not decided", structure=small))
    assert told[-1] == "It is not decided: Z_3 has one frequency, and no other to compare it with."
    assert not any("W_E" in text for text in told)


def test_every_part_is_told() -> None:
    assert sentences(document()) == [
        "x + y is addition mod 97: the answer is s mod 97, s = x + y in Z_97.",
        "W_E lays the residues out by 2 frequencies of x in Z_97: 3 10, with the double 6; 99.99% "
        "of its energy.",
        "W_L reads the answers at 2 frequencies: 3 10, with the double 6; 99.99% of its energy.",
        "In the logits every key is a circle, cos(θ_s − θ_c).",
        "A formula with 2 numbers, one amplitude per key, gives 100% of its answers.",
    ]


def test_without_a_structure_only_that_is_said() -> None:
    nothing = {"n": None, "words": "no structure found"}
    told = sentences(document(structure=nothing))
    assert told == [
        "no structure found.",
        "Without a structure there is no basis to look for keys in.",
    ]
    assert one_sentence(document(structure=nothing, verdict="not explained")) == (
        "The algorithm is not explained: no structure found."
    )


def test_no_keys_and_saturated_tables_are_no_findings() -> None:
    empty = {**TABLE, "key_frequencies": [], "energy_in_keys": 0.0}
    full = {**TABLE, "saturated": True}
    told = sentences(document(embedding=empty, readout=full))
    assert told[1] == "W_E has no key frequency above its permutation null."
    assert told[2].startswith("W_L is saturated")


def test_lines_are_told_apart_from_circles() -> None:
    shapes = [
        {"frequency": 3, "shape": "circle"},
        {"frequency": 10, "shape": "line"},
        {"frequency": 5, "shape": "line", "forced": True},
    ]
    told = sentences(document(logits={"key_shapes": shapes}))
    assert told[3] == (
        "In the logits the keys are 1 circle (3), 1 line (10) and 1 line that the operation "
        "forces (5); a line is a standing wave, cos θ_s·cos θ_c."
    )


def test_a_harmonic_that_is_a_line_is_no_shape_of_the_network() -> None:
    shapes = [
        {"frequency": 41, "shape": "circle", "major": 11.57},
        {"frequency": 28, "shape": "line", "major": 0.0124, "harmonic_of": 41},
    ]
    told = sentences(document(logits={"key_shapes": shapes}))
    assert told[3:5] == [
        "In the logits every key is a circle, cos(θ_s − θ_c).",
        "Beside them the harmonic 28, an amplitude of 0.012; the largest key has 11.6.",
    ]


def test_the_formula_that_answers_better_is_named() -> None:
    form = {"agreement": 0.5, "numbers": 1, "ellipse": {"agreement": 0.9, "numbers": 6}}
    assert sentences(document(closed_form=form))[-1] == (
        "A formula with 1 number, one amplitude per key, gives 50% of its answers; the nearest "
        "answer on the keys' ellipses, 6 numbers, 90%."
    )


def test_the_verdict_names_what_is_lacking() -> None:
    claims = [
        {"name": "sparse", "decisive": True, "verdict": "fails"},
        {"name": "nice", "decisive": False, "verdict": "fails"},
        {"name": "causal", "decisive": True, "verdict": "holds"},
    ]
    assert one_sentence(document(claims=claims, verdict="partly")) == (
        "The algorithm is partly explained: x + y is addition mod 97, on 2 families of key "
        "frequencies; not shown: sparse."
    )


def test_an_unknown_algorithm_is_not_told() -> None:
    assert algorithm_in_words(document()) == ""
    known = {"kind": "clock", "circularity": 0.999, "distance_irrelevance": None}
    assert algorithm_in_words(document(algorithm=known)) == "clock: circularity 0.99"
