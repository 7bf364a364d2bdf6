from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from grokscope.measures.grokking import thin
from grokscope.reports.figures.figure import colours
from grokscope.reports.record import Curve, summarise, thin_band


def curve(steps: list[int], values: list[float]) -> Curve:
    return Curve(np.array(steps), np.array(values, float))


def test_a_seed_that_stopped_keeps_its_last_value() -> None:
    summary = summarise({0: curve([0, 50], [0.0, 1.0]), 1: curve([0, 50, 100], [0.0, 0.2, 0.4])})
    assert_array_equal(summary.steps, [0, 50, 100])
    assert_array_equal(summary.values, [[0, 1, 1], [0, 0.2, 0.4]])
    assert_array_equal(summary.median, [0, 0.6, 0.7])
    assert_array_equal(summary.low, [0, 0.2, 0.4])
    assert_array_equal(summary.high, [0, 1, 1])


def test_nothing_is_invented_before_the_first_value_or_for_an_undefined_one() -> None:
    summary = summarise({0: curve([50], [1.0]), 1: curve([0, 50], [np.nan, 3.0])})
    assert_array_equal(summary.median, [np.nan, 2.0])


@given(
    st.lists(st.floats(0, 1) | st.just(np.nan), max_size=200),
    st.integers(1, 20),
)
def test_thinning_keeps_ends_and_extremes_and_only_defined_points(values, buckets) -> None:
    values = np.array(values, float)
    kept = thin(values, buckets)
    known = np.flatnonzero(~np.isnan(values))
    assert len(kept) <= 3 * buckets + 2
    assert set(kept) <= set(known)
    assert (np.diff(kept) > 0).all()
    if len(known):
        assert {known[0], known[-1]} <= set(kept)
        assert values[kept].max() == values[known].max()
        assert values[kept].min() == values[known].min()


def test_one_spike_in_a_long_curve_is_drawn() -> None:
    values = np.zeros(10_000)
    values[4321] = 1.0
    assert 4321 in thin(values, 20)


def test_the_beginning_is_drawn_for_a_logarithmic_axis() -> None:
    kept = thin(np.arange(10_000.0), 40)
    # evenly thinned, there would be 1 of the first 100
    assert (kept < 10).sum() >= 7
    assert (kept < 100).sum() >= 15
    assert (np.diff(kept[kept < 10]) <= 2).all()


def test_the_band_goes_from_the_least_to_the_largest_seed() -> None:
    rng = np.random.default_rng(0)
    steps = list(range(0, 25_000, 50))
    summary = summarise({s: curve(steps, rng.random(500).tolist()) for s in range(3)})
    band = thin_band(summary, 20)
    assert len(band) < 130
    assert (band[0][0], band[-1][0]) == (0, 24_950)
    for step, low, high in band:
        column = summary.values[:, step // 50].tolist()
        assert (low, high) == (min(column), max(column))
    assert min(low for _, low, _ in band) == summary.values.min()
    assert max(high for *_, high in band) == summary.values.max()


def test_no_values_give_no_band() -> None:
    assert thin_band(summarise({0: curve([0], [np.nan])}), 5) == []


def test_few_curves_have_the_colours_of_the_page_and_many_their_own() -> None:
    few: Any = colours("by", ["a", "b", "c", "d"], "by", ordered=False).to_dict()
    assert few["scale"] == {"domain": ["a", "b", "c", "d"]}
    many: Any = colours("by", list("abcde"), "by", ordered=False).to_dict()
    assert len(set(many["scale"]["range"])) == 5
