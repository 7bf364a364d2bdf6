"""Progress measures: plain functions of arrays, and a registry that describes them."""

from grokscope.measures.grokking import first_confirmed, half_fall, high_since
from grokscope.measures.registry import MATCHED, MEASURES, TABLES, Measure, describe, recorded
from grokscope.measures.spectral import (
    fourier_coefficient_ratio,
    fourier_frequency_density,
    fourier_frequency_sparsity,
    gini,
    key_frequencies,
    key_frequency_share,
    l2_norm,
    participation,
)

__all__ = [
    "MATCHED",
    "MEASURES",
    "TABLES",
    "Measure",
    "describe",
    "first_confirmed",
    "fourier_coefficient_ratio",
    "fourier_frequency_density",
    "fourier_frequency_sparsity",
    "gini",
    "half_fall",
    "high_since",
    "key_frequencies",
    "key_frequency_share",
    "l2_norm",
    "participation",
    "recorded",
]
