"""Progress measures: plain functions of arrays, and a registry that describes them."""

from grokscope.measures.grokking import first_confirmed, half_fall, high_since
from grokscope.measures.registry import MEASURES, Measure, describe
from grokscope.measures.spectral import (
    fcr_of,
    ffs_of,
    fourier_coefficient_ratio,
    fourier_frequency_density,
    fourier_frequency_sparsity,
    gini,
    gini_of,
    key_frequencies,
    l2_norm,
    matched_coefficient_ratio,
    matched_frequency_sparsity,
    matched_gini,
    matched_keys,
    matched_participation,
    matched_values,
    participation,
    participation_of,
)

__all__ = [
    "MEASURES",
    "Measure",
    "describe",
    "fcr_of",
    "ffs_of",
    "first_confirmed",
    "fourier_coefficient_ratio",
    "fourier_frequency_density",
    "fourier_frequency_sparsity",
    "gini",
    "gini_of",
    "half_fall",
    "high_since",
    "key_frequencies",
    "l2_norm",
    "matched_coefficient_ratio",
    "matched_frequency_sparsity",
    "matched_gini",
    "matched_keys",
    "matched_participation",
    "matched_values",
    "participation",
    "participation_of",
]
