"""Observations as the long rows that a run folder keeps."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from grokscope.experiments.matched_view import MATCHED
from grokscope.experiments.observe import BASIS, Column, Observation
from grokscope.experiments.table_a4 import LOSSES
from grokscope.runs.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA

_FLOAT: Final = np.float64


class Rows:
    """Rows of metrics and spectra since the last save."""

    def __init__(self, columns: list[Column], operations: Sequence[str]) -> None:
        self._columns = columns
        # the numbers of a single operation are those of the whole network
        self._names = operations if len(operations) > 1 else [None]
        self._metrics: list[pa.Table] = []
        self._spectra: list[pa.Table] = []

    def add_metrics(self, seed: int, step: int, values: Float[np.ndarray, "column"]) -> None:
        """Add one evaluation of one seed."""
        self._add(seed, step, self._columns, values)

    def add_losses(self, seed: int, step: int, observation: Observation) -> None:
        """Add Table A.4 of one evaluation of one seed, for each operation that has one."""
        for name, losses in zip(self._names, observation.losses, strict=True):
            if len(losses):
                columns = [Column(loss, operation=name) for loss in LOSSES]
                self._add(seed, step, columns, losses)

    def _add(self, seed: int, step: int, columns: list[Column], values: Any) -> None:
        measure, matrix, basis, operation = zip(*columns, strict=True)
        n, values = len(columns), np.asarray(values, _FLOAT)
        self._metrics.append(
            _table(METRIC_SCHEMA, [seed] * n, [step] * n, measure, matrix, basis, operation, values)
        )

    def add_spectra(self, seed: int, step: int, observation: Observation) -> None:
        """Add the spectra of one evaluation of one seed, in every basis."""
        found = [(BASIS, None, matrix, *s) for matrix, s in observation.spectra.items()]
        for name, of_tables in zip(self._names, observation.matched, strict=True):
            found += [(MATCHED, name, m, s.cos_norm, s.sin_norm) for m, s in of_tables.items()]
        for basis, operation, matrix, cos_norm, sin_norm in found:
            n = len(cos_norm)
            self._spectra.append(
                _table(
                    SPECTRA_SCHEMA,
                    [seed] * n,
                    [step] * n,
                    [matrix] * n,
                    [basis] * n,
                    [operation] * n,
                    np.arange(1, n + 1),
                    np.asarray(cos_norm, _FLOAT),
                    np.asarray(sin_norm, _FLOAT),
                )
            )

    def take(self) -> tuple[pa.Table, pa.Table]:
        """Return metrics and spectra gathered so far, and start anew."""
        taken = (
            pa.concat_tables([METRIC_SCHEMA.empty_table(), *self._metrics]).unify_dictionaries(),
            pa.concat_tables([SPECTRA_SCHEMA.empty_table(), *self._spectra]).unify_dictionaries(),
        )
        self._metrics, self._spectra = [], []
        return taken


def _table(schema: pa.Schema, *arrays: Any) -> pa.Table:
    fields = zip(schema, arrays, strict=True)
    return pa.Table.from_arrays([pa.array(a, field.type) for field, a in fields], schema=schema)
