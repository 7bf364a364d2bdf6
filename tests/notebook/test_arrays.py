"""Arrays with names for their axes are NumPy arrays first."""

import numpy as np
import pytest

import grokscope as gs
from grokscope.errors import UsageError

A = gs.NamedArray(
    np.arange(24.0).reshape(2, 3, 4), ("seed", "step", "neuron"), {"step": [0, 50, 100]}
)


def test_parts_keep_the_names_of_what_is_left() -> None:
    assert A[0].axes == ("step", "neuron")
    assert A[..., 1].axes == ("seed", "step")
    assert A[:, 1:].coordinates["step"] == [50, 100]
    assert A[1, 2, 3] == 23
    assert isinstance(A[[1, 0]], np.ndarray)
    assert isinstance(A[A.values > 3], np.ndarray)
    assert A.at(step=50, neuron=2).values.tolist() == [6, 18]


def test_numpy_computes_with_it() -> None:
    assert (2 * A - A).axes == A.axes
    np.testing.assert_array_equal(2 * A - A, A)
    assert np.sqrt(A)[0].axes == ("step", "neuron")
    assert np.mean(A) == 11.5
    assert np.asarray(np.mean(A, axis=0)).shape == (3, 4)
    assert A.mean(("seed", "neuron")).axes == ("step",)
    # another array's axes are not ours
    assert isinstance(A + gs.NamedArray(A.values, ("a", "b", "c")), np.ndarray)
    assert isinstance(np.add.reduce(A), np.ndarray)


def test_what_one_types_of_an_array_works() -> None:
    assert (A.max(), A.min(), A.sum(), np.max(A), np.argmax(A)) == (23, 0, 276, 23, 23)
    assert A.sum("neuron").axes == ("seed", "step")
    assert A.max(["seed", "step"]).tolist() == A.values.max((0, 1)).tolist()
    assert A.std("seed").axes == ("step", "neuron")
    assert A.argmax("neuron").values.tolist() == [[3] * 3] * 2
    assert A.argmin(-1).axes == ("seed", "step")
    assert A.mean("step", keepdims=True).axes == A.axes
    assert (A >= 0).all()
    assert (A > 22).any("neuron").at(step=100).tolist() == [False, True]
    assert (A.T.shape, A.size, A.astype(int).dtype.kind) == ((4, 3, 2), 24, "i")
    one = A.at(seed=0, step=50)[1:2]
    assert (float(one.sum()), one.item(), int(one.max())) == (5.0, 5.0, 5)
    assert (float(gs.NamedArray(2.5, ())), int(gs.NamedArray(2, ()))) == (2.5, 2)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(A == A)
    with pytest.raises(UsageError, match="no such axis"):
        A.max("head")
    with pytest.raises(AttributeError):
        _ = A.nothing
    # a product of matrices is no array over the axes of one of them
    square = gs.NamedArray(np.eye(3), ("token", "d_model"))
    assert isinstance(square @ square, np.ndarray)


def test_it_says_what_it_is_without_flooding() -> None:
    large = gs.NamedArray(np.zeros((97, 97, 512)), ("x", "y", "neuron"))
    assert repr(large).startswith("NamedArray [x: 97, y: 97, neuron: 512] float64\n")
    assert len(repr(large)) < 1000


def test_tables_for_pandas() -> None:
    table = A.at(neuron=0).to_pandas()
    assert table.index.name == "seed"
    assert list(table.columns) == [0, 50, 100]
    assert table.loc[1, 50] == 16
    assert A.at(neuron=0, seed=0).to_pandas()[100] == 8
    with pytest.raises(UsageError, match="too many axes"):
        A.to_pandas()


@pytest.mark.parametrize(
    ("places", "line"),
    [({"step": 7}, r"no such step; got 7; allowed: 0, 50, 100"), ({"head": 0}, "no such axis")],
)
def test_places_that_are_not_there(places: dict[str, int], line: str) -> None:
    with pytest.raises(UsageError, match=line):
        A.at(**places)
