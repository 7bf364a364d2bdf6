from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.errors import UsageError
from grokscope.explanation.attention import attention_findings, attention_patterns, mean_attention
from grokscope.models import Model, Transformer
from grokscope.tasks.structure import Structure

Make = Callable[..., Model]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("task", [0, 1])
def test_agrees_with_a_loop_over_heads_and_positions(
    network: Make, one_pass: Callable, layers: int, task: int
) -> None:
    model = network(layers=layers, n_tasks=2)
    patterns = attention_patterns(model, task=task)
    assert patterns.shape == (3, 3, 7, 7)
    for x, y in [(0, 0), (2, 5), (5, 2), (6, 6)]:
        expected = one_pass(model, [x, 7 + task, y]).pattern
        assert_allclose(patterns[:, :, x, y], expected, rtol=2e-4)


def test_an_earlier_block_can_be_read(network: Make) -> None:
    model = network(layers=2)
    first, last = attention_patterns(model, layer=0), attention_patterns(model, layer=1)
    assert_allclose(last, attention_patterns(model))
    assert_allclose(first, attention_patterns(model, layer=-2))
    assert np.abs(first - last).max() > 0.1


def test_weights_sum_to_one_and_means_are_over_pairs(network: Make) -> None:
    patterns = attention_patterns(network())
    assert_allclose(patterns.sum(axis=1), np.ones((3, 7, 7)), rtol=1e-5)
    mean = [
        [np.mean([row[x, y] for x in range(7) for y in range(7)]) for row in head]
        for head in patterns
    ]
    assert_allclose(mean_attention(patterns), mean, rtol=1e-5)


def test_what_has_no_attention_is_refused(network: Make) -> None:
    with pytest.raises(UsageError, match="an MLP has no attention"):
        attention_patterns(network(architecture="mlp"))
    with pytest.raises(UsageError, match="no such block; got 1; allowed: 0 to 0"):
        attention_patterns(network(), layer=1)


@pytest.mark.parametrize(("name", "p"), [("x + y", 7), ("x*y", 11), ("x^2 - y", 11)])
def test_summary_agrees_with_a_loop_over_pairs(
    network: Make,
    one_pass: Callable,
    known_structure: Callable,
    in_basis: Callable,
    name: str,
    p: int,
) -> None:
    structure, keys = known_structure(name, p), (1, 3)
    model = network(p=p)
    assert isinstance(model, Transformer)
    found = attention_findings(in_basis(model, structure), keys)
    pairs = [
        (x, y) for x in range(p) for y in range(p) if structure.u[x] >= 0 and structure.v[y] >= 0
    ]
    patterns = np.array([one_pass(model, [x, p, y]).pattern for x, y in pairs])
    x, y = np.array(pairs).T
    inside = np.unique(x)
    assert [summary.head for summary in found] == [0, 1, 2]
    for h, summary in enumerate(found):
        assert_allclose(summary.mean, patterns[:, h].mean(axis=0), rtol=1e-4)
        assert_allclose(summary.deviation, patterns[:, h].std(axis=0), rtol=1e-3)
        to_x, shares = patterns[:, h, 0], []
        for k in range(1, structure.n // 2 + 1):
            sides = [columns(structure, w, [k], np.arange(p)) for w in ("u", "v")]
            nine = np.stack([a[x] * b[y] for a in sides[0].T for b in sides[1].T], axis=1)
            fit = nine @ np.linalg.lstsq(nine, to_x, rcond=1e-9)[0]
            shares.append(fit.var() / to_x.var())
        assert summary.frequency == np.argmax(shares) + 1
        assert summary.share == pytest.approx(max(shares), rel=1e-3)
        W_V, W_O = (
            np.asarray(W[h], np.float64) for W in (model.blocks[0].W_V, model.blocks[0].W_O)
        )
        moved = np.asarray(model.W_E, np.float64)[inside] @ W_V @ W_O
        moved = moved - moved.mean(axis=0)
        assert summary.moved == pytest.approx(np.linalg.norm(moved))
        of_x = columns(structure, "u", keys, inside)
        both = np.concatenate([of_x, columns(structure, "v", keys, inside)], axis=1)
        assert summary.in_keys_of_x == pytest.approx(explained(of_x, moved))
        assert summary.in_keys == pytest.approx(explained(both, moved))


def columns(structure: Structure, name: str, keys: tuple | list, rows: np.ndarray) -> np.ndarray:
    """1, and cos and sin of each key, of some residues."""
    angle = 2 * np.pi / structure.n * np.outer(getattr(structure, name)[rows], keys)
    return np.concatenate([np.ones((len(rows), 1)), np.cos(angle), np.sin(angle)], axis=1)


def explained(design: np.ndarray, table: np.ndarray) -> float:
    fit = design @ np.linalg.lstsq(design, table, rcond=1e-9)[0]
    return float(np.sum((fit - table.mean(axis=0)) ** 2) / np.sum(table**2))


def test_a_built_head_is_constant_and_moves_the_keys_of_x(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x^2 - y", 23)
    (head,) = attention_findings(in_basis(build_clock(structure, (2, 5), 8), structure), (2, 5))
    assert_allclose(head.mean, [1 / 3] * 3, rtol=1e-5)
    assert_allclose(head.deviation, [0] * 3, atol=1e-6)
    assert head.in_keys == pytest.approx(1)
    assert head.in_keys_of_x == pytest.approx(1)
    # 3 times two circles of squares, of the 23 residues without their mean
    waves = columns(structure, "u", [2, 5], np.arange(23))[:, 1:]
    assert head.moved == pytest.approx(3 * np.linalg.norm(waves - waves.mean(axis=0)))


def test_an_mlp_has_no_summary(
    network: Make, known_structure: Callable, in_basis: Callable
) -> None:
    about = in_basis(network(architecture="mlp"), known_structure("x + y", 7))
    assert attention_findings(about, (1,)) == ()
