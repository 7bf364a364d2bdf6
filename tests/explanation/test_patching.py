"""Shifted coordinates, and the vectors of characters in an embedding."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.patching import embedding_vectors, patch_coordinate

KEYS = (3, 4, 6)
NAMES = ["x + y", "x - y", "x*y", "x/y", "x^2 + y^2", "x^2 - y", "2x + 3y", "(x + y)^2"]


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_of_a_clock_moves_with_the_coordinate(
    build_clock: Callable, known_structure: Callable, in_basis: Callable, name: str
) -> None:
    structure = known_structure(name, 23)
    found = patch_coordinate(in_basis(build_clock(structure, KEYS, 16), structure), KEYS)
    assert (found.moved, found.stayed) == (1.0, 0.0)
    assert (found.control_moved, found.control_stayed) == (0.0, 1.0)
    assert found.control_size is not None
    assert found.control_size < 1e-5
    assert len(found.shifts) == 8
    # squares are half of the residues: many of the shifted coordinates are those of no residue
    squares = "x^2" in name
    assert found.moved_off_residues == (1.0 if squares else None)
    assert found.stayed_off_residues == (0.0 if squares else None)


def test_without_a_key_it_does_not_move(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x + y", 23)
    about = in_basis(build_clock(structure, KEYS, 16), structure)
    wrong = patch_coordinate(about, (1, 2))
    assert (wrong.moved, wrong.stayed) == (0.0, 1.0)
    # now the other frequencies that are drawn are sometimes keys
    assert wrong.control_stayed is not None
    assert wrong.control_stayed < 1
    nothing = patch_coordinate(about, ())
    assert (nothing.pairs, nothing.moved, nothing.control_stayed) == (0, None, None)


def test_numbers_agree_with_a_loop_over_pairs_and_shifts(
    network: Callable, one_pass: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("(x + y)^2", 7)
    model = network()
    about = in_basis(model, structure)
    table = np.asarray(model.W_E, np.float64)
    x = np.arange(7)
    design = np.stack(
        [np.ones(7), *(f(2 * np.pi * k * x / 7) for k in (1, 3) for f in (np.cos, np.sin))], axis=1
    )
    fitted = np.linalg.lstsq(design, table[:7], rcond=None)[0]
    pairs = moved = stayed = 0
    for d in range(1, 7):
        # residue x as position x sees it is token 8 + x
        turned = np.concatenate(
            [table, table[:7] + (np.roll(design, -d, axis=0) - design) @ fitted]
        )
        patched = eqx.tree_at(lambda m: m.W_E, model, turned)
        for a in range(7):
            for b in range(7):
                new, old = (a + b + d) ** 2 % 7, (a + b) ** 2 % 7
                if new != old:
                    said = one_pass(patched, [8 + a, 7, b]).logits.argmax()
                    pairs, moved, stayed = pairs + 1, moved + (said == new), stayed + (said == old)
    found = patch_coordinate(about, (1, 3))
    assert found.shifts == (1, 2, 3, 4, 5, 6)
    assert found.pairs == pairs
    assert found.moved == pytest.approx(moved / pairs)
    assert found.stayed == pytest.approx(stayed / pairs)


def test_undefined_answers_are_left_out(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x*y", 11)
    found = patch_coordinate(in_basis(network(p=11), structure), (1,), shifts=3)
    assert found.pairs == 3 * 100
    structure.g[[2, 5]] = -1
    about = in_basis(network(p=11), structure)
    # each sum is that of 10 pairs; a pair is left out when its old or its new sum has no answer
    lost = sum(len({2, 5, (2 - d) % 10, (5 - d) % 10}) for d in found.shifts)
    assert patch_coordinate(about, (1,), shifts=3).pairs == 3 * 100 - 10 * lost


def places(number: int, width: int = 2 * len(KEYS)) -> np.ndarray:
    """Unit vectors of the `number`-th block of dimensions of a built network."""
    return np.eye(6 * width)[number * width : (number + 1) * width].reshape(len(KEYS), 2, -1)


@pytest.mark.parametrize("name", ["x + y", "x*y", "x^2 + y^2"])
def test_one_coordinate_has_the_vectors_that_were_built(
    build_clock: Callable, known_structure: Callable, in_basis: Callable, name: str
) -> None:
    structure = known_structure(name, 23)
    about = in_basis(build_clock(structure, KEYS, 4), structure)
    for coordinate in ("u", "v"):
        assert_allclose(embedding_vectors(about, KEYS, coordinate), places(0), atol=1e-6)


def test_two_coordinates_are_told_apart(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x^2 - y", 23)
    about = in_basis(build_clock(structure, KEYS, 4), structure)
    assert_allclose(embedding_vectors(about, KEYS, "u"), places(0), atol=1e-6)
    assert_allclose(embedding_vectors(about, KEYS, "v"), places(3), atol=1e-6)


def test_opposite_coordinates_share_their_planes(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x - y", 23)
    about = in_basis(build_clock(structure, KEYS, 4), structure)
    # cos kv = cos ku and sin kv = −sin ku
    turn = np.array([1, -1])[:, None]
    assert_allclose(embedding_vectors(about, KEYS, "u"), places(0) + turn * places(3), atol=1e-6)
    assert_allclose(embedding_vectors(about, KEYS, "v"), places(3) + turn * places(0), atol=1e-6)


def test_a_plane_of_a_chain_belongs_to_the_coordinate_asked_for(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    # 2x + 3y mod 23: 3·4 = −2·6 + 24 − … = 12 = 2·6, so that v's key 4 is u's key 6
    structure = known_structure("2x + 3y", 23)
    about = in_basis(build_clock(structure, KEYS, 4), structure)
    of_u, of_v = places(0), places(3)
    both = of_u[2] + of_v[1]
    assert_allclose(embedding_vectors(about, KEYS, "u"), np.stack([*of_u[:2], both]), atol=1e-6)
    assert_allclose(
        embedding_vectors(about, KEYS, "v"), np.stack([of_v[0], both, of_v[2]]), atol=1e-6
    )


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
    assert_allclose(embedding_vectors(about, KEYS), places(0), atol=1e-5)


def test_a_sine_that_is_not_there_has_no_vector(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x*y", 11)
    found = embedding_vectors(in_basis(network(p=11), structure), [5, 1])
    assert np.linalg.norm(found[0, 0]) > 0.1
    assert_allclose(found[0, 1], 0, atol=1e-6)


def test_another_table_can_be_fitted(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    about = in_basis(network(), known_structure("x + y", 7))
    assert_allclose(
        embedding_vectors(about, [2], table=3 * about.embedding), 3 * embedding_vectors(about, [2])
    )
