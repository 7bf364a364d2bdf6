"""Label statistics of real splits: what can be known of them by counting on paper."""

import math

import numpy as np
import pytest

from grokscope.measures.label_statistics import chance_divergence
from grokscope.paper.labels import STATISTICS, label_rows, separations
from grokscope.paper.tables import table_a5


def test_addition_is_uniform_and_diverges_as_much_as_chance() -> None:
    (row,) = label_rows(["x + y"], [0.3], range(40), 31)
    assert (row["labels"], row["seeds"], row["n_train"], row["n_test"]) == (31, 40, 288, 673)
    assert row["kl"] == pytest.approx(chance_divergence(31, 288, 673), rel=0.1)
    assert math.log(31) - 0.1 < row["entropy_train"] < row["entropy_test"] < math.log(31)


def test_relabelling_changes_nothing() -> None:
    # for p = 31, s → s^7 is a permutation of the answers, since gcd(7, 30) = 1
    plain, power = label_rows(["x + y", "(x + y)^7"], [0.5], range(3), 31)
    for key in STATISTICS:
        assert power[key] == pytest.approx(plain[key], rel=1e-12)


def test_squares_have_half_of_the_answers() -> None:
    (row,) = label_rows(["(x + y)^2"], [0.4], range(2), 31)
    assert row["labels"] == 16


def test_a_rare_answer_makes_the_divergence_undefined() -> None:
    # x^2·y^2 = 0 has many pairs, but x^30 + y^30 = 0 only (0, 0): where it trains, it never tests
    (row,) = label_rows(["x^30 + y^30"], [0.9], range(20), 31)
    assert row["labels"] == 3
    assert 0 < row["kl_undefined"] <= 20


def test_labels_that_know_the_outcome_separate_and_others_do_not() -> None:
    rng = np.random.default_rng(0)
    rows = []
    for operation, row in table_a5().items():
        outcome = float(row.cells[0.3].grokked)
        rows.append(
            {
                "operation": operation,
                "train_fraction": 0.3,
                "kl": 1 - outcome,
                "entropy_train": outcome,
                "entropy_test": rng.normal(),
            }
        )
    found = {s.statistic: s for s in separations(rows)}
    assert (found["kl"].chance_above, found["entropy_train"].chance_above) == (1, 0)
    assert found["kl"].p_value < 0.001
    assert found["entropy_test"].p_value > 0.05
    assert (found["kl"].grokked, found["kl"].not_grokked) == (22, 13)


def test_nothing_to_separate_where_all_grokked() -> None:
    rows = [
        {
            "operation": op,
            "train_fraction": 0.3,
            "kl": 0.0,
            "entropy_train": 0.0,
            "entropy_test": 0.0,
        }
        for op in ("x + y", "x*y")
    ]
    assert separations(rows) == []
