"""A share below 1 is never shown as 1, and never as less than it rounds to."""

import math

import numpy as np
import pytest

from grokscope.explanation.sentences import number_in_words, share_in_words
from grokscope.paper.block import paper_percent
from grokscope.rounding import share_in_digits, share_in_percent


@pytest.mark.parametrize(
    ("share", "digits", "percent"),
    [
        (0.0, "0.00", "0.0%"),
        (0.5, "0.50", "50.0%"),
        (np.float32(0.7), "0.70", "70.0%"),
        (0.994, "0.99", "99.4%"),
        (0.999, "0.999", "99.9%"),
        (0.9996, "0.9996", "99.96%"),
        (1 - 1 / 1009**2, "0.999999", "99.9999%"),
        (1 - 1e-9, "1.00", "100.0%"),
        (1.0, "1.00", "100.0%"),
    ],
)
def test_shares_near_1(share: float, digits: str, percent: str) -> None:
    assert share_in_digits(share) == digits
    assert share_in_percent(share) == percent


def test_what_is_no_number_is_said() -> None:
    assert share_in_percent(math.nan) == "undefined"


def test_explanations_and_pages_of_the_paper_round_alike() -> None:
    assert number_in_words(0.999) == "0.999"
    assert number_in_words(-0.001) == "0.00"
    assert share_in_words(0.99996) == "99.996%"
    assert share_in_words(0.5) == "50%"
    assert paper_percent(0.9997) == "99.97%"
    assert paper_percent(0.0812) == "8.12%"
