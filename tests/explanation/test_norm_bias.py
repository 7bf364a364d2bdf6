"""The bias that answers on ellipses need: predicted from the shapes, and put in place."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.ablation import norm_bias, repair_logits
from grokscope.explanation.network import NetworkInBasis

P = 23
AMPLITUDES = {2: (3.0, 0.0), 5: (0.0, 2.0), 9: (2.0, 0.5)}


def waves(values: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    return {
        k: (np.cos(2 * np.pi * k * values / P), np.sin(2 * np.pi * k * values / P))
        for k in AMPLITUDES
    }


def squared_norm() -> np.ndarray:
    """a cos² + b sin² of every key at every answer."""
    answers = waves(np.arange(P))
    return sum(
        (a * answers[k][0] ** 2 + b * answers[k][1] ** 2 for k, (a, b) in AMPLITUDES.items()),
        np.zeros(P),
    )


@pytest.fixture(scope="module")
def lines(network: Callable, known_structure: Callable, in_basis: Callable) -> NetworkInBasis:
    """Standing waves and an ellipse, with the bias that makes the nearest answer win."""
    about = in_basis(network(p=P), known_structure("x + y", P))
    sums = waves((np.arange(P)[:, None] + np.arange(P)) % P)
    answers = waves(np.arange(P))
    logits = np.zeros((P, P, P)) - squared_norm() / 2
    for k, (a, b) in AMPLITUDES.items():
        for amplitude, i in ((a, 0), (b, 1)):
            logits = logits + amplitude * sums[k][i][:, :, None] * answers[k][i]
    about.__dict__["logits"] = logits.astype(np.float32)
    return about


def test_it_is_minus_half_the_squared_norm(lines: NetworkInBasis) -> None:
    found = norm_bias(lines, list(AMPLITUDES))
    expected = -squared_norm() / 2
    assert_allclose(found - found.mean(), expected - expected.mean(), atol=1e-5)


def test_the_predicted_bias_restores_what_keeping_the_keys_lost(lines: NetworkInBasis) -> None:
    assert lines.full.accuracy.all == 1
    keys = list(AMPLITUDES)
    found = repair_logits(lines, keys, keys, draws=5)
    assert found.predicted.accuracy.all == 1
    assert found.permuted.accuracy.all < 0.9
    assert found.predicted.loss.all < found.permuted.loss.all


def test_on_circles_no_answer_is_favoured(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    about = in_basis(network(p=P), known_structure("x + y", P))
    x, y, c = np.ogrid[:P, :P, :P]
    clock = sum(np.cos(2 * np.pi * k * (x + y - c) / P) for k in (2, 5))
    about.__dict__["logits"] = np.asarray(clock, np.float32)
    found = norm_bias(about, [2, 5])
    assert_allclose(found, found[0], atol=1e-5)
    repaired = repair_logits(about, [2, 5], [2, 5], draws=3)
    assert repaired.permuted.accuracy.all == repaired.predicted.accuracy.all == 1


def test_answers_that_never_come_have_no_bias(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    about = in_basis(network(p=11), known_structure("(x + y)^2", 11))
    found = norm_bias(about, [2, 3])
    squares = {c * c % 11 for c in range(11)}
    assert_allclose(found[[c for c in range(11) if c not in squares]], 0)
    assert np.abs(found[sorted(squares)]).min() > 0
    assert_allclose(norm_bias(about, []), 0)
