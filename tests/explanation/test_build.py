"""The built networks are what their formulas say, so that other tests may rely on them."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

CASES = [
    ("x + y", 23, (2, 5, 9)),
    ("x - y", 23, (2, 5, 9)),
    ("x*y", 23, (1, 4, 10)),
    ("x/y", 23, (3, 4, 5)),
    ("x^2 + y^2", 23, (2, 5, 9)),
    ("x^2 - y", 23, (2, 5, 9)),
    ("2x + 3y", 23, (3, 4, 6)),
    ("(x + y)^2", 23, (2, 5, 9)),
]


# the bias of an answer with several sums fits amplitudes of 1, and a pizza's change with u − v
PIZZAS = [case for case in CASES if case[0] != "(x + y)^2"]


@pytest.mark.parametrize(("name", "p", "keys"), CASES)
def test_a_clock_answers_every_defined_pair(
    build_clock: Callable,
    known_structure: Callable,
    in_basis: Callable,
    name: str,
    p: int,
    keys: tuple[int, ...],
) -> None:
    structure = known_structure(name, p)
    about = in_basis(build_clock(structure, keys), structure)
    assert about.defined.sum() >= (p - 1) ** 2
    assert (about.logits.argmax(axis=2) == about.labels)[about.defined].all()


@pytest.mark.parametrize(("name", "p", "keys"), PIZZAS)
def test_a_pizza_answers_all_pairs_but_those_opposite_on_an_even_circle(
    build_clock: Callable,
    known_structure: Callable,
    in_basis: Callable,
    name: str,
    p: int,
    keys: tuple[int, ...],
) -> None:
    structure = known_structure(name, p)
    about = in_basis(build_clock(structure, keys, pizza=True), structure)
    right = (about.logits.argmax(axis=2) == about.labels)[about.defined]
    # at u − v = n/2 every odd k has |cos w_k(u − v)/2| = 0, and even k cannot tell s from s + n/2
    blind = 2 * ((structure.u[:, None] - structure.v) % structure.n) == structure.n
    assert right[~blind[about.defined]].all()
    assert (structure.n % 2 == 0) == blind[about.defined].any()


@pytest.mark.parametrize(
    ("name", "p", "keys", "pizza"),
    [(*case, False) for case in CASES] + [(*case, True) for case in PIZZAS],
)
def test_its_logits_are_the_formula(
    build_clock: Callable,
    known_structure: Callable,
    in_basis: Callable,
    name: str,
    p: int,
    keys: tuple[int, ...],
    pizza: bool,
) -> None:
    structure = known_structure(name, p)
    # a grid leaves harmonics of about 1/phases²
    about = in_basis(build_clock(structure, keys, 64 if pizza else 32, pizza), structure)
    for x, y in [(1, 1), (3, 7), (8, 2), (p - 1, 4)]:
        u, v = int(structure.u[x]), int(structure.v[y])
        for c in (1, 2, 9):
            sums = np.flatnonzero(structure.g == c)
            expected = 0.0
            wave = np.zeros(2 * len(keys))
            for s in sums:
                for i, k in enumerate(keys):
                    w = 2 * np.pi * k / structure.n
                    size = abs(np.cos(w * (u - v) / 2)) if pizza else 1
                    expected += size * np.cos(w * (u + v - s)) / len(sums)
                    wave[2 * i : 2 * i + 2] += np.array([np.cos(w * s), np.sin(w * s)]) / len(sums)
            if len(sums):
                expected += (len(keys) - wave @ wave) / 2
            assert_allclose(about.logits[x, y, c], expected, atol=0.02)


def test_a_clock_at_the_size_of_the_paper(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x^2 + y^2", 97)
    about = in_basis(build_clock(structure, (4, 23, 40), grid=12), structure)
    assert about.full.accuracy.all == 1
