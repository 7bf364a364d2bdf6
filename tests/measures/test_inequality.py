"""Gini and participation on spectra whose values are known in closed form."""

import numpy as np
import pytest

from grokscope.fourier.spectrum import Spectrum
from grokscope.measures import gini, participation


@pytest.mark.parametrize("n", [7, 8, 96, 97])
def test_one_frequency_is_the_extreme(n):
    table = np.cos(2 * np.pi * 2 * np.arange(n) / n)[:, None]
    assert gini(table) == pytest.approx(1 - 1 / (n // 2))
    assert participation(table) == pytest.approx(1)


@pytest.mark.parametrize("n", [7, 8])
def test_equal_frequencies_are_the_other_extreme(n):
    equal = Spectrum.of_norms(np.full(n // 2, 3.0), np.full(n // 2, 4.0), n)
    assert gini(equal) == pytest.approx(0)
    assert participation(equal) == pytest.approx(n // 2)


def test_the_identity_has_equal_norms():
    """Each basis vector of an odd period has norm 1, so every frequency has √2."""
    assert gini(np.eye(11)) == pytest.approx(0, abs=1e-12)
    assert participation(np.eye(11)) == pytest.approx(5)


@pytest.mark.parametrize("held", [1, 3, 5])
def test_participation_counts_equal_frequencies(held):
    norms = np.array([2.0] * held + [0.0] * (8 - held))
    spectrum = Spectrum.of_norms(norms, np.zeros(8), 17)
    assert participation(spectrum) == pytest.approx(held)
    assert gini(spectrum) == pytest.approx(1 - held / 8)


def test_norms_are_measured_and_not_their_squares():
    spectrum = Spectrum.of_norms(np.array([1.0, 3.0]), np.zeros(2), 5)
    # joint norms 1, 3: Gini (3 − 1)/(2·4); of the squares it would be (9 − 1)/(2·10)
    assert gini(spectrum) == pytest.approx(1 / 4)
    assert participation(spectrum) == pytest.approx(100 / 82)


@pytest.mark.parametrize("seed", range(5))
def test_a_random_table_is_nearly_equal(seed):
    table = np.random.default_rng(seed).normal(size=(97, 128))
    assert 0.015 < gini(table) < 0.032
    assert 47 < participation(table) < 48


@pytest.mark.parametrize("table", [np.eye(2), np.eye(3), np.zeros((7, 2)), np.ones((7, 2))])
def test_where_nothing_can_be_unequal_the_measures_are_undefined(table):
    assert np.isnan(gini(table))
    assert np.isnan(participation(table))
