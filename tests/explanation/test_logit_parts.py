"""Key, non-key and residual part of the logits, against a fit pair by pair."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.logits import ROWS, keep_sums, table_a4, trigonometric_losses
from grokscope.explanation.network import NetworkInBasis
from grokscope.explanation.outcome import Outcome
from grokscope.tasks import TEST_LEAKED, TEST_UNLEAKED, TRAIN

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
