"""The residues of a table are found, or asked for; no other axis is ever taken for them."""

from typing import Any

import numpy as np
import pytest

from grokscope.axes import taken_in_words
from grokscope.disk.residues import residue_tables
from grokscope.disk.tables import ForeignTable
from grokscope.errors import UsageError

P = 113


def file_of(**shapes: tuple[int, ...]) -> dict[str, ForeignTable]:
    rng = np.random.default_rng(0)
    return {name.replace("__", "."): ForeignTable(rng.normal(size=s)) for name, s in shapes.items()}


def lies(**shapes: Any) -> dict[str, tuple[int, int]]:
    options = {k: shapes.pop(k) for k in ("p", "axis", "names") if k in shapes}
    found, _ = residue_tables(file_of(**shapes), **{"p": P, **options})
    return {table.name: (table.axis, table.length) for table in found}


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((113, 128), (0, 113)),
        ((128, 113), (1, 113)),
        ((114, 128), (0, 114)),
        ((128, 114), (1, 114)),
        ((121, 3), (0, 121)),
        ((3, 121), (1, 121)),
    ],
)
def test_an_axis_of_p_entries_or_a_few_more_holds_the_residues(shape: Any, expected: Any) -> None:
    tables = file_of(W=shape)
    (found,), skipped = residue_tables(tables, p=P)
    assert (found.axis, found.length) == expected
    array = tables["W"].array
    np.testing.assert_array_equal(found.rows, (array if found.axis == 0 else array.T)[:P])
    assert found.to_json()["left_out"] == list(range(P, found.length))
    assert skipped == {}


@pytest.mark.parametrize("shape", [(113, 113), (114, 113), (113, 120), (121, 121)])
def test_where_both_axes_could_be_it_the_user_is_asked(shape: Any) -> None:
    with pytest.raises(UsageError, match="both axes of 'W' could be the residues mod 113") as asked:
        lies(W=shape)
    assert f"got '{shape[0]} × {shape[1]}'" in str(asked.value)
    assert "--table 'W' --axis 0 (its rows) or --axis 1 (its columns)" in asked.value.line
    for axis in (0, 1):
        assert lies(W=shape, axis=axis) == {"W": (axis, shape[axis])}


@pytest.mark.parametrize("shape", [(112, 128), (128, 256), (122, 4)])
def test_where_none_is_none_is_taken(shape: Any) -> None:
    found, skipped = residue_tables(file_of(W=shape), p=P)
    assert found == []
    assert skipped["W"].startswith("no axis of 113 residues and at most 8 more tokens: ")


def test_told_by_the_user_an_axis_may_be_longer_but_not_shorter() -> None:
    assert lies(W=(200, 128), axis=0) == {"W": (0, 200)}
    assert lies(W=(200, 128), W_2=(114, 128), names=["W"], axis=1) == {"W": (1, 128)}
    _, skipped = residue_tables(file_of(W=(112, 128)), p=P, axis=0)
    assert skipped == {"W": "112 rows, fewer than p = 113"}
    # of several tables that were not named it decides nothing
    _, skipped = residue_tables(file_of(W=(200, 128), V=(114, 3)), p=P, axis=0)
    assert list(skipped) == ["W"]
    _, skipped = residue_tables(file_of(W_U=(128, 113), W_E=(114, 128)), p=P, axis=0)
    assert skipped == {"W_U": "no axis 0 of 113 residues and at most 8 more tokens: 128 × 113"}


TRANSFORMER = {"W_E": (114, 128), "blocks__0__W_in": (128, 512), "W_U": (128, 113)}


def test_the_file_of_a_transformer() -> None:
    assert lies(**TRANSFORMER) == {"W_E": (0, 114), "W_U": (1, 113)}


@pytest.mark.parametrize("p", [59, 109, 120, 121, 127, 128, 250, 504, 512])
def test_under_another_p_no_width_of_it_is_taken_for_the_residues(p: int) -> None:
    try:
        found = lies(**TRANSFORMER, p=p)
    except UsageError:
        found = {}
    assert found == {}


@pytest.mark.parametrize("width", [113, 114, 116, 121])
@pytest.mark.parametrize("turned", [False, True])
def test_a_width_that_happens_to_be_as_long_as_the_residues_is_not_measured(
    width: int, turned: bool
) -> None:
    shapes = {"W_E": (114, width), "fc": (width, 512), "W_U": (width, 113)}
    shapes = {name: s[::-1] if turned else s for name, s in shapes.items()}
    with pytest.raises(UsageError, match="both axes"):
        lies(**shapes)
    with pytest.raises(UsageError, match="both axes"):
        lies(**shapes, axis=0)
    assert lies(**shapes, names=["W_E"], axis=0) == {"W_E": (0, shapes["W_E"][0])}


