from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.findings import Mode
from grokscope.explanation.logit_waves import LogitModes, logit_modes
from grokscope.tasks.structure import Structure

KEYS = (3, 4, 6)


def triple(mode: Mode) -> tuple[int, int, int]:
    return mode.x, mode.y, mode.answer


@pytest.mark.parametrize("name", ["x + y", "x - y", "x*y", "x/y", "2x + 3y"])
def test_a_clock_has_k_k_and_minus_k_alone(
    build_clock: Callable, known_structure: Callable, in_basis: Callable, name: str
) -> None:
    structure = known_structure(name, 23)
    found = logit_modes(in_basis(build_clock(structure, KEYS), structure))
    strongest = found.strongest(4)
    assert sorted(triple(mode) for mode in strongest[:3]) == [(k, k, -k) for k in KEYS]
    assert_allclose([mode.share for mode in strongest[:3]], 1 / 3, rtol=1e-4)
    assert strongest[3].share < 1e-4
    expected = np.zeros((12, 12))
    expected[KEYS, KEYS] = 1 / 3
    assert_allclose(
        found.input_to_answer, expected[: structure.n // 2 + 1, : structure.n // 2 + 1], atol=1e-4
    )


def test_a_clock_of_squares_has_them_above_all_others(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x^2 + y^2", 23)
    strongest = logit_modes(in_basis(build_clock(structure, KEYS), structure)).strongest(4)
    assert sorted(triple(mode) for mode in strongest[:3]) == [(k, k, -k) for k in KEYS]
    assert strongest[3].share < 0.1 * strongest[2].share


def test_a_readout_on_lines_has_each_mode_once_and_a_bias(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("(x + y)^2", 23)
    found = logit_modes(in_basis(build_clock(structure, KEYS), structure))
    strongest = found.strongest(6)
    assert sorted(triple(mode) for mode in strongest[:3]) == [(k, k, k) for k in KEYS]
    # −|z(c)|²/2 is of frequency 2k; over the answers, 0 and the squares, lines overlap a little
    assert sorted(triple(mode) for mode in strongest[3:]) == [(0, 0, 6), (0, 0, 8), (0, 0, 11)]
    bias = sum(mode.share for mode in strongest[3:])
    assert bias <= found.input_to_answer[0].sum() < 1.2 * bias


def test_a_pizza_depends_on_the_difference_too(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x + y", 23)
    found = logit_modes(in_basis(build_clock(structure, (3,), 48, pizza=True), structure))
    # |cos w(u − v)/2| is of frequencies 0, k, 2k … of u − v
    first, *rest = found.strongest(3)
    assert triple(first) == (3, 3, -3)
    assert first.share < 0.9
    assert {triple(mode) for mode in rest} == {(0, 6, -3), (6, 0, -3)}


def planes(structure: Structure, found: LogitModes) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Yield each mode with a basis of its plane over the defined pairs, by its definition."""
    n = structure.n
    rows = [np.flatnonzero(w >= 0) for w in (structure.u, structure.v)]
    reached = np.unique(structure.g[structure.g >= 0])
    for j, l_, m in np.argwhere(found.shares > 0):
        sides = []
        for k, w, row in zip((j, l_), (structure.u, structure.v), rows, strict=True):
            wave = np.exp(2j * np.pi * k * w[row] / n)
            sides.append(wave - wave.mean() if k else wave)
        turn = np.exp(2j * np.pi * (m + 1) * np.arange(n) / n)
        answer = np.array([turn[structure.g == c].mean() for c in reached])
        wave = np.einsum("x,y,c->xyc", *sides, answer - answer.mean()).ravel()
        yield (int(j), int(l_), int(m)), np.stack([wave.real, wave.imag], axis=1)


@pytest.mark.parametrize(
    ("name", "p"), [("x + y", 7), ("x*y", 7), ("x - y", 5), ("x^2 + y^2", 7), ("(x + y)^2", 7)]
)
def test_shares_agree_with_least_squares(
    network: Callable, known_structure: Callable, in_basis: Callable, name: str, p: int
) -> None:
    structure = known_structure(name, p) if name != "x*y" else seven()
    about = in_basis(network(p=p), structure)
    found = logit_modes(about)
    inside = np.unique(structure.g[structure.g >= 0])
    rows, columns = np.flatnonzero(structure.u >= 0), np.flatnonzero(structure.v >= 0)
    logits = about.logits[np.ix_(rows, columns, inside)].astype(np.float64)
    logits = (logits - logits.mean(axis=2, keepdims=True)).ravel()
    checked = 0
    for place, basis in planes(structure, found):
        left, singular, _ = np.linalg.svd(basis, full_matrices=False)
        left = left[:, singular > 1e-6 * singular[0]]
        share = np.sum((left.T @ logits) ** 2) / np.sum(logits**2)
        assert found.shares[place] == pytest.approx(share, rel=1e-4, abs=1e-9)
        checked += 1
    # conjugates are counted once: with bijective coordinates the modes are all there is
    if name in ("x + y", "x*y", "x - y"):
        assert found.shares.sum() == pytest.approx(1)
        n = structure.n
        assert checked == n * n * (n // 2) - (n * n // 2 - 2 if n % 2 == 0 else 0)


def seven() -> Structure:
    """x*y mod 7."""
    power = np.array([1, 3, 2, 6, 4, 5])
    log = np.full(7, -1)
    log[power] = np.arange(6)
    return Structure("multiplicative", 6, log, log, power, "u", "v", "g", "x*y")


def test_the_table_sums_the_modes_of_equal_input_frequency(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    found = logit_modes(in_basis(network(p=11), known_structure("x*y", 11)))
    expected = np.zeros((6, 6))
    for mode in found.strongest(10**6):
        if abs(mode.x) == abs(mode.y):
            expected[abs(mode.x), abs(mode.answer)] += mode.share
    assert_allclose(found.input_to_answer, expected, rtol=1e-9)
    signs = {next((k > 0 for k in triple(mode) if k), True) for mode in found.strongest(10**6)}
    assert signs == {True}
