"""Long rows become curves by measure, matrix, basis, operation and seed."""

import math
from typing import Any

import numpy as np
import pyarrow as pa

from grokscope.disk.curves import Curve, Recorded, spectra_of
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA


def number(step: int, value: float, **where: Any) -> dict[str, Any]:
    return {"seed": 0, "step": step, "measure": "ffs", "matrix": "W_E", "value": value} | where


ROWS = pa.Table.from_pylist(
    [
        number(50, 0.5, basis="additive"),
        number(0, 0.9, basis="additive"),
        number(0, 0.8, basis="additive", seed=4_000_000_000),
        number(0, 0.1, basis="matched"),
        number(0, 0.2, basis="matched", operation="x*y"),
        number(0, 0.3, measure="test_accuracy", matrix=None),
        number(0, 0.4, measure="test_accuracy", matrix=None, operation="x*y"),
    ],
    schema=METRIC_SCHEMA,
)


def values(curves: Any) -> dict[Any, dict[int, list[float]]]:
    return {key: {s: c.values.tolist() for s, c in found.items()} for key, found in curves.items()}


def test_curves_are_in_the_order_of_steps_and_of_one_basis_and_operation() -> None:
    recorded = Recorded(ROWS)
    assert values(recorded.curves()) == {
        ("ffs", "W_E"): {0: [0.9, 0.5], 4_000_000_000: [0.8]},
        ("test_accuracy", None): {0: [0.3]},
    }
    assert recorded.curves()["ffs", "W_E"][0].steps.tolist() == [0, 50]
    assert values(recorded.curves("matched")) == {("ffs", "W_E"): {0: [0.1]}}
    assert values(recorded.curves("matched", "x*y")) == {("ffs", "W_E"): {0: [0.2]}}
    assert values(recorded.curves(operation="x*y")) == {("test_accuracy", None): {0: [0.4]}}
    assert recorded.curves("matched", "x + y") == {}


def test_first_last_and_best_are_those_that_are_defined() -> None:
    curve = Curve(np.arange(5), np.array([math.nan, 0.2, 0.9, 0.4, math.nan]))
    assert (curve.first, curve.last, curve.best) == (0.2, 0.4, 0.9)
    nothing = Curve(np.arange(1), np.array([math.nan]))
    assert (nothing.first, nothing.last, nothing.best) == (None, None, None)


def test_spectra_are_in_the_order_of_frequencies() -> None:
    rows = [
        {
            "seed": seed,
            "step": step,
            "matrix": "W_E",
            "basis": basis,
            "operation": operation,
            "k": k,
            "cos_norm": k + step + seed,
            "sin_norm": -k,
        }
        for seed in (0, 1)
        for basis, operation in (("additive", None), ("matched", "x*y"))
        for step in (50, 0)
        for k in (2, 1)
    ]
    table = pa.Table.from_pylist(rows, schema=SPECTRA_SCHEMA)
    found = spectra_of(table, 1)
    assert sorted(found["W_E"]) == [0, 50]
    assert found["W_E"][50].tolist() == [[52, 53], [-1, -2]]
    assert spectra_of(table, 0, "matched") == {}
    assert spectra_of(table, 0, "matched", "x*y")["W_E"][0].tolist() == [[1, 2], [-1, -2]]
