from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.key_shapes import frames

KEYS = (3, 4, 6)


def places(number: int, width: int = 2 * len(KEYS)) -> np.ndarray:
    """Unit vectors of the `number`-th block of dimensions of a built network."""
    return np.eye(6 * width)[number * width : (number + 1) * width].reshape(len(KEYS), 2, -1)


@pytest.mark.parametrize("name", ["x + y", "x*y", "x^2 + y^2"])
def test_one_coordinate_has_the_frames_that_were_built(
    build_clock: Callable, known_structure: Callable, in_basis: Callable, name: str
) -> None:
    structure = known_structure(name, 23)
    about = in_basis(build_clock(structure, KEYS, 4), structure)
    for coordinate in ("u", "v"):
        assert_allclose(frames(about, KEYS, coordinate), places(0), atol=1e-6)


def test_two_coordinates_are_told_apart(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x^2 - y", 23)
    about = in_basis(build_clock(structure, KEYS, 4), structure)
    assert_allclose(frames(about, KEYS, "u"), places(0), atol=1e-6)
    assert_allclose(frames(about, KEYS, "v"), places(3), atol=1e-6)


def test_opposite_coordinates_share_their_planes(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x - y", 23)
    about = in_basis(build_clock(structure, KEYS, 4), structure)
    # cos kv = cos ku and sin kv = −sin ku
    turn = np.array([1, -1])[:, None]
    assert_allclose(frames(about, KEYS, "u"), places(0) + turn * places(3), atol=1e-6)
    assert_allclose(frames(about, KEYS, "v"), places(3) + turn * places(0), atol=1e-6)


def test_a_plane_of_a_chain_belongs_to_the_coordinate_asked_for(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    # 2x + 3y mod 23: 3·4 = −2·6 + 24 − … = 12 = 2·6, so that v's key 4 is u's key 6
    structure = known_structure("2x + 3y", 23)
    about = in_basis(build_clock(structure, KEYS, 4), structure)
    of_u, of_v = places(0), places(3)
    both = of_u[2] + of_v[1]
    assert_allclose(frames(about, KEYS, "u"), np.stack([*of_u[:2], both]), atol=1e-6)
    assert_allclose(frames(about, KEYS, "v"), np.stack([of_v[0], both, of_v[2]]), atol=1e-6)


def test_a_constant_row_does_not_count(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x*y", 23)
    model = build_clock(structure, KEYS, 4)
    rows = np.random.default_rng(0).normal(size=(2, 1, model.W_E.shape[1]))
    changed = np.array(model.W_E) + rows[0]
    changed[0] = rows[1]
    about = in_basis(
        eqx.tree_at(lambda m: m.W_E, model, jnp.asarray(changed, jnp.float32)), structure
    )
    assert_allclose(frames(about, KEYS), places(0), atol=1e-5)


def test_a_sine_that_is_not_there_has_no_vector(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x*y", 11)
    found = frames(in_basis(network(p=11), structure), [5, 1])
    assert np.linalg.norm(found[0, 0]) > 0.1
    assert_allclose(found[0, 1], 0, atol=1e-6)


def test_another_table_can_be_fitted(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    about = in_basis(network(), known_structure("x + y", 7))
    assert_allclose(frames(about, [2], table=3 * about.embedding), 3 * frames(about, [2]))
