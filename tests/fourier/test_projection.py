"""Keeping and removing frequencies, against least squares on plain cosines and sines."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.fourier.characters import keep, project, pulled_back, remove, remove_others, turn

CASES = {
    "odd": (11, 11, [np.arange(11)]),
    "even": (12, 12, [np.arange(12)]),
    "squares": (13, 13, [np.arange(13) ** 2 % 13]),
    "cubes": (13, 13, [np.arange(13) ** 3 % 13]),
    "logarithm": (7, 6, [np.array([-1, 0, 2, 1, 4, 5, 3])]),
    "two coordinates": (11, 11, [2 * np.arange(11) % 11, 3 * np.arange(11) % 11]),
}


def design(p, n, coordinates, frequencies):
    """The constant, rows outside, and cos and sin of each frequency, as they are written."""
    inside = [all(u[x] >= 0 for u in coordinates) for x in range(p)]
    columns = [np.array(inside, float)]
    columns += [np.eye(p)[x] for x in range(p) if not inside[x]]
    for k in frequencies:
        for u in coordinates:
            for f in (np.cos, np.sin):
                columns.append(
                    np.array([f(2 * np.pi * k * u[x] / n) if inside[x] else 0 for x in range(p)])
                )
    return np.column_stack(columns)


def fit(case, frequencies, table):
    p, n, coordinates = CASES[case]
    columns = design(p, n, coordinates, frequencies)
    return columns @ np.linalg.lstsq(columns, table, rcond=1e-10)[0]


@pytest.fixture
def table(case):
    return np.random.default_rng(0).normal(size=(CASES[case][0], 4))


@pytest.fixture
def characters(case):
    _, n, coordinates = CASES[case]
    return pulled_back(coordinates, n)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("keys", [[], [1], [2, 3]])
def test_kept_is_the_fit_by_the_keys(case, keys, table, characters):
    assert_allclose(keep(characters, keys, table), fit(case, keys, table), atol=1e-10)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("keys", [[], [1], [2, 3]])
def test_removed_is_what_the_keys_add_to_the_constant(case, keys, table, characters):
    expected = table - (fit(case, keys, table) - fit(case, [], table))
    assert_allclose(remove(characters, keys, table), expected, atol=1e-10)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("keys", "others"), [([1], [2]), ([2, 3], [1]), ([1], [])])
def test_a_control_removes_what_others_add_to_the_keys(case, keys, others, table, characters):
    expected = table - (fit(case, keys + others, table) - fit(case, keys, table))
    assert_allclose(remove_others(characters, keys, others, table), expected, atol=1e-10)


@pytest.mark.parametrize("case", ["squares", "cubes"])
@pytest.mark.usefixtures("case")
def test_plainly_removing_others_would_have_taken_parts_of_the_keys(table, characters):
    keys, others = [1], [2]
    kept = keep(characters, keys, table)
    plain = keep(characters, keys, remove(characters, others, table))
    beyond = keep(characters, keys, remove_others(characters, keys, others, table))
    assert_allclose(beyond, kept, atol=1e-10)
    assert np.abs(plain - kept).max() > 0.01


@pytest.mark.parametrize("case", ["odd", "even", "logarithm"])
@pytest.mark.usefixtures("case")
def test_all_frequencies_of_a_faithful_basis_keep_everything(table, characters):
    every = range(1, characters.n_frequencies + 1)
    assert_allclose(keep(characters, every, table), table, atol=1e-10)
    assert_allclose(remove(characters, every, table), keep(characters, [], table), atol=1e-10)


def test_projecting_on_nothing_leaves_nothing():
    assert_allclose(project(np.zeros((5, 0)), np.ones((5, 2))), 0)


@pytest.mark.parametrize(("p", "k"), [(11, 3), (12, 5), (13, 1)])
def test_turning_moves_a_wave_and_leaves_all_else(p, k):
    x, angle = np.arange(p), 0.7
    other = np.cos(2 * np.pi * 2 * x / p) + 4
    wave = 2 * np.cos(2 * np.pi * k * x / p) - np.sin(2 * np.pi * k * x / p)
    moved = 2 * np.cos(2 * np.pi * k * x / p + angle) - np.sin(2 * np.pi * k * x / p + angle)
    found = turn(pulled_back([x], p), k, angle, (wave + other)[:, None])
    assert_allclose(found[:, 0], moved + other, atol=1e-10)


def test_each_coordinate_turns_its_own_wave():
    x, angle = np.arange(11), 1.1
    characters = pulled_back([2 * x % 11, 3 * x % 11], 11)
    waves = [np.cos(2 * np.pi * a * x / 11)[:, None] for a in (2, 3)]
    moved = np.cos(2 * np.pi * 3 * x / 11 + angle)[:, None]
    assert_allclose(
        turn(characters, 1, angle, waves[0] + waves[1], part=-1), waves[0] + moved, atol=1e-10
    )
