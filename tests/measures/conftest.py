"""An independent oracle: the measures written as loops over Python floats."""

import cmath
import math

import pytest


def coefficient_norms(table):
    """Cosine and sine norms per frequency, from the complex sum Σ_x W[x] e^(−2πikx/n)."""
    n, columns = len(table), range(len(table[0]))
    pairs = []
    for k in range(1, n // 2 + 1):
        sums = [
            sum(float(table[x][c]) * cmath.exp(-2j * math.pi * k * x / n) for x in range(n))
            for c in columns
        ]
        # a cosine or sine vector has norm √(n/2), the alternating one √n and no sine
        alternating = 2 * k == n
        length = math.sqrt(n if alternating else n / 2)
        cos = math.sqrt(sum(s.real**2 for s in sums)) / length
        sin = 0.0 if alternating else math.sqrt(sum(s.imag**2 for s in sums)) / length
        pairs.append((cos, sin))
    return pairs


def naive_measures(table, eta):
    """FFS, KFS, FCR, Gini and IPR of a table without empty frequencies."""
    n = len(table)
    pairs = coefficient_norms(table)
    largest = [max(pair[i] for pair in pairs) for i in (0, 1)]
    components = [(pair[i], largest[i]) for pair in pairs for i in (0, 1)]
    count = sum(1 for norm, top in components if norm / top > eta)
    ratios = [min(c / s, s / c) for k, (c, s) in enumerate(pairs, 1) if 2 * k < n]
    joint = sorted(math.sqrt(c * c + s * s) for c, s in pairs)
    # half of the mean absolute difference over the mean, equal to the sorted formula
    differences = sum(abs(a - b) for a in joint for b in joint)
    return {
        "ffs": count / (n - 1),
        "ffd": count / (n - 1),
        "kfs": sum(c > eta * joint[-1] for c in joint) / len(joint),
        "fcr": sum(ratios) / len(ratios),
        "gini": differences / (2 * len(joint) * sum(joint)),
        "ipr": sum(x * x for x in joint) ** 2 / sum(x**4 for x in joint),
    }


@pytest.fixture
def oracle():
    return naive_measures
