"""Key frequencies that were put into a table come back; those that were not do not."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.keys import Keys, confirm_keys, find_keys, with_ghosts
from grokscope.fourier.characters import Characters, pulled_back, pushed_forward

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
