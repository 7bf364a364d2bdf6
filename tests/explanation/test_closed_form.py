"""Formulas with a few numbers, on logits that are such formulas, and against a search."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.logit_waves import clock_formula, ellipse_formula
from grokscope.explanation.network import NetworkInBasis

P = 23


def given(about: NetworkInBasis, logits: np.ndarray) -> NetworkInBasis:
    about.__dict__["logits"] = logits.astype(np.float32)
    return about


def clock_of(structure: object, amplitudes: dict[int, float]) -> np.ndarray:
    """Σ_k α_k Σ over the sums s with g(s) = c of cos(2πk(u + v − s)/n), term by term."""
    u, v, g, n = (getattr(structure, name) for name in "uvgn")
    p = len(u)
    logits = np.zeros((p, p, p))
    for k, amplitude in amplitudes.items():
        for s in range(n):
            if g[s] >= 0:
                turned = u[:, None] + v[None] - s
                logits[:, :, g[s]] += amplitude * np.cos(2 * np.pi * k * turned / n)
    return logits


@pytest.mark.parametrize(
    ("name", "p"),
    [
        ("x + y", P),
        ("x - y", P),
        ("x*y", P),
        ("x^2 + y^2", 13),
        ("2x + 3y", 11),
        ("(x + y)^2", P),
    ],
)
def test_logits_that_are_a_clock_are_reproduced(
    network: Callable, known_structure: Callable, in_basis: Callable, name: str, p: int
) -> None:
    structure = known_structure(name, p)
    amplitudes = {2: 5.0, 3: 1.0, 5: 2.0}
    # what is the same for all answers of a pair says nothing
    shift = np.random.default_rng(0).normal(size=(p, p, 1))
    about = given(in_basis(network(p=p), structure), clock_of(structure, amplitudes) + shift)
    found = clock_formula(about, (2, 3, 5))
    assert found.numbers == 3
    assert_allclose((found.agreement, found.variance_explained), 1, atol=1e-6)
    less = clock_formula(about, (2, 5))
    assert less.numbers == 2
    assert 0.9 < less.variance_explained < 0.995


def test_a_formula_without_keys_says_nothing(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x + y", P)
    about = given(in_basis(network(p=P), structure), clock_of(structure, {2: 1.0}))
    found = clock_formula(about, ())
    assert found.numbers == 0
    assert_allclose((found.accuracy, found.variance_explained), (1 / P, 0), atol=1e-12)


def test_a_network_that_errs_is_followed_in_its_errors(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x + y", P)
    logits = np.roll(clock_of(structure, {2: 1.0, 7: 1.0}), 1, axis=2)
    about = given(in_basis(network(p=P), structure), logits)
    found = ellipse_formula(about, (2, 7))
    assert found.accuracy < 0.5
    # the clock of its own phase would be right, and so does not agree
    clock = clock_formula(about, (2, 7))
    assert clock.agreement < 0.5


def nearest(amplitudes: dict[int, tuple[float, float]], s: int) -> int:
    """The answer whose point on all ellipses is nearest to that of the sum."""

    def point(t: int) -> np.ndarray:
        return np.array(
            [
                np.sqrt(a) * f(2 * np.pi * k * t / P)
                for k, (of_cos, of_sin) in amplitudes.items()
                for a, f in ((of_cos, np.cos), (of_sin, np.sin))
            ]
        )

    distances = [np.sum((point(s) - point(c)) ** 2) for c in range(P)]
    return int(np.argmin(distances))


@pytest.mark.parametrize(
    "amplitudes",
    [
        {2: (3.0, 3.0), 5: (1.0, 1.0)},
        {2: (3.0, 1.0), 5: (2.0, 0.5), 9: (1.0, 4.0)},
        {3: (1.0, 0.0), 7: (0.0, 2.0)},
    ],
)
def test_on_ellipses_it_is_the_nearest_answer(
    network: Callable,
    known_structure: Callable,
    in_basis: Callable,
    amplitudes: dict[int, tuple[float, float]],
) -> None:
    s, c = np.ogrid[:P, :P]
    by_sum = sum(
        a * np.cos(2 * np.pi * k * s / P) * np.cos(2 * np.pi * k * c / P)
        + b * np.sin(2 * np.pi * k * s / P) * np.sin(2 * np.pi * k * c / P)
        for k, (a, b) in amplitudes.items()
    )
    bias = sum(
        -0.5 * (a * np.cos(2 * np.pi * k * c / P) ** 2 + b * np.sin(2 * np.pi * k * c / P) ** 2)
        for k, (a, b) in amplitudes.items()
    )
    sums = (np.arange(P)[:, None] + np.arange(P)) % P
    about = in_basis(network(p=P), known_structure("x + y", P))
    given(about, (np.asarray(by_sum) + bias)[sums])
    searched = np.array([nearest(amplitudes, t) for t in range(P)])
    assert (searched == np.arange(P)).all()
    assert (about.logits.argmax(axis=2) == searched[sums]).all()
    keys = tuple(amplitudes)
    found = ellipse_formula(about, keys)
    assert (found.agreement, found.accuracy, found.numbers) == (1, 1, 3 * len(keys))
    assert_allclose(found.variance_explained, 1, atol=1e-5)
    plain = ellipse_formula(about, keys, bias=False)
    if all(a == b for a, b in amplitudes.values()):
        assert_allclose(plain.variance_explained, 1, atol=1e-5)
    else:
        assert plain.accuracy < 1
        assert plain.variance_explained < 0.999


def test_logits_of_nothing_have_no_variance_to_explain(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    about = given(in_basis(network(p=P), known_structure("x + y", P)), np.zeros((P, P, P)))
    for form in (clock_formula, ellipse_formula):
        assert form(about, (2, 3)).variance_explained == 0
