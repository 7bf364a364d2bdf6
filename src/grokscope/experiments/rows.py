"""Observations as the long rows that a run folder keeps."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from grokscope.experiments.observe import BASIS, Column, Observation
from grokscope.runs.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA

_FLOAT: Final = np.float64


class Rows:
    """Rows of metrics and spectra since the last save."""

    def __init__(self, columns: list[Column]) -> None:
        self._columns = columns
        self._metrics: list[pa.Table] = []
        self._spectra: list[pa.Table] = []

    def add_metrics(self, seed: int, step: int, values: Float[np.ndarray, "column"]) -> None:
        """Add one evaluation of one seed."""
        measure, matrix, basis = zip(*self._columns, strict=True)
        n = len(self._columns)
        self._metrics.append(
            _table(
                METRIC_SCHEMA, [seed] * n, [step] * n, measure, matrix, basis, values.astype(_FLOAT)
            )
        )

    def add_spectra(self, seed: int, step: int, observation: Observation) -> None:
        """Add the spectra of one evaluation of one seed."""
        for matrix, (cos_norm, sin_norm) in observation.spectra.items():
            n = len(cos_norm)
            self._spectra.append(
                _table(
                    SPECTRA_SCHEMA,
                    [seed] * n,
                    [step] * n,
                    [matrix] * n,
                    [BASIS] * n,
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
