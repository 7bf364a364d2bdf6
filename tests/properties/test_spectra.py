"""What holds of every table: Parseval, and which changes of a table the measures do not see."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.fourier.characters import additive_basis
from grokscope.fourier.spectrum import spectrum
from grokscope.fourier.waves import n_frequencies
from grokscope.measures import MEASURES

periods = st.integers(4, 40)
seeds = st.integers(0, 2**32 - 1)
ETA = 0.5
JOINT_ONLY = ("kfs", "gini", "ipr")


def draw_table(n, seed, columns=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, columns)) * rng.gamma(0.5, size=(n, 1)), rng


def measures(table, keys=tuple(MEASURES)):
    known = spectrum(table)
    return {key: float(MEASURES[key].of(known, ETA)) for key in keys}


def away_from_threshold(table):
    """Whether no norm is so close to η times the largest that round-off could move it across."""
    shares = [norm / norm.max() for norm in (*spectrum(table).norms, spectrum(table).joint)]
    return all(abs(share - ETA).min() > 1e-9 for share in shares)


def assert_unseen(before, after, keys=tuple(MEASURES)):
    if not away_from_threshold(before):
        keys = [key for key in keys if not MEASURES[key].uses_eta]
    assert measures(after, keys) == pytest.approx(measures(before, keys), rel=1e-6, abs=1e-9)


@given(n=st.integers(1, 120))
def test_basis_is_orthonormal(n):
    basis = additive_basis(n)
    np.testing.assert_allclose(basis @ basis.T, np.eye(n), atol=1e-12)


@given(n=st.integers(2, 60), columns=st.integers(1, 5), seed=seeds)
def test_parseval(n, columns, seed):
    table, _ = draw_table(n, seed, columns)
    found = spectrum(table)
    assert len(found.cos_norm) == len(found.sin_norm) == n_frequencies(n)
    energy = ((table - table.mean(axis=0)) ** 2).sum()
    assert (found.joint**2).sum() == pytest.approx(energy, rel=1e-9)


@given(n=periods, seed=seeds)
def test_rotating_columns_is_not_seen(n, seed):
    table, rng = draw_table(n, seed)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert_unseen(table, table @ rotation)


@given(n=periods, seed=seeds)
def test_a_constant_row_and_empty_columns_are_not_seen(n, seed):
    table, rng = draw_table(n, seed)
    shifted = table + rng.normal(size=(1, 3))
    assert_unseen(table, np.column_stack([shifted, np.zeros((n, 2))]))


@given(n=periods, seed=seeds, exponent=st.integers(-200, 200))
def test_scale_is_not_seen(n, seed, exponent):
    table, _ = draw_table(n, seed)
    assert_unseen(table, table * 10.0**exponent)


@given(n=periods, a=st.integers(1, 39), seed=seeds)
def test_relabelling_by_a_unit_moves_frequencies_whole(n, a, seed):
    """W[a·x] holds at k what W holds at k/a, folded to 1 … ⌊n/2⌋: cosines stay cosines."""
    if math.gcd(a, n) > 1:
        a = n - 1
    table, _ = draw_table(n, seed)
    relabelled = table[a * np.arange(n) % n]
    k = np.arange(1, n // 2 + 1)
    image = np.minimum(a * k % n, -a * k % n)
    before, after = spectrum(table), spectrum(relabelled)
    np.testing.assert_allclose(after.cos_norm[image - 1], before.cos_norm, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(after.sin_norm[image - 1], before.sin_norm, rtol=1e-7, atol=1e-12)
    assert_unseen(table, relabelled)


@given(n=periods, b=st.integers(1, 39), seed=seeds)
def test_shifting_residues_keeps_joint_norms(n, b, seed):
    """W[x + b] turns cosine into sine, so only measures of the joint norm do not see it."""
    table, _ = draw_table(n, seed)
    shifted = np.roll(table, -b, axis=0)
    np.testing.assert_allclose(spectrum(shifted).joint, spectrum(table).joint, rtol=1e-7)
    assert_unseen(table, shifted, JOINT_ONLY)


def test_shifting_residues_is_seen_by_ffs_and_fcr():
    cosine = np.cos(2 * np.pi * np.arange(8) / 8)[:, None]
    before, after = measures(cosine), measures(np.roll(cosine, 1, axis=0))
    assert (before["ffs"], after["ffs"]) == pytest.approx((1 / 7, 2 / 7))
    assert (before["fcr"], after["fcr"]) == pytest.approx((0, 1))


@given(n=periods, seed=seeds)
def test_measures_keep_to_their_ranges(n, seed):
    table, _ = draw_table(n, seed)
    found = measures(table)
    m = n // 2
    assert 2 / (n - 1) <= found["ffs"] <= 1
    assert 1 / m <= found["kfs"] <= 1
    assert 0 <= found["fcr"] <= 1
    assert 0 <= found["gini"] <= 1 - 1 / m
    assert 1 - 1e-12 <= found["ipr"] <= m + 1e-9
