from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.logits import frequency_pair_norms, logits_over_pairs
from grokscope.models import Model

Make = Callable[..., Model]


def wave(p: int, k: int, sign: int = 1) -> np.ndarray:
    """cos(2πk(x ± y − c)/p) at [x, y, c]."""
    x, y, c = np.ogrid[:p, :p, :p]
    return np.cos(2 * np.pi * k * (x + sign * y - c) / p)


@pytest.mark.parametrize(("layers", "task"), [(1, 0), (1, 1), (2, 0)])
def test_logits_agree_with_a_loop_over_pairs(
    network: Make, one_pass: Callable, layers: int, task: int
) -> None:
    model = network(layers=layers, n_tasks=2)
    logits = logits_over_pairs(model, task)
    assert logits.shape == (7, 7, 7)
    for x, y in [(0, 0), (2, 5), (5, 2), (6, 6)]:
        assert_allclose(
            logits[x, y], one_pass(model, [x, 7 + task, y]).logits, rtol=1e-3, atol=1e-3
        )


@pytest.mark.parametrize("p", [7, 11, 12])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("k", [1, 3])
def test_a_clock_has_four_equal_modes(p: int, sign: int, k: int) -> None:
    # cos w(x + y − c) = (cos cos − sin sin) cos wc + (sin cos + cos sin) sin wc: four products of
    # unit waves with coefficient p/2, times the norm √(p/2) of a wave over the answers
    norms = frequency_pair_norms(wave(p, k, sign))
    expected = np.zeros((p, p))
    expected[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1] = (p / 2) ** 1.5
    assert_allclose(norms, expected, atol=1e-9)


def test_modes_of_x_come_first_and_a_wave_of_y_alone_is_in_the_first_row() -> None:
    y, c = np.arange(9)[:, None], np.arange(9)
    logits = np.broadcast_to(np.sin(2 * np.pi * 2 * y / 9) * (c == 4), (9, 9, 9))
    norms = frequency_pair_norms(logits)
    # sine of frequency 2 in y, constant in x
    assert np.unravel_index(norms.argmax(), norms.shape) == (0, 4)
    # √9 · √(9/2) times the norm of one answer among nine without its mean
    assert_allclose(norms[0, 4], 3 * np.sqrt(4.5) * np.sqrt(8 / 9))
    assert_allclose(np.delete(norms.ravel(), 4), 0, atol=1e-12)


@pytest.mark.parametrize("p", [5, 8])
def test_norms_keep_all_that_a_probability_depends_on(p: int) -> None:
    logits = np.random.default_rng(0).normal(size=(p, p, p))
    centred = logits - logits.mean(axis=2, keepdims=True)
    norms = frequency_pair_norms(logits)
    assert_allclose((norms**2).sum(), (centred**2).sum())
    shifted = logits + np.random.default_rng(1).normal(size=(p, p, 1))
    assert_allclose(frequency_pair_norms(shifted), norms)


def test_shorter_floats_are_accepted() -> None:
    logits = wave(7, 2)
    assert_allclose(
        frequency_pair_norms(logits.astype(np.float32)), frequency_pair_norms(logits), atol=1e-5
    )
