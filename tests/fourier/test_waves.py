"""The waves of Z_n against cosines and sines of exact angles."""

import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose

from grokscope.fourier.waves import all_frequencies, complex_waves, n_frequencies, real_waves


def test_waves_are_cosines_and_sines() -> None:
    found = real_waves(np.array([2, -1, 5]), [1, 6], 12)
    for i, u in [(0, 2), (2, 5)]:
        for j, k in enumerate([1, 6]):
            angle = 2 * np.pi * k * u / 12
            assert_allclose(found[i, j], [np.cos(angle), np.sin(angle)], atol=1e-14)
    assert (found[1] == 0).all()


@pytest.mark.parametrize("k", [1, 3, 10**9 + 1])
def test_large_angles_lose_no_digits(k: int) -> None:
    u = np.array([0, 1, 88, -1])
    found = complex_waves(u, [k], 97)[:, 0]
    for value, element in zip(found[:3], u.tolist(), strict=False):
        exact = complex(sympy.exp(2 * sympy.pi * sympy.I * k * element / 97).evalf(20))
        assert_allclose(value, exact, atol=1e-15)
    assert found[3] == 0


@pytest.mark.parametrize("n", [1, 2, 7, 12])
def test_frequencies_go_up_to_half_of_the_order(n: int) -> None:
    assert all_frequencies(n) == tuple(range(1, n_frequencies(n) + 1))
    assert n_frequencies(n) == n // 2
