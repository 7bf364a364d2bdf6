"""Operator tokens correspond by what they mean."""

import pytest

from grokscope.tasks.task import counterparts


@pytest.mark.parametrize(
    ("operations", "source", "expected"),
    [
        (["x*y"], ["x*y"], [0]),
        (["2*x + 3*y"], ["x + y"], [0]),  # one operation each: both tokens say "the operation"
        (["x*y"], ["x + y", "x*y"], [1]),
        (["x - y"], ["x + y", "x*y"], [None]),
        (["x*y", "x - y"], ["x + y", "x*y"], [1, None]),
        (["x + y", "x*y"], ["x*y"], [None, 0]),
        (["x - y", "x / y"], ["x + y", "x*y"], [None, None]),
        (["x", "y", "x"], ["y", "x", "x"], [1, 0, 2]),
        (["x", "x", "x"], ["x", "y", "x"], [0, 2, 2]),
        (["x", "y"], ["x", "x"], [0, None]),
    ],
)
def test_counterparts(operations: list[str], source: list[str], expected: list[int | None]) -> None:
    assert counterparts(operations, source) == expected


@pytest.mark.parametrize("operations", [["x"], ["x", "y"], ["x", "x", "y", "x"]])
def test_every_token_corresponds_to_itself(operations: list[str]) -> None:
    assert counterparts(operations, operations) == list(range(len(operations)))
