"""Keep, remove and controls in W_E and in the logits, against tables edited by hand."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.explanation.networks import Built, built

from grokscope.explanation.ablation import (
    Ablation,
    EditableTable,
    ablate,
    frequency_losses,
    keep_both,
)
from grokscope.explanation.findings import BySide, Outcome, median_outcome
from grokscope.explanation.pairs import logits_over_pairs
from grokscope.explanation.verdict import Edit, Place
from grokscope.models import Transformer

KEYS = [2, 3]


def ablate_embedding(about: Built, keys: list[int], **settings: Any) -> Ablation:
    return ablate(EditableTable.at(about, Place.EMBEDDING), keys, **settings)


def ablate_logits(about: Built, keys: list[int], **settings: Any) -> Ablation:
    return ablate(EditableTable.at(about, Place.LOGITS), keys, **settings)


@pytest.fixture(
    scope="module", params=[("x + y", 11), ("x*y", 13), ("x^2 + y^2", 13), ("2x + 3y", 11)]
)
def about(
    request: pytest.FixtureRequest, network: Callable, known_structure: Callable, in_basis: Callable
) -> Built:
    """A random network, made to be right at about half of the pairs by its labels."""
    name, p = request.param
    found = in_basis(network(p=p), known_structure(name, p))
    said = found.logits.argmax(axis=2).astype(np.int32)
    x, y = np.ogrid[:p, :p]
    labels = np.where((x + y) % 2 == 0, said, found.labels).astype(np.int32)
    return built(found.model, labels, found.basis)


def design(coordinates: list[np.ndarray], n: int, frequencies: Any) -> np.ndarray:
    """The constant, rows without a coordinate, cos and sin of the frequencies."""
    p = len(coordinates[0])
    inside = np.all([u >= 0 for u in coordinates], axis=0)
    columns = [inside.astype(float), *np.eye(p)[~inside]]
    for k in frequencies:
        for u in coordinates:
            angle = 2 * np.pi * k * u / n
            columns += [np.cos(angle) * inside, np.sin(angle) * inside]
    return np.column_stack(columns)


def fit(columns: np.ndarray, table: np.ndarray) -> np.ndarray:
    return columns @ np.linalg.lstsq(columns, table, rcond=1e-10)[0]


def accuracy(about: Built, logits: np.ndarray) -> float:
    right = [
        logits[x, y].argmax() == about.labels[x, y] for x, y in np.argwhere(about.defined).tolist()
    ]
    return float(np.mean(right))


def with_embedding(about: Built, rows: np.ndarray) -> np.ndarray:
    W_E = jnp.concatenate([jnp.asarray(rows, jnp.float32), about.model.W_E[about.p :]])
    return logits_over_pairs(eqx.tree_at(lambda m: m.W_E, about.model, W_E))


def drawn(about: Built, draws: int) -> list[list[int]]:
    """The other frequencies of each control."""
    rng = np.random.default_rng(0)
    others = [k for k in range(1, about.basis.n // 2 + 1) if k not in KEYS]
    return [rng.permutation(others)[: len(KEYS)].tolist() for _ in range(draws)]


def test_the_embedding_is_kept_removed_and_controlled_as_by_hand(about: Built) -> None:
    structure, table = about.basis.structure, np.asarray(about.embedding)
    coordinates = [structure.u, structure.v]
    keys = fit(design(coordinates, structure.n, KEYS), table)
    free = fit(design(coordinates, structure.n, []), table)
    found = ablate_embedding(about, KEYS, draws=3)
    expected = {"keep": keys, "remove": table - keys + free}
    for name, edited in expected.items():
        assert_allclose(
            getattr(found, name).accuracy.all, accuracy(about, with_embedding(about, edited))
        )
    for i, others in enumerate(drawn(about, 3)):
        both = fit(design(coordinates, structure.n, KEYS + others), table)
        alone = fit(design(coordinates, structure.n, others), table)
        without = with_embedding(about, table - both + keys)
        assert_allclose(found.control[i].accuracy.all, accuracy(about, without))
        only = with_embedding(about, alone)
        assert_allclose(found.keep_others[i].accuracy.all, accuracy(about, only))


def test_the_class_axis_is_kept_and_removed_as_by_hand(about: Built) -> None:
    g, n, p = about.basis.structure.g, about.basis.n, about.p
    pushed = [np.bincount(g[g >= 0], minlength=p).astype(float) > 0]
    columns = [pushed[0].astype(float), *np.eye(p)[~pushed[0]]]
    for k in KEYS:
        for wave in (np.cos, np.sin):
            column = np.zeros(p)
            for s in range(n):
                if g[s] >= 0:
                    column[g[s]] += wave(2 * np.pi * k * s / n)
            columns.append(column)
    free = np.column_stack(columns[: -2 * len(KEYS)])
    table = np.asarray(about.logits, np.float64).reshape(p * p, p).T
    keys = fit(np.column_stack(columns), table)
    found = ablate_logits(about, KEYS, draws=2)
    for name, edited in {"keep": keys, "remove": table - keys + fit(free, table)}.items():
        logits = edited.T.reshape(p, p, p)
        assert_allclose(getattr(found, name).accuracy.all, accuracy(about, logits))


def test_the_class_axis_and_back_changes_nothing(about: Built) -> None:
    p = about.p
    logits = np.random.default_rng(0).normal(size=(p, p, p))
    table = EditableTable.of_logits(about, logits)
    assert_allclose(table.rows[3, 1 * p + 2], logits[1, 2, 3])
    assert_allclose(table.logits_of(table.rows), logits)


def test_both_kept_is_one_after_the_other(about: Built) -> None:
    structure = about.basis.structure
    rows = fit(design([structure.u, structure.v], structure.n, KEYS), about.embedding)
    changed = built(about.model, about.labels, about.basis)
    changed.__dict__["logits"] = with_embedding(about, rows)
    expected = ablate_logits(changed, [1, 2], draws=0).keep
    assert_allclose(keep_both(about, KEYS, [1, 2]).accuracy.all, expected.accuracy.all)


def test_removing_families_one_by_one_is_removing_each_alone(about: Built) -> None:
    for place, of in zip(Place, (ablate_embedding, ablate_logits), strict=True):
        table = EditableTable.at(about, place)
        for family in ([1, 2], [3]):
            assert table.score_without(family) == of(about, family, draws=0).remove


def test_no_keys_leave_the_network_whole(about: Built) -> None:
    found = ablate_embedding(about, [], draws=4)
    assert found.remove.accuracy == about.full.accuracy
    assert (found.control, found.keep_others) == ((), ())
    assert found.scores(about).control is None


def test_scaled_is_nought_at_chance_and_one_at_the_network(about: Built) -> None:
    counts = np.bincount(about.labels[about.defined])
    assert_allclose(about.chance, counts.max() / counts.sum())
    full = about.full.accuracy.all
    loss = BySide(1.0)
    assert about.scaled(Outcome(BySide(full), loss)) == 1
    assert about.scaled(Outcome(BySide(about.chance), loss)) == 0
    middle = Outcome(BySide((full + about.chance) / 2), loss)
    assert about.scaled(middle) == pytest.approx(0.5)
    assert (about.scaled(Outcome(BySide(0.0), loss)) or 0) < 0
    ablation = Ablation(middle, middle, (middle, about.full, about.full), (middle,))
    scores = ablation.scores(about)
    assert [scores.of(edit) for edit in Edit] == pytest.approx([0.5, 0.5, 1.0, 0.5])


def test_a_network_no_better_than_chance_has_no_scale(about: Built) -> None:
    wrong = (about.logits.argmin(axis=2)).astype(np.int32)
    hopeless = built(about.model, wrong, about.basis)
    assert hopeless.scaled(hopeless.full) is None


def test_a_median_is_taken_number_by_number() -> None:
    numbers = ((0.1, 0.9, 3.0, 7.0), (0.2, 0.5, 1.0, 9.0), (0.6, 0.7, 2.0, 8.0))
    outcomes = [Outcome(BySide(a, test=b), BySide(c, test=d)) for a, b, c, d in numbers]
    assert median_outcome(outcomes) == Outcome(BySide(0.2, test=0.7), BySide(2.0, test=8.0))


def test_round_off_does_not_answer(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    """Without its keys nothing but float32 digits is left of a clock, and these know x."""
    structure = known_structure("x + y", 23)
    clock = in_basis(build_clock(structure, (2, 5, 9), grid=12), structure)
    assert clock.full.accuracy.all == 1
    for of in (ablate_embedding, ablate_logits):
        found = of(clock, [2, 5, 9], draws=1)
        assert found.keep.accuracy.all == 1
        assert_allclose(found.remove.accuracy.all, 1 / 23, atol=0.01)
        assert found.control[0].accuracy.all == 1
        # half a clock: the fewer keys are removed the more it answers
        some = [of(clock, keys, draws=0).remove.accuracy.all for keys in ([], [2], [2, 5])]
        assert all(a >= b for a, b in pairwise(some))


def test_of_a_saturated_table_all_that_the_squares_tell_apart_is_kept(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    about = in_basis(network(p=13), known_structure("x^2 + y^2", 13))
    table, u = about.embedding, np.arange(13) ** 2 % 13
    # the mean of x and −x, and what is not the same at both
    even = np.array([table[u == u[x]].mean(axis=0) for x in range(13)])
    found = ablate_embedding(about, KEYS, outside=True, draws=2)
    assert found.outside
    assert_allclose(found.keep.accuracy.all, accuracy(about, with_embedding(about, even)))
    constant = table.mean(axis=0)
    without = with_embedding(about, table - even + constant)
    assert_allclose(found.remove.accuracy.all, accuracy(about, without))
    assert len(found.control) == len(found.keep_others) == 2


def test_without_room_outside_there_is_no_control(
    network: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    about = in_basis(network(p=11), known_structure("x + y", 11))
    found = ablate_embedding(about, KEYS, outside=True, draws=2)
    assert (found.control, found.keep_others) == ((), ())
    assert found.keep.accuracy == about.full.accuracy


BUILT = (3, 4, 6)


def without(table: np.ndarray, k: int) -> np.ndarray:
    """A table over residues without the waves of one frequency of x, by their definition."""
    p = len(table)
    for wave in (np.cos, np.sin):
        column = wave(2 * np.pi * k * np.arange(p) / p)
        table = table - np.outer(column, column @ table) / (column @ column)
    return table


@pytest.mark.parametrize("sided", [False, True])
def test_losses_agree_with_tables_without_the_waves(
    network: Callable, known_structure: Callable, in_basis: Callable, sided: bool
) -> None:
    settings = {"kind": np.arange(49, dtype=np.int8) % 3} if sided else {}
    about = in_basis(network(), known_structure("x + y", 7), **settings)
    found = frequency_losses(about, (2,))
    assert found.full == about.full
    assert found.keys == (2,)
    assert len(found.embedding) == len(found.logits) == 3
    for k in (1, 2, 3):
        edited = about.score(about.run(without(about.embedding, k)))
        assert_allclose(known(found.embedding[k - 1].loss), known(edited.loss), rtol=1e-4)
        logits = about.logits.astype(np.float64).reshape(49, 7).T
        classes = about.score(without(logits, k).T.reshape(7, 7, 7))
        assert found.logits[k - 1].accuracy == classes.accuracy
        assert_allclose(known(found.logits[k - 1].loss), known(classes.loss), rtol=1e-4)


def known(loss: BySide) -> list[float]:
    return [value for value in vars(loss).values() if value is not None]


@pytest.mark.parametrize("name", ["x + y", "x*y", "x^2 + y^2", "x^2 - y"])
def test_a_clock_depends_on_its_keys_alone(
    build_clock: Callable, known_structure: Callable, in_basis: Callable, name: str
) -> None:
    structure = known_structure(name, 23)
    about = in_basis(sharper(build_clock(structure, BUILT, 16)), structure)
    found = frequency_losses(about, BUILT)
    assert found.dependent == ()
    for k in BUILT:
        for place in (found.embedding, found.logits):
            assert place[k - 1].loss.all > 2 * found.full.loss.all


def test_it_depends_on_a_key_that_was_not_found(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x*y", 23)
    about = in_basis(sharper(build_clock(structure, BUILT, 16)), structure)
    missed = frequency_losses(about, BUILT[:2])
    assert missed.dependent_in_embedding == missed.dependent_in_logits == BUILT[2:]
    assert missed.dependent == BUILT[2:]


def sharper(model: Transformer) -> Transformer:
    """A network with ten times its logits: the loss is small, and any missing key raises it."""
    return eqx.tree_at(lambda m: m.W_U, model, 10 * model.W_U)
