"""Observations become the long rows of the run folder."""

import math

import jax.numpy as jnp
import numpy as np

from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.runner.observe import Column, Observation, Rows
from grokscope.runner.table_a4 import LOSSES

COLUMNS = [Column("test_loss"), Column("l2_norm", "W_E"), Column("ffs", "W_L", "additive")]


def test_values_and_spectra_become_rows_once() -> None:
    rows = Rows(COLUMNS, ["x + y"])
    rows.add_metrics(4_000_000_000, 50, np.array([0.1, 2, np.nan], np.float32))
    rows.add_metrics(1, 100, np.array([1, 2, 3], np.float32))
    spectra = {"W_E": (np.array([1, 2], np.float32), np.array([3, 0], np.float32))}
    nothing = Observation(jnp.zeros(3), spectra, ({},), (jnp.zeros(0),))
    rows.add_spectra(1, 100, nothing)
    rows.add_losses(1, 100, nothing)
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
    rows = Rows(COLUMNS, ["x + y"])
    one, two = np.array([5, 2], np.float32), np.array([np.nan, np.nan], np.float32)
    spectra = {"W_E": (np.array([1, 2], np.float32), np.array([3, 0], np.float32))}
    matched = {"W_E": (one, two)}
    seen = Observation(jnp.zeros(3), spectra, (matched,), (jnp.arange(float(len(LOSSES))),))
    rows.add_spectra(7, 50, seen)
    rows.add_losses(7, 50, seen)
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
    rows = Rows([Column("test_loss"), Column("test_loss", operation="x*y")], ["x + y", "x*y"])
    one, nothing = np.array([5, 2], np.float32), jnp.zeros(0)
    matched = ({}, {"W_L": (one, one)})
    losses = (nothing, jnp.ones(len(LOSSES)))
    seen = Observation(jnp.zeros(2), {}, matched, losses)
    rows.add_metrics(0, 50, np.zeros(2))
    rows.add_spectra(0, 50, seen)
    rows.add_losses(0, 50, seen)
    metrics, found = rows.take()
    assert [row["operation"] for row in metrics.to_pylist()] == [None, *["x*y"] * (1 + len(LOSSES))]
    assert {(r["basis"], r["matrix"], r["operation"]) for r in found.to_pylist()} == {
        ("matched", "W_L", "x*y")
    }
