"""The permutation null against a plain loop, and its level on tables without structure."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.null import permutation_null
from grokscope.fourier.characters import Characters, pulled_back


def shares(table: np.ndarray, characters: Characters) -> list[list[float]]:
    """Energy of each part and frequency over the energy beyond the constant, by least squares."""
    centred = table - table.mean(axis=0)
    return [
        [float(np.sum((plane.T @ centred) ** 2) / np.sum(centred**2)) for plane in part]
        for part in characters.parts
    ]


@pytest.mark.parametrize(
    "coordinates", [[np.arange(9)], [2 * np.arange(11) % 11, 3 * np.arange(11) % 11]]
)
def test_it_is_what_a_loop_over_permutations_finds(coordinates: list[np.ndarray]) -> None:
    p = len(coordinates[0])
    characters = pulled_back(coordinates, p)
    table = np.random.default_rng(1).normal(size=(p, 5)) * np.arange(1, 6)
    null = permutation_null(table, characters, draws=60)
    rng, largest, two = np.random.default_rng(0), [], []
    for _ in range(60):
        found = np.array(shares(table[rng.permutation(p)], characters))
        largest.append(found.max())
        two.append(np.sort(found.sum(axis=0))[-2:].sum())
    assert_allclose(null.threshold, np.quantile(largest, 0.99))
    assert_allclose(null.strongest[1], min(1, np.quantile(np.minimum(two, 1), 0.99)))
    assert null.draws == 60


def test_other_bases_that_were_tried_raise_the_threshold() -> None:
    table = np.random.default_rng(1).normal(size=(13, 3))
    plain = pulled_back([np.arange(13)], 13)
    squares = pulled_back([np.arange(13) ** 2 % 13], 13)
    own, both = (permutation_null(table, plain, tried, draws=200) for tried in ([], [squares]))
    other = permutation_null(table, squares, draws=200)
    assert both.threshold >= max(own.threshold, other.threshold)
    assert both.threshold > own.threshold
    assert_allclose(both.strongest, own.strongest)


def test_a_table_of_low_rank_has_a_higher_threshold() -> None:
    rng = np.random.default_rng(2)
    characters = pulled_back([np.arange(31)], 31)
    full = rng.normal(size=(31, 30))
    thin = rng.normal(size=(31, 2)) @ rng.normal(size=(2, 30))
    assert (
        permutation_null(thin, characters, draws=100).threshold
        > permutation_null(full, characters, draws=100).threshold + 0.1
    )


def test_rows_outside_stay_out_of_the_permutations() -> None:
    coordinate = np.array([-1, 0, 1, 3, 2, 4])
    characters = pulled_back([coordinate], 5)
    table = np.random.default_rng(3).normal(size=(6, 2))
    far = table.copy()
    far[0] = 1e6
    a, b = (permutation_null(t, characters, draws=20) for t in (table, far))
    assert_allclose(a.threshold, b.threshold)


def test_a_constant_table_holds_nothing() -> None:
    null = permutation_null(np.ones((7, 3)), pulled_back([np.arange(7)], 7), draws=10)
    assert null.threshold == 0
    assert_allclose(null.strongest, 0)


def test_one_table_in_a_hundred_passes() -> None:
    """Of 300 random tables 3 should have a frequency above their own threshold; 11 are 1e-4."""
    characters = pulled_back([np.arange(13)], 13)
    rng = np.random.default_rng(4)
    passed = 0
    for _ in range(300):
        table = rng.normal(size=(13, 3))
        threshold = permutation_null(table, characters, draws=100).threshold
        passed += max(shares(table, characters)[0]) > threshold
    assert passed <= 11
