import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.errors import UsageError
from grokscope.fourier.spectrum import circle_of, spectrum


def directions(n: int, columns: int) -> np.ndarray:
    """`n` orthonormal rows."""
    return np.linalg.qr(np.random.default_rng(0).normal(size=(columns, n)))[0].T


def clock(p: int, radii: dict[int, float], columns: int = 12) -> np.ndarray:
    """A table that is a sum of perfect circles in planes of their own."""
    axes = directions(2 * len(radii), columns)
    table = np.zeros((p, columns))
    for (k, radius), i in zip(radii.items(), range(0, len(axes), 2), strict=True):
        angle = 2 * np.pi * k * np.arange(p) / p
        table += radius * (np.outer(np.cos(angle), axes[i]) + np.outer(np.sin(angle), axes[i + 1]))
    return table


@pytest.mark.parametrize("p", [11, 12])
def test_a_perfect_circle_comes_back_with_its_radius_and_order(p: int) -> None:
    radii = {3: 2.0, 5: 0.5, 1: 1.0}
    table = clock(p, radii) + directions(1, 12)
    for k, radius in radii.items():
        angle = 2 * np.pi * k * np.arange(p) / p
        expected = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        assert_allclose(circle_of(table, k), expected, atol=1e-12)


def test_the_strongest_come_first_with_their_shares() -> None:
    table = clock(13, {3: 2.0, 5: 0.5, 1: 1.0}) + 7.0
    assert spectrum(table).strongest(2) == [3, 1]
    assert spectrum(table).strongest(99)[:3] == [3, 1, 5]
    expected = np.zeros(6)
    expected[[2, 4, 0]] = np.array([4, 0.25, 1]) / 5.25
    assert_allclose(spectrum(table).shares, expected, atol=1e-12)


def test_the_alternating_frequency_of_an_even_modulus_lies_on_a_line() -> None:
    table = np.outer((-1.0) ** np.arange(8), directions(1, 5)[0])
    points = circle_of(table, 4)
    assert_allclose(points[:, 0], (-1.0) ** np.arange(8), atol=1e-12)
    assert_allclose(points[:, 1], 0, atol=1e-12)


def test_a_table_with_one_column_has_points_too() -> None:
    column = np.cos(2 * np.pi * 2 * np.arange(9) / 9)[:, None]
    points = circle_of(column, 2)
    assert points.shape == (9, 2)
    assert_allclose(points[:, 0], column[:, 0], atol=1e-12)


def test_a_table_of_equal_rows_has_no_shares_and_no_extent() -> None:
    table = np.ones((7, 3))
    assert np.isnan(spectrum(table).shares).all()
    assert_allclose(circle_of(table, 1), 0, atol=1e-12)


@pytest.mark.parametrize("k", [0, 6, -1])
def test_a_frequency_that_is_not_there_is_refused(k: int) -> None:
    with pytest.raises(UsageError, match="no such frequency"):
        circle_of(np.ones((11, 3)), k)
