"""Progress measures: plain functions of arrays, and a registry that describes them."""

from grokscope.measures.grokking import first_confirmed, half_fall
from grokscope.measures.inequality import gini, gini_of, participation, participation_of
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
    "l2_norm",
    "participation",
    "participation_of",
]
