"""Structures as characters: what a structure says about residues, answers, sums and labels."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.explanation.networks import structure_of

from grokscope.fourier.basis import Basis


@pytest.mark.parametrize(
    ("name", "p", "n", "parts", "answer"),
    [
        ("x + y", 11, 11, 1, lambda x, y: (x + y) % 11),
        ("x - y", 11, 11, 1, lambda x, y: (x - y) % 11),
        ("x*y", 11, 10, 1, lambda x, y: x * y % 11 if x and y else -1),
        ("x^2 + y^2", 13, 13, 1, lambda x, y: (x * x + y * y) % 13),
        ("x^2 - y", 13, 13, 2, lambda x, y: (x * x - y) % 13),
        ("(x + y)^2", 13, 13, 1, lambda x, y: (x + y) ** 2 % 13),
    ],
)
def test_labels_sums_and_bases_of_an_operation(
    name: str, p: int, n: int, parts: int, answer: Callable
) -> None:
    structure = structure_of(name, p)
    basis = Basis(structure)
    assert (basis.n, basis.p) == (n, p)
    assert len(basis.inputs.parts) == parts
    assert basis.inputs.n == basis.answers.n == n
    for x in range(p):
        for y in range(p):
            assert basis.labels[x, y] == answer(x, y)
            assert basis.defined[x, y] == (answer(x, y) >= 0)
            u, v = structure.u[x], structure.v[y]
            assert basis.sums[x, y] == ((u + v) % n if u >= 0 and v >= 0 else -1)
    reached = {answer(x, y) for x in range(p) for y in range(p)} - {-1}
    assert set(np.flatnonzero(basis.answers.inside)) == reached
    assert_allclose(
        basis.answers.free.T @ basis.answers.free, np.eye(1 + p - len(reached)), atol=1e-12
    )
