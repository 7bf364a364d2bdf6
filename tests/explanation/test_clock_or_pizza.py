from collections.abc import Callable

import equinox as eqx
import numpy as np
import pytest

from grokscope.explanation import clock_or_pizza as module
from grokscope.explanation.clock_or_pizza import (
    circularity,
    clock_or_pizza,
    clock_or_pizza_word,
    distance_irrelevance,
)
from grokscope.explanation.patching import embedding_vectors

KEYS = (3, 4, 6)
NAMES = ["x + y", "x - y", "x*y", "x/y", "x^2 + y^2", "x^2 - y", "2x + 3y"]


@pytest.mark.parametrize("name", NAMES)
def test_a_built_clock_is_a_clock(
    build_clock: Callable, known_structure: Callable, in_basis: Callable, name: str
) -> None:
    structure = known_structure(name, 23)
    found = clock_or_pizza(in_basis(build_clock(structure, KEYS, 24), structure), KEYS)
    assert found.kind == "clock"
    # gradients turn with w_k u and w_k v, so that their angle is w_k(u − v)
    assert found.gradient_symmetricity == pytest.approx(0, abs=0.06)
    assert found.distance_irrelevance == 1
    assert (found.plain_symmetricity is not None) == (name in ("x + y", "x*y", "x^2 + y^2"))


@pytest.mark.parametrize("name", NAMES)
def test_a_built_pizza_is_a_pizza(
    build_clock: Callable, known_structure: Callable, in_basis: Callable, name: str
) -> None:
    structure = known_structure(name, 23)
    found = clock_or_pizza(in_basis(build_clock(structure, KEYS, 48, pizza=True), structure), KEYS)
    assert found.kind == "pizza"
    assert found.gradient_symmetricity == pytest.approx(1, abs=1e-5)
    assert found.distance_irrelevance == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("architecture", ["transformer", "mlp"])
def test_a_random_network_is_no_pizza(
    network: Callable, known_structure: Callable, in_basis: Callable, architecture: str
) -> None:
    about = in_basis(network(p=23, architecture=architecture), known_structure("x + y", 23))
    found = clock_or_pizza(about, (2, 3))
    assert found.distance_irrelevance == pytest.approx(1, abs=0.1)
    assert found.kind != "pizza"


