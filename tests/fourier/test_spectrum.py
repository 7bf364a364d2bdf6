"""Spectra of tables whose Fourier coefficients are known, or summed term by term."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from grokscope.errors import UsageError
from grokscope.fourier.spectrum import Spectrum, spectrum


def naive(table):
    """Norms of the coefficients by their definition, one term after another."""
    n, columns = len(table), len(table[0])
    cos_norm, sin_norm = [], []
    for k in range(1, n // 2 + 1):
        for norms, wave in ((cos_norm, math.cos), (sin_norm, math.sin)):
            values = [wave(2 * math.pi * k * x / n) for x in range(n)]
            length = math.sqrt(sum(v * v for v in values))
            sums = [
                sum(values[x] * float(table[x][c]) for x in range(n)) / length
                for c in range(columns)
            ]
            norms.append(math.sqrt(sum(s * s for s in sums)))
    if n % 2 == 0:
        sin_norm[-1] = 0.0
    return cos_norm, sin_norm


@pytest.mark.parametrize("n", [2, 3, 4, 9, 10, 31])
@pytest.mark.parametrize("columns", [1, 4])
def test_norms_are_the_sums_of_the_definition(n, columns):
    table = np.random.default_rng(n).normal(size=(n, columns))
    cos_norm, sin_norm = naive(table)
    found = spectrum(table)
    np.testing.assert_allclose(found.cos_norm, cos_norm, rtol=1e-12)
    np.testing.assert_allclose(found.sin_norm, sin_norm, rtol=1e-12)
    np.testing.assert_allclose(found.joint, np.hypot(cos_norm, sin_norm), rtol=1e-12)


@pytest.mark.parametrize("k", [1, 7, 48])
def test_a_cosine_sits_at_its_frequency_and_nowhere_else(k):
    x = np.arange(97)[:, None]
    direction = np.array([[3.0, 0.0, 4.0]])
    found = spectrum(np.cos(2 * np.pi * k * x / 97) * direction + 100 * direction)
    assert np.flatnonzero(found.cos_norm).tolist() == [k - 1]
    assert found.cos_norm[k - 1] == pytest.approx(5 * math.sqrt(97 / 2))
    assert not found.sin_norm.any()


def test_the_last_frequency_of_an_even_period_has_a_cosine_only():
    found = spectrum(np.array([[1.0], [-1.0]] * 5))
    assert found.cos_norm.tolist() == pytest.approx([0, 0, 0, 0, math.sqrt(10)])
    assert found.sin_norm.tolist() == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("array", [np.asarray, jnp.asarray], ids=["numpy", "jax"])
@pytest.mark.parametrize("p", [97, 1009])
def test_round_off_of_single_precision_is_zero(array, p):
    """Neither a constant table nor a cosine has sines, whatever rounding left in their place."""
    row = np.random.default_rng(0).normal(size=(1, 16))
    constant = spectrum(array((np.ones((p, 1)) * row).astype(np.float32)))
    assert not np.any(constant.joint)
    cosine = np.cos(2 * np.pi * 5 * np.arange(p)[:, None] / p) * row
    assert not np.any(spectrum(array(cosine.astype(np.float32))).sin_norm)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_small_and_large_single_precision_tables_keep_their_shape(scale):
    table = np.random.default_rng(0).normal(size=(11, 3)).astype(np.float32)
    found = spectrum(jnp.asarray(table * np.float32(scale)))
    expected = spectrum(table).joint * scale
    np.testing.assert_allclose(found.joint, expected, rtol=1e-5)


@pytest.mark.parametrize("entry", [np.nan, np.inf, -np.inf])
def test_a_table_with_an_entry_that_is_not_finite_has_no_spectrum(entry):
    table = np.ones((7, 2))
    table[3, 1] = entry
    assert np.isnan(spectrum(table).joint).all()
    assert np.isnan(spectrum(jnp.asarray(table)).joint).all()


def test_a_wrong_shape_is_refused_by_the_annotations():
    with pytest.raises(TypeError, match="table"):
        spectrum(np.ones(7))


def test_a_spectrum_is_a_pair_of_norms():
    found = Spectrum.of_norms(np.array([3.0]), np.array([4.0]), 3)
    assert found.joint == pytest.approx([5.0])
    assert [norm.tolist() for norm in found.norms] == [[3.0], [4.0]]


def test_a_spectrum_shows_its_strongest_frequencies() -> None:
    found = Spectrum.of_norms(np.array([1.0, 0.0, 2.0]), np.array([1.0, 1.0, 1.0]), 7)
    assert found.strongest(2) == [3, 1]
    assert repr(found).endswith("of Z_7; the strongest: k = 3 (62%), k = 1 (25%), k = 2 (12%)")
    assert repr(spectrum(np.ones((7, 2)))) == "Spectrum of 3 frequencies of Z_7"


def test_another_word_for_a_basis_is_refused() -> None:
    word: Any = "x*y"
    with pytest.raises((UsageError, TypeError), match="basis"):
        spectrum(np.eye(7), word)
