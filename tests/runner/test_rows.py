"""Observations become the long rows of the run folder."""

import math

import numpy as np

from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.runner.observe import Column, Rows, Table
from grokscope.runner.table_a4 import LOSSES

COLUMNS = [Column("test_loss"), Column("l2_norm", "W_E"), Column("ffs", "W_L", "additive")]
LOSS_COLUMNS = [Column(name) for name in LOSSES]


def test_values_and_spectra_become_rows_once() -> None:
    rows = Rows(["x + y"])
    first = np.array([0.1, 2, np.nan], np.float32)
    rows.add_values(4_000_000_000, 50, dict(zip(COLUMNS, first, strict=True)))
    rows.add_values(1, 100, dict(zip(COLUMNS, np.array([1, 2, 3], np.float32), strict=True)))
    norms = (np.array([1, 2], np.float32), np.array([3, 0], np.float32))
    rows.add_spectra(1, 100, {Table("W_E", "additive"): norms})
    rows.add_values(1, 100, {})
    metrics, found = rows.take()
    assert metrics.schema == METRIC_SCHEMA
    assert found.schema == SPECTRA_SCHEMA
    first, second, third, *rest = metrics.to_pylist()
    assert first == {
        "seed": 4_000_000_000,
        "step": 50,
        "measure": "test_loss",
        "matrix": None,
        "basis": None,
        "operation": None,
        "value": float(np.float32(0.1)),
    }
    assert (second["measure"], second["matrix"], second["basis"]) == ("l2_norm", "W_E", None)
    assert (third["measure"], third["matrix"], third["basis"]) == ("ffs", "W_L", "additive")
    assert math.isnan(third["value"])
    assert [(row["seed"], row["step"], row["value"]) for row in rest] == [
        (1, 100, 1),
        (1, 100, 2),
        (1, 100, 3),
    ]
    shared = {"seed": 1, "step": 100, "matrix": "W_E", "basis": "additive"}
    shared["operation"] = None
    assert found.to_pylist() == [
        shared | {"k": 1, "cos_norm": 1.0, "sin_norm": 3.0},
        shared | {"k": 2, "cos_norm": 2.0, "sin_norm": 0.0},
    ]
    again = rows.take()
    assert [table.num_rows for table in again] == [0, 0]
    assert [table.schema for table in again] == [METRIC_SCHEMA, SPECTRA_SCHEMA]


def test_another_basis_has_rows_of_its_own() -> None:
    rows = Rows(["x + y"])
    one, two = np.array([5, 2], np.float32), np.array([np.nan, np.nan], np.float32)
    norms = (np.array([1, 2], np.float32), np.array([3, 0], np.float32))
    rows.add_spectra(7, 50, {Table("W_E", "additive"): norms, Table("W_E", "matched"): (one, two)})
    rows.add_values(7, 50, dict(zip(LOSS_COLUMNS, range(len(LOSSES)), strict=True)))
    metrics, found = rows.take()
    assert [(r["basis"], r["k"], r["cos_norm"]) for r in found.to_pylist()] == [
        ("additive", 1, 1.0),
        ("additive", 2, 2.0),
        ("matched", 1, 5.0),
        ("matched", 2, 2.0),
    ]
    assert math.isnan(found.to_pylist()[-1]["sin_norm"])
    assert [(r["measure"], r["value"]) for r in metrics.to_pylist()] == [
        (name, float(i)) for i, name in enumerate(LOSSES)
    ]
    assert {(r["seed"], r["step"], r["matrix"], r["basis"]) for r in metrics.to_pylist()} == {
        (7, 50, None, None)
    }


def test_rows_of_a_mixture_name_their_operation() -> None:
    rows = Rows(["x + y", "x*y"])
    one = np.array([5, 2], np.float32)
    rows.add_values(0, 50, {Column("test_loss"): 0, Column("test_loss", operation=1): 0})
    rows.add_spectra(0, 50, {Table("W_L", "matched", 1): (one, one)})
    rows.add_values(0, 50, {column._replace(operation=1): 1 for column in LOSS_COLUMNS})
    metrics, found = rows.take()
    assert [row["operation"] for row in metrics.to_pylist()] == [None, *["x*y"] * (1 + len(LOSSES))]
    assert {(r["basis"], r["matrix"], r["operation"]) for r in found.to_pylist()} == {
        ("matched", "W_L", "x*y")
    }
