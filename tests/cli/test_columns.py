"""Tables of plain text: what fits, what is left out, and names that stay different."""

import pytest

from grokscope.cli.terminal import Column, align_columns, fitting, shorten_names

NAMES = ["x+y-p31-r0.6-s0-5f74ec6eaa", "x+y-p31-r0.6-s1-1a72033880"]


def columns() -> list[Column]:
    return [
        Column("run", ["a", "b"]),
        Column("weight decay", ["0.5", "1"], rank=1),
        Column("step", ["100", "2,000"], rank=2, right=True),
        Column("keys", ["1 22 333 4444 55555", "7"], rank=1, elastic=True),
        Column("age", ["1 h", "2 h"], rank=9),
    ]


def test_without_a_width_everything_is_there() -> None:
    lines, lacking = align_columns(columns(), None)
    assert lines == [
        "run  weight decay   step  keys                 age",
        "a    0.5             100  1 22 333 4444 55555  1 h",
        "b    1             2,000  7                    2 h",
    ]
    assert lacking == []


@pytest.mark.parametrize(
    ("width", "left_out"),
    [(30, ["step", "age"]), (32, ["step", "age"]), (40, ["age"]), (48, [])],
)
def test_every_line_fits_and_what_does_not_is_named(width: int, left_out: list[str]) -> None:
    lines, lacking = align_columns(columns(), width)
    assert max(map(len, lines)) <= width
    assert lacking == left_out


def test_titles_of_two_words_are_stacked_and_keys_end_at_a_blank() -> None:
    lines, _ = align_columns(columns(), 30)
    assert lines[:2] == ["     weight", "run  decay   keys"]
    assert lines[2] == "a    0.5     1 22 333 4444…"


def test_where_nothing_may_go_the_lines_are_longer() -> None:
    lines, lacking = align_columns([Column("run", ["a" * 50])], 20)
    assert lines[-1] == "a" * 50
    assert lacking == []


def test_runs_of_a_sweep_are_told_by_their_marks() -> None:
    assert shorten_names(NAMES) == (["…-5f74ec6eaa", "…-1a72033880"], "")


def test_other_names_lose_what_they_share_and_then_their_middle() -> None:
    assert shorten_names(["decay-0.5", "decay-10"]) == (["…0.5", "…10"], "decay-")
    assert shorten_names(["add", "mul"]) == (["add", "mul"], "")
    long = ["a" * 40 + "1" + "b" * 40, "a" * 40 + "2" + "b" * 40]
    found, _ = shorten_names(long)
    assert len(set(found)) == 2
    once, _ = shorten_names([f"begin-{'x' * 60}-end"])
    assert once[0].startswith("begin-")
    assert once[0].endswith("-end")
    assert len(once[0]) == 30
    assert shorten_names(["twice", "twice"]) == (["twice", "twice"], "")
    assert shorten_names([]) == ([], "")


def test_a_text_that_ends_early_ends_at_a_blank() -> None:
    assert fitting("5 11 12", 7) == "5 11 12"
    assert fitting("5 11 12", 6) == "5 11…"
    assert fitting("abcdef", 3) == "…"
