"""Shapes of keys, the bias that they need, and the formula of them all, on logits by formula."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.ablation import repair_logits
from grokscope.explanation.ellipse import ellipse_formula, norm_bias
from grokscope.explanation.formulas import answer_waves, clock, clock_formula, key_shapes
from grokscope.explanation.in_basis import NetworkInBasis

P = 23


@pytest.fixture
def blank(network: Callable, known_structure: Callable, in_basis: Callable) -> Callable:
    """A network whose logits are given."""

    def of(logits: np.ndarray, name: str = "x + y", p: int = P) -> NetworkInBasis:
        about = in_basis(network(p=p), known_structure(name, p))
        about.__dict__["logits"] = logits.astype(np.float32)
        return about

    return of


def written(blocks: dict[int, np.ndarray]) -> np.ndarray:
    """Σ_k (cos, sin)(x + y)·block·(cos, sin)(c)."""
    x, y, c = np.ogrid[:P, :P, :P]
    total = np.zeros((P, P, P))
    for k, block in blocks.items():
        w = 2 * np.pi * k / P
        for i, of_sum in enumerate((np.cos, np.sin)):
            for j, of_answer in enumerate((np.cos, np.sin)):
                total = total + block[i, j] * of_sum(w * (x + y)) * of_answer(w * c)
    return total


def test_a_block_comes_back_with_its_amplitudes_and_shape(blank: Callable) -> None:
    turn = np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    blocks = {2: np.eye(2) * 3, 5: turn @ np.diag([4.0, 2.0]) @ turn.T, 9: np.diag([5.0, 0.0])}
    found = key_shapes(blank(written(blocks)), [2, 5, 9])
    assert [shape.shape for shape in found] == ["circle", "ellipse", "line"]
    for shape, k in zip(found, blocks, strict=True):
        assert shape.frequency == k
        assert_allclose(shape.block, blocks[k], atol=1e-5)
    assert_allclose([(s.major, s.minor) for s in found], [(3, 3), (4, 2), (5, 0)], atol=1e-5)
    assert_allclose([s.roundness for s in found], [1, 0.5, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("minor", "shape"), [(0.67, "circle"), (0.66, "ellipse"), (0.26, "ellipse"), (0.24, "line")]
)
def test_where_a_circle_ends_and_a_line_begins(blank: Callable, minor: float, shape: str) -> None:
    assert key_shapes(blank(written({4: np.diag([minor, 1.0])})), [4])[0].shape == shape


def test_a_shift_of_the_answers_is_still_a_circle(blank: Callable) -> None:
    x, y, c = np.ogrid[:P, :P, :P]
    shifted = np.cos(2 * np.pi * 3 * (x + y - c - 4) / P) + 0 * x
    (found,) = key_shapes(blank(shifted), [3])
    assert_allclose((found.major, found.minor), (1, 1), atol=1e-5)


def test_without_keys_or_logits_there_is_nothing(blank: Callable) -> None:
    about = blank(np.zeros((P, P, P)))
    assert key_shapes(about, []) == []
    (empty,) = key_shapes(about, [3])
    assert (empty.major, empty.roundness, empty.shape) == (0.0, 0.0, "line")


@pytest.mark.parametrize(("name", "p"), [("x + y", 7), ("x*y", 11), ("(x + y)^2", 11)])
def test_waves_of_answers_are_means_over_their_sums(
    network: Callable, known_structure: Callable, in_basis: Callable, name: str, p: int
) -> None:
    about = in_basis(network(p=p), known_structure(name, p))
    g, n = about.basis.structure.g, about.basis.n
    expected = []
    for c in range(p):
        sums = [s for s in range(n) if g[s] == c]
        if sums:
            expected.append(
                [
                    np.mean([f(2 * np.pi * k * s / n) for s in sums])
                    for k in (2, 3)
                    for f in (np.cos, np.sin)
                ]
            )
    centred = np.array(expected) - np.mean(expected, axis=0)
    assert_allclose(answer_waves(about, [2, 3]), centred, atol=1e-12)


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


def test_votes_are_the_cosines_that_the_logits_were_made_of(blank: Callable) -> None:
    made = {2: 3.0, 5: 0.5, 9: 0.0}
    found = clock(blank(written({k: np.eye(2) * a for k, a in made.items()})), tuple(made))
    assert_allclose(found.amplitudes, list(made.values()), atol=1e-5)
    s, c = np.ogrid[:P, :P]
    for vote, (k, amplitude) in zip(np.moveaxis(found.votes, 2, 0), made.items(), strict=True):
        assert_allclose(vote, amplitude * np.cos(2 * np.pi * k * (s - c) / P), atol=1e-5)
    assert_allclose(found.logits, found.votes.sum(axis=2))
    assert found.answers.tolist() == list(range(P))
