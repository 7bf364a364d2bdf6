"""Ready edits do what they say, on arrays whose answer is known."""

import numpy as np
import pytest

import grokscope as gs
from grokscope.errors import UsageError
from grokscope.fourier.characters import pulled_back

P = 7
X, Y = np.meshgrid(np.arange(P), np.arange(P), indexing="ij")


def wave(k: int, at: np.ndarray) -> np.ndarray:
    return np.cos(2 * np.pi * k * at / P)


def grid(values: np.ndarray) -> gs.NamedArray:
    return gs.NamedArray(values[..., None] * np.ones(3), ("x", "y", "neuron"))


def test_zero_and_mean_change_the_units_alone() -> None:
    array = grid(wave(1, X) + 2)
    done = gs.edits.zero(1)(array)
    assert (done[..., 1] == 0).all()
    np.testing.assert_array_equal(done[..., [0, 2]], array.values[..., [0, 2]])
    np.testing.assert_allclose(gs.edits.mean([0, 2])(array)[..., [0, 2]], 2)
    assert (gs.edits.zero()(array) == 0).all()
    rows = gs.edits.zero(3, axis="x")(array)
    assert (rows[3] == 0).all()
    assert (rows[2] == array.values[2]).all()


def test_keep_and_remove_part_the_waves_of_x_and_y() -> None:
    array = grid(5 + wave(1, X) * wave(1, Y) + wave(2, X) + wave(1, Y))
    np.testing.assert_allclose(
        gs.edits.keep([1])(array)[..., 0], 5 + wave(1, X) * wave(1, Y) + wave(1, Y), atol=1e-12
    )
    np.testing.assert_allclose(gs.edits.remove([1])(array)[..., 0], 5 + wave(2, X), atol=1e-12)


def test_one_frequency_or_unit_needs_no_list() -> None:
    array = grid(5 + wave(1, X) + wave(2, X))
    np.testing.assert_array_equal(gs.edits.keep(1)(array), gs.edits.keep([1])(array))
    np.testing.assert_array_equal(gs.edits.remove(2)(array), gs.edits.remove([2])(array))
    np.testing.assert_array_equal(gs.edits.zero(1)(array), gs.edits.zero([1])(array))


def test_a_basis_lays_the_residues_out_by_a_coordinate() -> None:
    u = np.array([-1, 0, 2, 1, 4, 5, 3])  # log to the base 3 mod 7
    basis = pulled_back([u], 6)
    W = np.where(u >= 0, np.cos(2 * np.pi * 2 * u / 6), 0)[:, None] * np.ones(4)
    array = gs.NamedArray(np.concatenate([W, np.ones((1, 4))]), ("token", "d_model"))
    np.testing.assert_allclose(gs.edits.keep([2], basis)(array), array.values, atol=1e-12)
    done = gs.edits.remove([2], basis)(array)
    np.testing.assert_allclose(done[:P], 0, atol=1e-12)
    np.testing.assert_array_equal(done[P:], 1)


def test_the_basis_of_an_operation_is_that_of_its_inputs() -> None:
    basis = gs.basis("x*y", p=P)
    array = gs.NamedArray(np.random.default_rng(0).normal(size=(P, 4)), ("token", "d_model"))
    np.testing.assert_array_equal(
        gs.edits.keep([2], basis)(array), gs.edits.keep([2], basis.inputs)(array)
    )


def test_patch_takes_another_pair_or_one_operand_of_it() -> None:
    array = grid(10.0 * X + Y)
    assert (gs.edits.patch(3, 4)(array) == 34).all()
    np.testing.assert_array_equal(gs.edits.patch(x=3)(array)[..., 0], 30 + Y)
    np.testing.assert_array_equal(gs.edits.patch(y=4)(array)[..., 0], 10 * X + 4)


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (gs.edits.zero(3), "no such neuron"),
        (gs.edits.zero(0, axis="head"), "no such axis"),
        (gs.edits.keep([4]), "no such frequency"),
        (gs.edits.patch(x=7), "no such x"),
    ],
)
def test_what_is_not_there_is_named(edit: gs.edits.Edit, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        edit(grid(X))


def test_edits_that_need_pairs_or_residues_say_so() -> None:
    W = gs.NamedArray(np.ones((3, 2)), ("d_model", "d_mlp"))
    with pytest.raises(UsageError, match="needs an activation"):
        gs.edits.patch(1, 2)(W)
    with pytest.raises(UsageError, match="no axis over the residues"):
        gs.edits.keep([1])(W)
