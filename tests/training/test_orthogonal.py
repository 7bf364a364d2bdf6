"""⊥Grad: the gradient's part along each matrix is gone, and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from grokscope.training.filters import orthogonal_gradients

SHAPES = {"W_E": (7, 4), "W_Q": (2, 4, 3), "W_U": (4, 5)}


def project(g: dict[str, np.ndarray], w: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    transform = orthogonal_gradients()
    as_float32 = [
        {name: jnp.asarray(a, jnp.float32) for name, a in tree.items()} for tree in (g, w)
    ]
    found, _ = jax.jit(lambda g, w: transform.update(g, transform.init(w), w))(*as_float32)
    return {name: np.asarray(a) for name, a in found.items()}


@pytest.fixture
def drawn() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    g, w = ({name: rng.normal(size=shape) for name, shape in SHAPES.items()} for _ in range(2))
    return g, w


def test_every_matrix_is_projected_by_itself(
    drawn: tuple[dict[str, np.ndarray], dict[str, np.ndarray]],
) -> None:
    g, w = drawn
    found = project(g, w)
    for name in SHAPES:
        along = np.vdot(w[name], g[name]) / np.vdot(w[name], w[name])
        assert_allclose(found[name], g[name] - along * w[name], rtol=1e-4, atol=1e-6)
        assert abs(along) > 1e-3
        assert abs(np.vdot(found[name], w[name])) < 1e-5
    # one at a time, as all together
    assert_array_equal(project({"W_Q": g["W_Q"]}, {"W_Q": w["W_Q"]})["W_Q"], found["W_Q"])


def test_a_gradient_along_the_weights_vanishes_and_one_across_stays(
    drawn: tuple[dict[str, np.ndarray], dict[str, np.ndarray]],
) -> None:
    _, w = drawn
    longer = {name: -3 * W for name, W in w.items()}
    for name, rest in project(longer, w).items():
        assert np.abs(rest).max() < 1e-5 * np.abs(longer[name]).max()
    across = {"W": np.array([[0.0, 2.0]])}
    assert_array_equal(project(across, {"W": np.array([[5.0, 0.0]])})["W"], across["W"])


def test_weights_that_are_zero_have_no_direction() -> None:
    g = {"W": np.array([[1.0, -2.0]])}
    assert_array_equal(project(g, {"W": np.zeros((1, 2))})["W"], g["W"])
