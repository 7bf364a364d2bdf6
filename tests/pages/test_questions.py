"""docs/questions.md follows from its numbers, and given pairs are those that need no computing."""

from pathlib import Path

import numpy as np
import pytest
from docs import questions

from grokscope.tasks import Task, parse

ROOT = Path(__file__).parents[2]


def test_the_page_says_what_the_numbers_say() -> None:
    text = (ROOT / "docs" / "questions.md").read_text()
    assert text == questions.page(), "run `python -m docs.questions`"
    for name in questions.QUESTIONS:
        assert (questions.SWEEPS / f"{name}.toml").exists()


@pytest.mark.parametrize(
    ("operation", "p", "pair", "known"),
    [
        ("x^3 + 2*y", 31, (1, 4), {(1, 4), (5, 4), (25, 4)}),  # 5 and 25 are cube roots of 1
        ("x^3 + 2*y", 29, (1, 4), {(1, 4)}),
        ("x^2 + x*y + y^2", 31, (1, 4), {(1, 4), (4, 1)}),
        ("x + y", 31, (1, 4), {(1, 4), (4, 1)}),
    ],
)
def test_a_pair_gives_those_with_its_coordinates(
    operation: str, p: int, pair: tuple[int, int], known: set[tuple[int, int]]
) -> None:
    train = np.zeros((p, p), bool)
    train[pair] = True
    found = questions.given(Task((parse(operation),), p), train)
    assert {(int(x), int(y)) for x, y in zip(*np.nonzero(found), strict=True)} == known


def test_settings_have_n_and_spread() -> None:
    row = {
        "question": "q",
        "operation": "x + y",
        "p": "31",
        "train_fraction": "0.5",
        "grokked_at": "",
        "steps": "10000",
        **dict.fromkeys(("test", "given", "of_given", "alike"), "0.5"),
        "of_others": "",
    }
    (found,) = questions.settings([row, row | {"grokked_at": "700", "test": "1.0"}])
    assert (found["n"], found["grokked"], found["at"]) == (2, 1, "700 (700 to 700)")
    assert (found["test"], found["of_others"]) == ("75% (50 to 100)", "")
