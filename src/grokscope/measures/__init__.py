"""Progress measures: plain functions of arrays, and a registry that describes them."""

from grokscope.measures.grokking import first_confirmed, half_fall, high_since
from grokscope.measures.inequality import gini, gini_of, participation, participation_of
from grokscope.measures.matched import (
    key_frequencies,
    matched_coefficient_ratio,
    matched_frequency_sparsity,
    matched_gini,
    matched_keys,
    matched_participation,
    matched_values,
)
from grokscope.measures.norms import l2_norm
from grokscope.measures.registry import MEASURES, Measure, describe
from grokscope.measures.sparsity import (
    fcr_of,
    ffs_of,
    fourier_coefficient_ratio,
    fourier_frequency_density,
    fourier_frequency_sparsity,
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
