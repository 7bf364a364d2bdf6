"""The parts of the logits and their losses, and the logits as waves, against plain loops."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.findings import Mode, Outcome
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.logits import (
    ROWS,
    LogitModes,
    frequency_pair_norms,
    keep_sums,
    logit_modes,
    table_a4,
    trigonometric_losses,
)
from grokscope.explanation.pairs import logits_over_pairs
from grokscope.models import Model
from grokscope.tasks import TEST_LEAKED, TEST_UNLEAKED, TRAIN
from grokscope.tasks.structure import Structure

KEYS = (2, 3)
CASES = [("x + y", 7), ("x*y", 11), ("x^2 + y^2", 13), ("(x + y)^2", 11)]


@pytest.fixture(params=CASES)
def about(
    request: pytest.FixtureRequest, network: Callable, known_structure: Callable, in_basis: Callable
) -> NetworkInBasis:
    name, p = request.param
    rng = np.random.default_rng(0)
    kind = rng.choice([TRAIN, TEST_LEAKED, TEST_UNLEAKED], size=p * p).astype(np.int8)
    return in_basis(network(p=p), known_structure(name, p), kind=kind)


def loss(logits: np.ndarray, label: int) -> float:
    shifted = logits - logits.max()
    return float(np.log(np.exp(shifted).sum()) - shifted[label])


def outcome(about: NetworkInBasis, parts: np.ndarray) -> dict[str, float]:
    """Mean loss over all pairs and over the training pairs, of logits in the order of pairs."""
    x, y = np.nonzero(about.defined)
    assert about.kind is not None
    sides = {"all": np.ones(len(x), bool), "train": about.kind.reshape(about.p, -1)[x, y] == TRAIN}
    losses = np.array(
        [loss(row, about.labels[a, b]) for row, a, b in zip(parts, x, y, strict=True)]
    )
    return {name: float(losses[side].mean()) for name, side in sides.items()}


def naive_parts(about: NetworkInBasis) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Key, non-key and residual part of the logits of all pairs, answer by answer.

    Among the answers that come up, logits are without their mean; other answers have none.
    """
    structure, n = about.basis.structure, about.basis.n
    x, y = np.nonzero(about.defined)
    s = (structure.u[x] + structure.v[y]) % n
    whole = about.logits[x, y].astype(np.float64)
    reached = sorted({int(c) for c in structure.g if c >= 0})
    centred = whole[:, reached] - whole[:, reached].mean(axis=1, keepdims=True)

    def fit(frequencies: Iterable[int]) -> np.ndarray:
        columns = [np.ones(len(s))]
        for k in frequencies:
            columns += [np.cos(2 * np.pi * k * s / n), np.sin(2 * np.pi * k * s / n)]
        design = np.column_stack(columns)
        found = np.zeros_like(whole)
        found[:, reached] = design @ np.linalg.lstsq(design, centred, rcond=1e-10)[0]
        return found

    bias, every = fit([]), fit(range(1, n // 2 + 1))
    key = fit(KEYS) - bias
    other = every - bias - key
    return key, other, whole - key - other


def never(about: NetworkInBasis, logits: np.ndarray) -> np.ndarray:
    """Answers that no sum leads to get a logit far below all others."""
    reached = sorted({int(c) for c in about.basis.structure.g if c >= 0})
    low = np.full_like(logits, -1e4)
    low[:, reached] = logits[:, reached]
    return low


def test_every_row_of_the_table_is_its_combination_of_parts(about: NetworkInBasis) -> None:
    parts = naive_parts(about)
    found = table_a4(about, KEYS)
    assert list(vars(found)) == [
        "train_loss",
        "restricted_loss",
        *(f"ablation_{c}" for c in "abcde"),
    ]
    combined = {
        "train_loss": [0, 1, 2],
        "restricted_loss": [0],
        "ablation_a": [1],
        "ablation_b": [2],
        "ablation_c": [0, 1],
        "ablation_d": [0, 2],
        "ablation_e": [1, 2],
    }
    for row, which in combined.items():
        expected = outcome(about, never(about, sum((parts[i] for i in which), 0 * parts[0])))
        for side, value in expected.items():
            assert_allclose(
                getattr(getattr(found, row), side), value, rtol=1e-4, err_msg=f"{row} {side}"
            )


def test_all_three_parts_are_the_network() -> None:
    assert ROWS["train_loss"] == (True, True, True)
    assert len(set(ROWS.values())) == len(ROWS) == 7


def test_the_first_row_is_the_loss_of_the_network(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    about = in_basis(network(p=7), known_structure("x + y", 7))
    assert_allclose(table_a4(about, KEYS).train_loss.all, about.full.loss.all, rtol=1e-5)


def test_the_keys_and_the_bias_are_what_keep_sums_keeps(about: NetworkInBasis) -> None:
    key, other, _ = naive_parts(about)
    structure = about.basis.structure
    reached = sorted({int(c) for c in structure.g if c >= 0})
    x, y = np.nonzero(about.defined)
    whole = about.logits[x, y][:, reached].astype(np.float64)
    bias = np.zeros_like(key)
    bias[:, reached] = (whole - whole.mean(axis=1, keepdims=True)).mean(axis=0)
    expected = outcome(about, never(about, key + bias))
    found = keep_sums(about, KEYS)
    for side, value in expected.items():
        assert_allclose(getattr(found.loss, side), value, rtol=1e-4)
    assert np.abs(other).max() > 0.01


def test_the_trigonometric_part_is_the_key_part_in_the_waves_of_the_answers(
    about: NetworkInBasis,
) -> None:
    structure, n = about.basis.structure, about.basis.n
    reached = sorted({int(c) for c in structure.g if c >= 0})
    x, y = np.nonzero(about.defined)
    s = (structure.u[x] + structure.v[y]) % n
    whole = about.logits[x, y].astype(np.float64)
    centred = whole[:, reached] - whole[:, reached].mean(axis=1, keepdims=True)
    columns = [np.ones(len(s))]
    for k in KEYS:
        columns += [np.cos(2 * np.pi * k * s / n), np.sin(2 * np.pi * k * s / n)]
    coefficients = np.linalg.lstsq(np.column_stack(columns), centred, rcond=1e-10)[0][1:]
    part = np.zeros_like(whole)
    for i, k in enumerate(KEYS):
        pushed = np.zeros((about.p, 2))
        for t in range(n):
            if structure.g[t] >= 0:
                angle = 2 * np.pi * k * t / n
                pushed[structure.g[t]] += [np.cos(angle), np.sin(angle)]
        answers = pushed[reached] - pushed[reached].mean(axis=0)
        here = coefficients[2 * i : 2 * i + 2]
        along = (answers @ np.linalg.lstsq(answers, here.T, rcond=1e-10)[0]).T
        waves = np.column_stack(columns[1 + 2 * i : 3 + 2 * i])
        part[:, reached] += (waves - waves.mean(axis=0)) @ along
    alone, rest = trigonometric_losses(about, KEYS)
    found: dict[str, tuple[Outcome, np.ndarray]] = {
        "alone": (alone, part),
        "rest": (rest, whole - part),
    }
    for result, logits in found.values():
        for side, value in outcome(about, never(about, logits)).items():
            assert_allclose(getattr(result.loss, side), value, rtol=1e-4)


def test_of_a_clock_the_key_part_is_everything(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x + y", 23)
    about = in_basis(build_clock(structure, (2, 5, 9)), structure)
    table = table_a4(about, (2, 5, 9))
    full = about.full.loss.all
    for row in ("train_loss", "restricted_loss", "ablation_c", "ablation_d"):
        assert_allclose(getattr(table, row).all, full, rtol=0.02)
    # without them every answer is as likely
    for row in ("ablation_a", "ablation_b", "ablation_e"):
        assert_allclose(getattr(table, row).all, np.log(23), rtol=0.01)


BUILT = (3, 4, 6)


def triple(mode: Mode) -> tuple[int, int, int]:
    return mode.x, mode.y, mode.answer


@pytest.mark.parametrize("name", ["x + y", "x - y", "x*y", "x/y", "2x + 3y"])
def test_a_clock_has_k_k_and_minus_k_alone(
    build_clock: Callable, known_structure: Callable, in_basis: Callable, name: str
) -> None:
    structure = known_structure(name, 23)
    found = logit_modes(in_basis(build_clock(structure, BUILT), structure))
    strongest = found.strongest(4)
    assert sorted(triple(mode) for mode in strongest[:3]) == [(k, k, -k) for k in BUILT]
    assert_allclose([mode.share for mode in strongest[:3]], 1 / 3, rtol=1e-4)
    assert strongest[3].share < 1e-4


def test_a_clock_of_squares_has_them_above_all_others(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x^2 + y^2", 23)
    strongest = logit_modes(in_basis(build_clock(structure, BUILT), structure)).strongest(4)
    assert sorted(triple(mode) for mode in strongest[:3]) == [(k, k, -k) for k in BUILT]
    assert strongest[3].share < 0.1 * strongest[2].share


def test_a_readout_on_lines_has_each_mode_once_and_a_bias(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("(x + y)^2", 23)
    found = logit_modes(in_basis(build_clock(structure, BUILT), structure))
    strongest = found.strongest(6)
    assert sorted(triple(mode) for mode in strongest[:3]) == [(k, k, k) for k in BUILT]
    # −|z(c)|²/2 is of frequency 2k; over the answers, 0 and the squares, lines overlap a little
    assert sorted(triple(mode) for mode in strongest[3:]) == [(0, 0, 6), (0, 0, 8), (0, 0, 11)]
    bias = sum(mode.share for mode in strongest[3:])
    assert bias <= found.shares[0, 0].sum() < 1.2 * bias


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


def test_of_a_mode_and_its_conjugate_the_one_that_begins_positive_stands(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    found = logit_modes(in_basis(network(p=11), known_structure("x*y", 11)))
    signs = {next((k > 0 for k in triple(mode) if k), True) for mode in found.strongest(10**6)}
    assert signs == {True}


Make = Callable[..., Model]


def wave(p: int, k: int, sign: int = 1) -> np.ndarray:
    """cos(2πk(x ± y − c)/p) at [x, y, c]."""
    x, y, c = np.ogrid[:p, :p, :p]
    return np.cos(2 * np.pi * k * (x + sign * y - c) / p)


@pytest.mark.parametrize(("layers", "task"), [(1, 0), (1, 1), (2, 0)])
def test_logits_agree_with_a_loop_over_pairs(
    network: Make, one_pass: Callable, layers: int, task: int
) -> None:
    model = network(layers=layers, n_tasks=2)
    logits = logits_over_pairs(model, task)
    assert logits.shape == (7, 7, 7)
    for x, y in [(0, 0), (2, 5), (5, 2), (6, 6)]:
        assert_allclose(
            logits[x, y], one_pass(model, [x, 7 + task, y]).logits, rtol=1e-3, atol=1e-3
        )


@pytest.mark.parametrize("p", [7, 11, 12])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("k", [1, 3])
def test_a_clock_has_four_equal_modes(p: int, sign: int, k: int) -> None:
    # cos w(x + y − c) = (cos cos − sin sin) cos wc + (sin cos + cos sin) sin wc: four products of
    # unit waves with coefficient p/2, times the norm √(p/2) of a wave over the answers
    norms = frequency_pair_norms(wave(p, k, sign))
    expected = np.zeros((p, p))
    expected[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1] = (p / 2) ** 1.5
    assert_allclose(norms, expected, atol=1e-9)


def test_modes_of_x_come_first_and_a_wave_of_y_alone_is_in_the_first_row() -> None:
    y, c = np.arange(9)[:, None], np.arange(9)
    logits = np.broadcast_to(np.sin(2 * np.pi * 2 * y / 9) * (c == 4), (9, 9, 9))
    norms = frequency_pair_norms(logits)
    # sine of frequency 2 in y, constant in x
    assert np.unravel_index(norms.argmax(), norms.shape) == (0, 4)
    # √9 · √(9/2) times the norm of one answer among nine without its mean
    assert_allclose(norms[0, 4], 3 * np.sqrt(4.5) * np.sqrt(8 / 9))
    assert_allclose(np.delete(norms.ravel(), 4), 0, atol=1e-12)


@pytest.mark.parametrize("p", [5, 8])
def test_norms_keep_all_that_a_probability_depends_on(p: int) -> None:
    logits = np.random.default_rng(0).normal(size=(p, p, p))
    centred = logits - logits.mean(axis=2, keepdims=True)
    norms = frequency_pair_norms(logits)
    assert_allclose((norms**2).sum(), (centred**2).sum())
    shifted = logits + np.random.default_rng(1).normal(size=(p, p, 1))
    assert_allclose(frequency_pair_norms(shifted), norms)


def test_shorter_floats_are_accepted() -> None:
    logits = wave(7, 2)
    assert_allclose(
        frequency_pair_norms(logits.astype(np.float32)), frequency_pair_norms(logits), atol=1e-5
    )
