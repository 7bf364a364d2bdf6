"""The null, the pursuit of planes, and the keys that stand out."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.keys import (
    Keys,
    PlanePursuit,
    confirm_keys,
    find_keys,
    permutation_null,
    with_ghosts,
)
from grokscope.fourier.characters import Characters, pulled_back, pushed_forward


def shares(table: np.ndarray, characters: Characters) -> list[list[float]]:
    """Energy of each part and frequency over the energy beyond the constant, by least squares."""
    centred = table - table.mean(axis=0)
    return [
        [float(np.sum((plane.T @ centred) ** 2) / np.sum(centred**2)) for plane in part]
        for part in characters.parts
    ]


@pytest.mark.parametrize(
    "coordinates", [[np.arange(9)], [2 * np.arange(11) % 11, 3 * np.arange(11) % 11]]
)
def test_it_is_what_a_loop_over_permutations_finds(coordinates: list[np.ndarray]) -> None:
    p = len(coordinates[0])
    characters = pulled_back(coordinates, p)
    table = np.random.default_rng(1).normal(size=(p, 5)) * np.arange(1, 6)
    null = permutation_null(table, characters, draws=60)
    rng, largest, two = np.random.default_rng(0), [], []
    for _ in range(60):
        found = np.array(shares(table[rng.permutation(p)], characters))
        largest.append(found.max())
        two.append(np.sort(found.sum(axis=0))[-2:].sum())
    assert_allclose(null.threshold, np.quantile(largest, 0.99))
    assert_allclose(null.strongest[1], min(1, np.quantile(np.minimum(two, 1), 0.99)))


def test_other_bases_that_were_tried_raise_the_threshold() -> None:
    table = np.random.default_rng(1).normal(size=(13, 3))
    plain = pulled_back([np.arange(13)], 13)
    squares = pulled_back([np.arange(13) ** 2 % 13], 13)
    own, both = (permutation_null(table, plain, tried, draws=200) for tried in ([], [squares]))
    other = permutation_null(table, squares, draws=200)
    assert both.threshold >= max(own.threshold, other.threshold)
    assert both.threshold > own.threshold
    assert_allclose(both.strongest, own.strongest)


def test_a_table_of_low_rank_has_a_higher_threshold() -> None:
    rng = np.random.default_rng(2)
    characters = pulled_back([np.arange(31)], 31)
    full = rng.normal(size=(31, 30))
    thin = rng.normal(size=(31, 2)) @ rng.normal(size=(2, 30))
    assert (
        permutation_null(thin, characters, draws=100).threshold
        > permutation_null(full, characters, draws=100).threshold + 0.1
    )


def test_rows_outside_stay_out_of_the_permutations() -> None:
    coordinate = np.array([-1, 0, 1, 3, 2, 4])
    characters = pulled_back([coordinate], 5)
    table = np.random.default_rng(3).normal(size=(6, 2))
    far = table.copy()
    far[0] = 1e6
    a, b = (permutation_null(t, characters, draws=20) for t in (table, far))
    assert_allclose(a.threshold, b.threshold)


def test_a_constant_table_holds_nothing() -> None:
    null = permutation_null(np.ones((7, 3)), pulled_back([np.arange(7)], 7), draws=10)
    assert null.threshold == 0
    assert_allclose(null.strongest, 0)


def test_one_table_in_a_hundred_passes() -> None:
    """Of 300 random tables 3 should have a frequency above their own threshold; 11 are 1e-4."""
    characters = pulled_back([np.arange(13)], 13)
    rng = np.random.default_rng(4)
    passed = 0
    for _ in range(300):
        table = rng.normal(size=(13, 3))
        threshold = permutation_null(table, characters, draws=100).threshold
        passed += max(shares(table, characters)[0]) > threshold
    assert passed <= 11


P = 13


def explained(table: np.ndarray, u: np.ndarray, frequencies: list[int]) -> float:
    """Share of the variance that cos and sin of some frequencies of u fit."""
    angles = [2 * np.pi * k * u / P for k in frequencies]
    columns = [np.ones(P)] + [f(a) for a in angles for f in (np.cos, np.sin)]
    design = np.column_stack(columns)
    rest = table - design @ np.linalg.lstsq(design, table, rcond=1e-10)[0]
    centred = table - table.mean(axis=0)
    return 1 - float(np.sum(rest**2) / np.sum(centred**2))


@pytest.mark.parametrize("power", [1, 2, 3])
def test_it_takes_what_adds_most_every_time(power: int) -> None:
    u = np.arange(P) ** power % P
    characters = pulled_back([u], P)
    rng = np.random.default_rng(power)
    table = np.cos(2 * np.pi * 2 * u / P)[:, None] * 3 + rng.normal(size=(P, 4))
    pursuit = PlanePursuit(table, characters)
    chosen: list[int] = []
    while len(chosen) < 2:
        gains = pursuit.gains()
        before = explained(table, u, chosen)
        expected = [explained(table, u, [*chosen, k]) - before for k in range(1, 7)]
        for k in range(1, 7):
            assert_allclose(gains[pursuit.number[0, k - 1]], expected[k - 1], atol=1e-6)
        pursuit.run(0.0, most=pursuit.dimensions + 1)
        taken = 1 + pursuit.number[0].tolist().index(pursuit.chosen[-1])
        # of the cubes some frequencies have the same plane, so that two can add most
        assert_allclose(expected[taken - 1], max(expected), atol=1e-9)
        chosen.append(taken)
        assert_allclose(pursuit.energy, explained(table, u, chosen), atol=1e-9)
        assert_allclose(np.sum(pursuit.residual.mean(axis=0) ** 2), 0, atol=1e-20)


def test_it_stops_at_the_threshold_and_at_the_room() -> None:
    x = np.arange(P)
    angle = 2 * np.pi * np.outer(x, [1, 3, 4]) / P
    table = np.cos(angle) * [3.0, 2.0, 0.1]
    characters = pulled_back([x], P)

    def chosen(threshold: float, most: int, among: list[int] | None = None) -> list[int]:
        pursuit = PlanePursuit(table, characters)
        pursuit.run(threshold, most, among)
        return [1 + pursuit.number[0].tolist().index(plane) for plane in pursuit.chosen]

    assert chosen(0.01, 99) == [1, 3]
    assert chosen(1e-5, 99) == [1, 3, 4]
    assert chosen(1e-5, 2) == [1]
    number = PlanePursuit(table, characters).number[0].tolist()
    assert chosen(1e-5, 99, [number[3], number[2]]) == [3, 4]


def characters_of(*coordinates: np.ndarray) -> Characters:
    return pulled_back(list(coordinates), P)


def test_a_plane_that_two_coordinates_share_has_one_number() -> None:
    x = np.arange(P)
    number = PlanePursuit(np.eye(P), characters_of(2 * x % P, 3 * x % P)).number
    for k in range(1, 7):
        for j in range(1, 7):
            same = (2 * k - 3 * j) % P == 0 or (2 * k + 3 * j) % P == 0
            assert (number[0, k - 1] == number[1, j - 1]) == same


def test_a_table_of_nothing_chooses_nothing() -> None:
    pursuit = PlanePursuit(np.zeros((P, 2)), characters_of(np.arange(P)))
    pursuit.run(0.0, 99)
    assert (pursuit.chosen, pursuit.energy, pursuit.dimensions) == ([], 0.0, 0)
    assert_allclose(pursuit.shares(), 0)


DRAWS = 100


def table_of(
    coordinates: list[np.ndarray], n: int, amplitudes: dict[int, float], noise: float = 0.0
) -> np.ndarray:
    """Circles of every coordinate, each in directions of its own, and noise."""
    rng = np.random.default_rng(0)
    p = len(coordinates[0])
    table = noise * rng.normal(size=(p, 40))
    for u in coordinates:
        for k, amplitude in amplitudes.items():
            angle = 2 * np.pi * k * u / n
            axes = np.linalg.qr(rng.normal(size=(40, 2)))[0]
            wave = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (u >= 0)[:, None]
            table += amplitude * wave @ axes.T
    return table


def keys_of(table: np.ndarray, characters: Characters) -> Keys:
    return find_keys(table, characters, draws=DRAWS)


@pytest.mark.parametrize("p", [31, 32])
def test_built_in_keys_come_back_the_strongest_first(p: int) -> None:
    x = np.arange(p)
    amplitudes = {7: 3.0, 2: 2.0, 11: 1.0}
    table = table_of([x], p, amplitudes, noise=0.05)
    keys = keys_of(table, pulled_back([x], p))
    assert keys.frequencies == (7, 2, 11)
    assert not keys.saturated
    assert (keys.ghosts, keys.pointed_at) == ((), ())
    # the share of the keys by least squares on the waves themselves
    angle = 2 * np.pi * np.outer(x, [7, 2, 11]) / p
    design = np.column_stack([np.ones(p), np.cos(angle), np.sin(angle)])
    centred = table - table.mean(axis=0)
    rest = centred - design @ np.linalg.lstsq(design, centred, rcond=None)[0]
    assert_allclose(keys.energy, 1 - np.sum(rest**2) / np.sum(centred**2))
    assert keys.energy > keys.null_energy > keys.threshold


def test_the_last_frequency_of_an_even_group_can_be_a_key() -> None:
    x = np.arange(16)
    table = table_of([x], 16, {8: 3.0, 3: 2.0}, noise=0.05)
    assert set(keys_of(table, pulled_back([x], 16)).frequencies) == {8, 3}


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_keys(seed: int) -> None:
    table = np.random.default_rng(seed).normal(size=(31, 40))
    keys = keys_of(table, pulled_back([np.arange(31)], 31))
    assert (keys.frequencies, keys.energy, keys.null_energy) == ((), 0.0, 0.0)


def test_keys_of_another_group_are_not_seen() -> None:
    log = np.full(31, -1)
    log[[pow(3, s, 31) for s in range(30)]] = np.arange(30)
    table = table_of([log], 30, {3: 2.0, 8: 2.0}, noise=0.05)
    assert set(keys_of(table, pulled_back([log], 30)).frequencies) == {3, 8}
    assert keys_of(table, pulled_back([np.arange(31)], 31)).frequencies == ()


def test_a_weak_frequency_needs_another_matrix_to_point_at_it() -> None:
    x = np.arange(31)
    characters = pulled_back([x], 31)
    table = table_of([x], 31, {7: 3.0, 2: 0.3}, noise=0.005)
    keys = keys_of(table, characters)
    assert keys.frequencies == (7,)  # 2 holds 1%, less than a key must
    confirmed = confirm_keys(table, characters, keys, {2, 5, 7})
    assert (confirmed.frequencies, confirmed.pointed_at) == ((7, 2), (2,))
    assert confirmed.energy > keys.energy
    assert confirm_keys(table, characters, keys, {5, 9}) == keys
    assert confirm_keys(table, characters, keys, {7}) is keys


def test_two_coordinates_need_both_their_parts() -> None:
    x = np.arange(31)
    u, v = 2 * x % 31, 3 * x % 31
    characters = pulled_back([u, v], 31)
    both = table_of([u, v], 31, {5: 2.0}, noise=0.05)
    assert keys_of(both, characters).frequencies == (5,)
    alone = table_of([u], 31, {5: 2.0}, noise=0.05)
    assert keys_of(alone, characters).frequencies == ()


def test_a_ghost_is_made_of_the_parts_of_other_keys() -> None:
    x = np.arange(31)
    u, v = 2 * x % 31, 3 * x % 31
    characters = pulled_back([u, v], 31)
    # at k the planes 2k and 3k of x, up to signs
    planes = {k: {min(c * k % 31, -c * k % 31) for c in (2, 3)} for k in range(1, 16)}
    ghosts = {
        (a, b, c)
        for a in planes
        for b in planes
        for c in planes
        if a < b and c not in (a, b) and planes[c] <= planes[a] | planes[b]
    }
    for a, b, c in sorted(ghosts)[:3]:
        found = keys_of(table_of([u, v], 31, {a: 2.0, b: 3.0}, noise=0.05), characters)
        every = set(found.frequencies) | set(found.ghosts)
        assert every == {k for k in planes if planes[k] <= planes[a] | planes[b]}
        assert c in every
        real = with_ghosts(found, [a, b, c])
        assert set(real.frequencies) == every & ({a, b, c} | set(found.frequencies))
        assert set(real.ghosts) == every - set(real.frequencies)


def test_keys_that_fill_what_the_squares_tell_apart_are_saturated() -> None:
    x = np.arange(13)
    u = x**2 % 13
    characters = pulled_back([u], 13)
    table = table_of([u], 13, {1: 2.0, 2: 2.0, 3: 2.0}, noise=0.01)
    keys = keys_of(table, characters)
    assert keys.saturated
    assert confirm_keys(table, characters, keys, {5}) is keys
    assert not keys_of(np.random.default_rng(0).normal(size=(13, 9)), characters).saturated


def test_answers_have_keys_too() -> None:
    s = np.arange(31)
    characters = pushed_forward(s**2 % 31, 31)
    pushed = np.zeros((31, 2))
    for i, wave in enumerate((np.cos, np.sin)):
        for t in s:
            pushed[t**2 % 31, i] += wave(2 * np.pi * 4 * t / 31)
    table = pushed @ np.random.default_rng(0).normal(size=(2, 20))
    assert keys_of(table, characters).frequencies == (4,)


@pytest.mark.parametrize("n", [2, 3])
def test_the_smallest_groups_and_empty_tables_do_not_break(n: int) -> None:
    characters = pulled_back([np.arange(n)], n)
    drawn = keys_of(np.random.default_rng(0).normal(size=(n, 4)), characters)
    assert set(drawn.frequencies) <= {1}
    empty = keys_of(np.zeros((n, 4)), characters)
    assert (empty.frequencies, empty.energy, empty.threshold) == ((), 0.0, 0.0)


def test_shorter_floats_give_the_same_keys() -> None:
    x = np.arange(31)
    table = table_of([x], 31, {7: 3.0, 2: 2.0}, noise=0.05)
    characters = pulled_back([x], 31)
    double, single = (keys_of(t, characters) for t in (table, table.astype(np.float32)))
    assert single.frequencies == double.frequencies
    assert_allclose(dataclasses.astuple(single)[3:6], dataclasses.astuple(double)[3:6], rtol=1e-5)