def test_neurons_that_happen_to_be_as_many_as_the_tokens_are_not_measured() -> None:
    with pytest.raises(UsageError, match="one of them is a width; got '114 rows of W_E, 120 rows"):
        lies(W_E=(114, 32), fc=(120, 32), W_U=(32, 113))
    assert lies(W_E=(114, 32), W_in=(32, 120), W_U=(32, 113)) == {"W_E": (0, 114), "W_U": (1, 113)}
    # by its name d_mlp is 113: whether W_U has neurons or answers must be said
    found, skipped = residue_tables(file_of(W_E=(114, 32), W_in=(32, 113), W_U=(32, 113)), p=P)
    assert [table.name for table in found] == ["W_E"]
    assert "113 is also a width inside the network; --table and --axis choose" in skipped["W_U"]


@pytest.mark.parametrize(
    ("shape", "axes", "axis", "expected"),
    [
        ((7, 3), ("token", "d_model"), None, (0, 7)),
        ((3, 7), ("d_model", "token"), 0, (1, 7)),
        ((20, 5), ("token", "d_model"), None, (0, 20)),
        ((3, 5), ("d_mlp", "class"), None, (1, 5)),
        ((5, 3), ("p", "d_mlp"), 1, (0, 5)),
        ((5, 5), ("class", "p"), 1, (1, 5)),
        ((5, 5), ("d_model", "class"), None, (1, 5)),
        ((5, 5), ("class", "p"), None, (0, 5)),
    ],
)
def test_words_decide_where_a_file_has_them(
    shape: Any, axes: Any, axis: Any, expected: Any
) -> None:
    table = ForeignTable(np.random.default_rng(0).normal(size=shape), axes, 5)
    (found,), _ = residue_tables({"W": table}, axis=axis)
    assert (found.axis, found.length) == expected
    with pytest.raises(UsageError, match="the file says another p; got 3; allowed: 5"):
        residue_tables({"W": table}, p=3)


@pytest.mark.parametrize(
    ("array", "axes", "reason"),
    [
        (np.zeros(()), None, "one number, where a table has 2 axes"),
        (np.zeros(5), None, "1 axis, of 5, where a table has 2 axes"),
        (np.zeros((2, 5, 4)), None, "3 axes, 2 × 5 × 4, where a table has 2 axes"),
        (np.zeros((5, 3), complex), None, "it holds complex128, not real numbers"),
        (np.array([["a"]]), None, "it holds str32, not real numbers"),
        (np.zeros((0, 3)), None, "it is empty"),
        (np.zeros((5, 0)), None, "it is empty"),
        (np.full((5, 3), np.nan), None, "it holds values that are not finite"),
        (np.zeros((5, 3)), ("d_model", "d_mlp"), "no axis of residues among d_model, d_mlp"),
        (np.zeros((4, 3)), ("token", "d_model"), "4 rows, fewer than p = 5"),
    ],
)
def test_the_rest_is_skipped_with_a_reason(array: Any, axes: Any, reason: str) -> None:
    assert residue_tables({"W": ForeignTable(array, axes)}, p=5) == ([], {"W": reason})


@pytest.mark.parametrize("kind", [int, np.uint8, bool, np.float16, np.float32])
def test_all_that_the_measures_take_is_taken(kind: type) -> None:
    array = np.eye(5)[:, :3].astype(kind)
    (found,), _ = residue_tables({"W": ForeignTable(array)}, p=5)
    np.testing.assert_array_equal(found.rows, array)


def test_what_is_not_known_is_asked_for() -> None:
    with pytest.raises(UsageError, match=r"modulus of 'W_E' is not known; got '114 × 128'; allow"):
        residue_tables(file_of(W_in=(128, 512), W_E=(114, 128)))
    (found,), _ = residue_tables({"W": ForeignTable(np.ones((7, 3)), p=5)})
    assert (found.p, found.length) == (5, 7)
    wrong: list[dict[str, Any]] = [{"axis": 2}, {"axis": -1}, {"p": 1}, {"p": 5, "names": ["V"]}]
    for options in wrong:
        with pytest.raises(UsageError):
            residue_tables(file_of(W=(5, 3)), **options)


def test_in_words() -> None:
    assert taken_in_words(113, 1, 113) == "113 residues, all 113 columns"
    assert taken_in_words(113, 0, 114) == "113 residues of 114 rows, 1 left out (113)"
    assert taken_in_words(113, 0, 116) == "113 residues of 116 rows, 3 left out (113 to 115)"
