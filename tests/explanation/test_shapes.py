"""Circles, ellipses and lines in logits that were written by hand."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.key_shapes import answer_waves, key_shapes
from grokscope.explanation.network import NetworkInBasis

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
