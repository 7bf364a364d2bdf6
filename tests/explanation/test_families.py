"""Doubles, halves and families of frequencies, written out and against plain searches."""

import numpy as np
import pytest

from grokscope.explanation.families import double, families, fold, harmonics, harmonics_of


@pytest.mark.parametrize(
    ("k", "n", "folded"),
    [(0, 7, 0), (3, 7, 3), (4, 7, 3), (-1, 7, 1), (4, 8, 4), (5, 8, 3), (16, 8, 0), (1, 2, 1)],
)
def test_a_character_and_its_conjugate_are_one_frequency(k: int, n: int, folded: int) -> None:
    assert fold(k, n) == folded


@pytest.mark.parametrize("n", [2, 3, 7, 8, 12, 97])
def test_the_double_is_the_frequency_of_the_square(n: int) -> None:
    x = np.arange(n)
    for k in range(1, n // 2 + 1):
        # cos² = (1 + cos 2·)/2
        square = np.cos(2 * np.pi * k * x / n) ** 2 - 0.5
        expected = np.cos(2 * np.pi * double(k, n) * x / n) / 2
        assert np.allclose(square, expected)
    assert double(n // 2, n) == (0 if n % 2 == 0 else 1)


def test_harmonics_are_doubles_and_halves_but_not_the_keys() -> None:
    assert harmonics([3], 13) == {6, 5}  # 2·3 = 6; 2·5 = 10 = −3
    assert harmonics([3, 6], 13) == {5, 1}
    assert harmonics([], 13) == set()
    # of an even group 4 is 2·2 and 2·6, and has no double but the constant
    assert harmonics([4], 8) == {2}
    assert harmonics([2], 8) == {4, 1, 3}
    assert harmonics([1], 2) == set()
    assert harmonics([1], 3) == set()


def test_families_are_chains_of_doubles_in_the_order_of_strength() -> None:
    assert families([7, 3, 6, 1, 5], 97) == [(7,), (3, 6), (1,), (5,)]
    # 3 and 12 are linked by 6 only, wherever it stands
    assert families([12, 20, 3, 6], 97) == [(12, 3, 6), (20,)]
    assert families([1, 48], 97) == [(1, 48)]  # 2·48 = −1
    assert families([], 97) == []
    assert families([4, 1], 8) == [(4,), (1,)]


@pytest.mark.parametrize("n", [13, 16, 31])
def test_families_are_the_connected_parts_of_the_graph_of_doubling(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(20):
        keys = rng.permutation(np.arange(1, n // 2 + 1))[: rng.integers(1, n // 2)].tolist()
        group = {k: k for k in keys}
        for _ in keys:
            for a in keys:
                for b in keys:
                    if min(2 * a % n, -2 * a % n) == b:
                        group[a] = group[b] = min(group[a], group[b])
        expected = {frozenset(k for k in keys if group[k] == g) for g in group.values()}
        found = families(keys, n)
        assert {frozenset(family) for family in found} == expected
        assert [family[0] for family in found] == sorted(
            (family[0] for family in found), key=keys.index
        )


@pytest.mark.parametrize(
    ("embedding", "readout", "pointed_at", "found"),
    [
        # the demo of x + y mod 97: 26 and 28 are 0.1% of W_L, and 28 is 1.3% of W_E
        ((13, 41, 26, 28, 15), (13, 41, 28, 26), ((28, 15), (28, 26)), {26: 13, 28: 41, 15: 41}),
        # what W_L holds by itself is a key of its own, also where it is a double
        ((21, 42), (42, 21), ((), ()), {}),
        # without keys in W_L the stronger one is the key
        ((40, 17), (), ((), ()), {17: 40}),
        ((17, 40), (), ((), ()), {}),
        # found by nothing but a key of W_E that W_L lacks
        ((13, 5, 10), (13,), ((10,), ()), {10: 5}),
        ((13, 5), (13,), ((), ()), {}),
        # 42 is half of 13 (84 = −13) and double of 21
        ((13, 21, 42), (13, 21), ((), ()), {42: 21}),
        ((), (), ((), ()), {}),
    ],
)
def test_harmonics_are_what_the_readout_does_not_hold_by_itself(
    embedding: tuple[int, ...],
    readout: tuple[int, ...],
    pointed_at: tuple[tuple[int, ...], ...],
    found: dict[int, int],
) -> None:
    assert harmonics_of(embedding, readout, pointed_at, 97) == found
