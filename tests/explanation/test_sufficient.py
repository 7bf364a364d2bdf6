"""The smallest set of keys, against a search of all subsets by itself."""

from itertools import combinations

import numpy as np
import pytest
from tests.explanation.networks import structure_of

from grokscope.explanation import sufficient
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.network import Network
from grokscope.explanation.sufficient import smallest_set
from grokscope.fourier.basis import Basis

P = 29
AMPLITUDES = {1: 3.0, 3: 2.5, 4: 0.2, 7: 2.0, 9: 1.5, 11: 0.4}


def clock_of(amplitudes: dict[int, float], p: int = P) -> NetworkInBasis:
    """Logits Σ_k α_k cos(2πk(x + y − c)/p)."""
    structure = structure_of("x + y", p)
    x = np.arange(p)
    left = (x[:, None] + x)[:, :, None] - x
    logits = sum(a * np.cos(2 * np.pi * k * left / p) for k, a in amplitudes.items())
    network = Network(p=p, logits_of=lambda _: np.asarray(logits))
    return NetworkInBasis(network, structure.labels().astype(np.int32), Basis(structure))


def smallest_of(amplitudes: dict[int, float], noise: np.ndarray) -> int:
    """How many of the keys answer 98% of the sums, by trying all subsets in a plain loop."""
    s = np.arange(P)
    for size in range(1, len(amplitudes) + 1):
        for some in combinations(amplitudes, size):
            parts = [amplitudes[k] * np.cos(2 * np.pi * k * (s[:, None] - s) / P) for k in some]
            if np.mean((sum(parts) + noise).argmax(axis=1) == s) >= 0.98:
                return size
    raise AssertionError


def test_one_wave_suffices_where_nothing_disturbs_it() -> None:
    found = smallest_set(clock_of(AMPLITUDES), {k: (k,) for k in AMPLITUDES}, embedded=False)
    assert found is not None
    assert len(found.keys) == 1
    assert found.sums_keep == pytest.approx(1)
    assert found.both_keep is None
    assert found.all_subsets


def test_with_a_bias_in_the_way_as_many_keys_are_needed_as_a_plain_search_needs() -> None:
    network = clock_of(AMPLITUDES)
    bias = 0.8 * np.random.default_rng(1).normal(size=P)
    disturbed = Network(p=P, logits_of=lambda _: network.logits + bias)
    own = NetworkInBasis(disturbed, network.labels, network.basis)
    found = smallest_set(own, {k: (k,) for k in AMPLITUDES}, embedded=False)
    assert found is not None
    assert len(found.keys) == smallest_of(AMPLITUDES, bias) > 1


def test_many_keys_are_left_out_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sufficient, "MOST_TRIED", 3)
    found = smallest_set(clock_of(AMPLITUDES), {k: (k,) for k in AMPLITUDES}, embedded=False)
    assert found is not None
    assert not found.all_subsets
    assert found.sums_keep >= 0.98


def test_keys_that_do_not_suffice_have_no_smallest_set() -> None:
    assert smallest_set(clock_of(AMPLITUDES), {2: (2,), 5: (5,)}, embedded=False) is None
    assert smallest_set(clock_of(AMPLITUDES), {}, embedded=False) is None
