"""Orthogonal matching pursuit, against choosing by least squares on written-out waves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.keys import PlanePursuit
from grokscope.fourier.characters import Characters, pulled_back

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
