"""Logits per sum, their mean over pairs, and the waves that fit them, against plain loops."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.fourier.waves import all_frequencies


@pytest.fixture(params=[("x + y", 7), ("x*y", 11), ("x^2 + y^2", 13), ("(x + y)^2", 11)])
def about(
    request: pytest.FixtureRequest, network: Callable, known_structure: Callable, in_basis: Callable
) -> NetworkInBasis:
    name, p = request.param
    return in_basis(network(p=p), known_structure(name, p))


def pairs(about: NetworkInBasis) -> list[tuple[int, int, int]]:
    """x, y and their sum, of all pairs at which the structure says an answer."""
    structure = about.basis.structure
    return [
        (x, y, int(u + v) % structure.n)
        for x, u in enumerate(structure.u)
        for y, v in enumerate(structure.v)
        if u >= 0 and v >= 0 and structure.g[(u + v) % structure.n] >= 0
    ]


def centred(about: NetworkInBasis) -> np.ndarray:
    """Logits of these pairs, of answers that can come, without their mean over the answers."""
    answers = sorted({int(c) for c in about.basis.structure.g if c >= 0})
    logits = np.array([about.logits[x, y, answers] for x, y, _ in pairs(about)], np.float64)
    return logits - logits.mean(axis=1, keepdims=True)


def test_means_and_bias_are_those_of_a_loop(about: NetworkInBasis) -> None:
    sums, logits = about.sum_logits, centred(about)
    of = np.array([s for _, _, s in pairs(about)])
    for s in range(sums.n):
        assert sums.counts[s] == (of == s).sum()
        expected = logits[of == s].mean(axis=0) if (of == s).any() else np.zeros(logits.shape[1])
        assert_allclose(sums.mean[s], expected, atol=1e-6)
    assert_allclose(sums.bias, logits.mean(axis=0), atol=1e-6)
    assert_allclose(sums.energy, np.sum(logits**2), rtol=1e-6)


@pytest.mark.parametrize("keys", [(1,), (2, 3), (1, 2, 3)])
def test_the_fit_is_that_of_least_squares_over_all_pairs(
    about: NetworkInBasis, keys: tuple[int, ...]
) -> None:
    sums, logits = about.sum_logits, centred(about)
    of = np.array([s for _, _, s in pairs(about)])
    columns = [np.ones(len(of))]
    for k in keys:
        columns += [np.cos(2 * np.pi * k * of / sums.n), np.sin(2 * np.pi * k * of / sums.n)]
    design = np.column_stack(columns)
    expected = design @ np.linalg.lstsq(design, logits, rcond=1e-10)[0]
    found = sums.bias + (sums.waves(keys) @ sums.fit(keys))[of]
    assert_allclose(found, expected, atol=1e-5)


def test_all_frequencies_of_all_sums_leave_nothing(about: NetworkInBasis) -> None:
    sums = about.sum_logits
    every = all_frequencies(sums.n)
    assert every == tuple(range(1, sums.n // 2 + 1))
    found = sums.bias + sums.waves(every) @ sums.fit(every)
    present = sums.counts > 0
    assert_allclose(found[present], sums.mean[present], atol=1e-6)


def test_no_frequencies_have_no_waves(about: NetworkInBasis) -> None:
    sums = about.sum_logits
    assert sums.waves(()).shape == (sums.n, 0)
    assert sums.fit(()).shape == (0, sums.logits.shape[1])
