"""The real Fourier basis against its definition, in exact and in plain arithmetic."""

import math

import numpy as np
import pytest
import sympy

from grokscope.fourier.characters import additive_basis
from grokscope.fourier.waves import n_frequencies


@pytest.mark.parametrize(("n", "count"), [(1, 0), (2, 1), (3, 1), (4, 2), (96, 48), (97, 48)])
def test_frequencies_run_to_half_the_period(n, count):
    assert n_frequencies(n) == count


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 96, 97, 1008, 1009])
def test_columns_are_orthonormal(n):
    basis = additive_basis(n)
    assert basis.shape == (n, n)
    np.testing.assert_allclose(basis.T @ basis, np.eye(n), atol=1e-13)


@pytest.mark.parametrize("n", [5, 6])
def test_columns_are_the_symbolic_cosines_and_sines(n):
    for k in range(1, n // 2 + 1):
        for name, column in (("cos", 2 * k - 1), ("sin", 2 * k)):
            if column == n:
                continue  # the sine at n/2 does not exist
            exact = [getattr(sympy, name)(2 * sympy.pi * k * x / n) for x in range(n)]
            norm = sympy.sqrt(sum(value**2 for value in exact))
            np.testing.assert_allclose(
                additive_basis(n)[:, column], [float(value / norm) for value in exact], atol=1e-15
            )


def test_an_even_period_ends_with_the_alternating_column():
    np.testing.assert_allclose(additive_basis(6)[:, -1] * math.sqrt(6), [1, -1, 1, -1, 1, -1])
    np.testing.assert_allclose(additive_basis(2) * math.sqrt(2), [[1, 1], [1, -1]])


def test_a_cached_basis_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        additive_basis(5)[0, 0] = 2
