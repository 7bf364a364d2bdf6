"""FFS and FCR on tables whose values are known in closed form."""

import numpy as np
import pytest

from grokscope.errors import UsageError
from grokscope.fourier.spectrum import Spectrum, spectrum
from grokscope.measures import (
    fourier_coefficient_ratio,
    fourier_frequency_density,
    fourier_frequency_sparsity,
)

PERIODS = (7, 8, 97, 96)


def waves(n, frequencies):
    """Columns cos and sin for every {frequency: (cosine amplitude, sine amplitude)}."""
    x = np.arange(n)
    columns = []
    for k, (cos, sin) in frequencies.items():
        angle = 2 * np.pi * k * x / n
        columns += [cos * np.cos(angle), sin * np.sin(angle)]
    return np.stack(columns, axis=1)


def multiplicative_waves(p, root, characters):
    """Columns cos and sin of 2πk·log(x)/(p − 1), scaled, for every {k: amplitude}; row 0 is 0."""
    log = {pow(root, e, p): e for e in range(p - 1)}
    table = np.zeros((p, 2 * len(characters)))
    for i, (k, amplitude) in enumerate(characters.items()):
        for x, e in log.items():
            angle = 2 * np.pi * k * e / (p - 1)
            table[x, 2 * i : 2 * i + 2] = amplitude * np.cos(angle), amplitude * np.sin(angle)
    return table


@pytest.mark.parametrize("n", PERIODS)
def test_one_cosine_is_as_sparse_as_can_be(n):
    table = waves(n, {2: (1, 0)})
    assert fourier_frequency_sparsity(table) == pytest.approx(1 / (n - 1))
    assert fourier_coefficient_ratio(table) == 0


@pytest.mark.parametrize("n", PERIODS)
def test_a_circle_has_equal_cosine_and_sine(n):
    table = waves(n, {1: (1, 1), 2: (3, 3)})
    # 1/3 of the largest is under η = 0.5, and over η = 0.3
    assert fourier_frequency_sparsity(table) == pytest.approx(2 / (n - 1))
    assert fourier_frequency_sparsity(table, eta=0.3) == pytest.approx(4 / (n - 1))
    assert fourier_coefficient_ratio(table) == pytest.approx(1)


def test_ratios_are_averaged_over_the_frequencies_that_are_held():
    # ratios 1/2, 1/4 and 0; frequency 4 is not held
    table = waves(9, {1: (1, 2), 2: (4, 1), 3: (1, 0)})
    assert fourier_coefficient_ratio(table) == pytest.approx((1 / 2 + 1 / 4 + 0) / 3)


def test_cosine_and_sine_have_each_their_own_largest():
    # the sines are small beside the cosines and yet both equal the largest sine
    table = waves(11, {1: (10, 0.1), 2: (1, 0.1)})
    assert fourier_frequency_sparsity(table) == pytest.approx(3 / 10)


@pytest.mark.parametrize("n", [8, 96])
def test_a_full_even_spectrum_has_n_minus_1_components(n):
    x = np.arange(n)
    table = waves(n, dict.fromkeys(range(1, n // 2), (1, 0.5)))
    alternating = np.sqrt(0.5) * (-1.0) ** x
    table = np.column_stack([table, alternating])
    assert fourier_frequency_sparsity(table) == pytest.approx(1)
    # the alternating part has no sine and does not lower the mean
    assert fourier_coefficient_ratio(table) == pytest.approx(0.5)


def test_an_alternating_table_has_no_ratio():
    table = np.array([[1.0], [-1.0]] * 4)
    assert fourier_frequency_sparsity(table) == pytest.approx(1 / 7)
    assert np.isnan(fourier_coefficient_ratio(table))


def test_a_multiplicative_character_has_all_additive_frequencies():
    """Gauss sums all have absolute value √p: every frequency is alike, parity gives the bias."""
    even_and_odd = multiplicative_waves(97, 5, {22: 1.0, 47: 0.3})
    found = spectrum(even_and_odd)
    np.testing.assert_allclose(found.cos_norm, np.sqrt(2), rtol=1e-10)
    np.testing.assert_allclose(found.sin_norm, 0.3 * np.sqrt(2), rtol=1e-10)
    assert fourier_frequency_sparsity(even_and_odd) == 1
    assert fourier_coefficient_ratio(even_and_odd) == pytest.approx(0.3)
    even = multiplicative_waves(97, 5, {22: 1.0})
    assert fourier_frequency_sparsity(even) == 0.5
    assert fourier_coefficient_ratio(even) == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_random_table_is_dense_and_unbiased(seed):
    table = np.random.default_rng(seed).normal(size=(97, 128))
    assert fourier_frequency_sparsity(table) == 1
    assert 0.9 < fourier_coefficient_ratio(table) < 0.96


@pytest.mark.parametrize("table", [np.eye(2), np.eye(3), np.zeros((7, 2)), np.ones((7, 2))])
def test_where_nothing_can_be_sparse_the_measures_are_undefined(table):
    assert np.isnan(fourier_frequency_sparsity(table))
    assert np.isnan(fourier_coefficient_ratio(table))


def test_a_known_spectrum_is_not_computed_again():
    norms = Spectrum.of_norms(np.array([4.0, 1.0, 3.0]), np.array([1.0, 0.0, 3.0]), 7)
    assert fourier_frequency_sparsity(norms) == pytest.approx(3 / 6)
    assert fourier_frequency_sparsity(norms, eta=0.2) == pytest.approx(5 / 6)
    assert fourier_coefficient_ratio(norms) == pytest.approx((1 / 4 + 0 + 1) / 3)
    # period 6: five components, and frequency 3 has no ratio
    even = Spectrum.of_norms(norms.cos_norm, np.array([1.0, 0.0, 0.0]), 6)
    assert fourier_frequency_sparsity(even) == pytest.approx(3 / 5)
    assert fourier_coefficient_ratio(even) == pytest.approx((1 / 4 + 0) / 2)


@pytest.mark.parametrize("eta", [0.0, 1.0, -0.5, float("nan")])
def test_a_threshold_outside_0_to_1_is_refused(eta):
    with pytest.raises(UsageError, match=r"eta is not usable; got .*; allowed: a number over 0"):
        fourier_frequency_sparsity(np.eye(5), eta=eta)


def test_density_is_another_name_of_sparsity():
    assert fourier_frequency_density is fourier_frequency_sparsity


def test_a_wrong_shape_is_refused_by_the_annotations():
    with pytest.raises(TypeError, match="table"):
        fourier_frequency_sparsity(np.ones(7))