def test_an_mlp_without_operators_is_symmetric(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    # it adds up its tokens, so that x and y have the same gradient
    found = clock_or_pizza(in_basis(network(architecture="mlp"), known_structure("x + y", 7)), (1,))
    assert found.gradient_symmetricity == pytest.approx(1)
    assert found.plain_symmetricity == pytest.approx(1)


@pytest.mark.parametrize(("name", "p"), [("x + y", 7), ("x - y", 7), ("x*y", 11)])
def test_symmetricity_agrees_with_differences(
    network: Callable,
    one_pass: Callable,
    known_structure: Callable,
    in_basis: Callable,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    p: int,
) -> None:
    monkeypatch.setattr(module, "SAMPLES", 6)
    structure, model = known_structure(name, p), network(p=p)
    about = in_basis(model, structure)
    # the pairs and answers that are drawn
    rng = np.random.default_rng(0)
    pairs = rng.permutation(np.flatnonzero(about.defined))[:6]
    answers = rng.choice(np.unique(structure.g), size=6)
    directions = {c: embedding_vectors(about, (1, 2), c).reshape(4, -1) for c in ("u", "v")}
    table = np.asarray(model.W_E, np.float64)

    def gradient(pair: int, answer: int, position: int, along: np.ndarray) -> np.ndarray:
        slopes = []
        for direction in along:
            values = []
            for step in (1e-6, -1e-6):
                rows = np.stack([table[pair // p], table[pair % p]])
                rows[position] += step * direction
                moved = eqx.tree_at(lambda m: m.W_E, model, np.concatenate([table, rows]))
                values.append(one_pass(moved, [p + 1, p, p + 2]).logits[answer])
            slopes.append((values[0] - values[1]) / 2e-6)
        return np.array(slopes)

    def cosine(of_x: np.ndarray, of_y: np.ndarray) -> float:
        cosines = []
        for pair, answer in zip(pairs.tolist(), answers.tolist(), strict=True):
            a, b = gradient(pair, answer, 0, of_x), gradient(pair, answer, 1, of_y)
            cosines.append(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        return float(np.mean(cosines))

    found = clock_or_pizza(about, (1, 2))
    expected = cosine(directions["u"], directions["v"])
    assert found.gradient_symmetricity == pytest.approx(expected, abs=1e-3)
    if name == "x - y":
        assert found.plain_symmetricity is None
    else:
        plain = cosine(np.eye(12), np.eye(12))
        assert found.plain_symmetricity == pytest.approx(plain, abs=1e-3)


@pytest.mark.parametrize(("name", "p"), [("x + y", 7), ("x*y", 11), ("x^2 - y", 11)])
def test_distance_irrelevance_agrees_with_a_loop(
    network: Callable, known_structure: Callable, in_basis: Callable, name: str, p: int
) -> None:
    about = in_basis(network(p=p), known_structure(name, p))
    groups: dict[int, list[float]] = {}
    for x, y in np.argwhere(about.defined).tolist():
        d = int(about.basis.structure.u[x] - about.basis.structure.v[y]) % about.basis.n
        groups.setdefault(d, []).append(float(about.logits[x, y, about.labels[x, y]]))
    of_all = np.std(np.concatenate(list(groups.values())))
    expected = np.mean([np.std(group) for group in groups.values()]) / of_all
    assert distance_irrelevance(about) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("name", "p"), [("x + y", 7), ("x - y", 11), ("x*y", 11), ("2x + 3y", 11)])
def test_circularity_is_the_published_formula(
    network: Callable, known_structure: Callable, in_basis: Callable, name: str, p: int
) -> None:
    structure = known_structure(name, p)
    about = in_basis(network(p=p), structure)
    inside = structure.u >= 0
    rows = about.embedding[inside] - about.embedding[inside].mean(axis=0)
    components = np.linalg.svd(rows)[0][:, :4].T
    n, count, means = structure.n, inside.sum(), []
    for w in (structure.u[inside], structure.v[inside]):
        best = []
        for v in components:
            shares = []
            for k in range(1, n // 2 + 1):
                factor = 1 if 2 * k == n else 2
                wave = np.sum(v * np.exp(2j * np.pi * k * w / n))
                shares.append(factor / (count * np.sum(v**2)) * abs(wave) ** 2)
            best.append(max(shares))
        means.append(np.mean(best))
    assert circularity(about) == pytest.approx(max(means))


def test_circles_of_different_sizes_are_circular(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x*y", 23)
    model = build_clock(structure, (2, 5), 4)
    scale = np.ones(model.W_E.shape[1], np.float32)
    scale[:2] = 2
    about = in_basis(eqx.tree_at(lambda m: m.W_E, model, model.W_E * scale[None]), structure)
    assert circularity(about) == pytest.approx(1)


def test_untestable_is_none(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    without = clock_or_pizza(in_basis(network(), known_structure("x + y", 7)), ())
    assert without.circularity is not None
    small = clock_or_pizza(in_basis(network(p=3), known_structure("x + y", 3)), (1,))
    for found in (without, small):
        assert (found.gradient_symmetricity, found.distance_irrelevance, found.kind) == (None,) * 3


def test_kind_needs_both_numbers_to_agree() -> None:
    assert clock_or_pizza_word(0.99, 0.2) == "pizza"
    assert clock_or_pizza_word(0.33, 0.85) == "clock"
    assert (
        clock_or_pizza_word(0.99, 0.9)
        == clock_or_pizza_word(0.33, 0.2)
        == clock_or_pizza_word(0.7, 0.2)
        == "neither"
    )
    assert clock_or_pizza_word(None, 0.2) is None
    assert clock_or_pizza_word(0.9, None) is None
