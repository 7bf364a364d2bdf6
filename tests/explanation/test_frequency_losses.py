from collections.abc import Callable

import equinox as eqx
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.frequency_losses import frequency_losses
from grokscope.explanation.outcome import BySide
from grokscope.models import Transformer

KEYS = (3, 4, 6)


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
    about = in_basis(sharper(build_clock(structure, KEYS, 16)), structure)
    found = frequency_losses(about, KEYS)
    assert found.dependent == ()
    for k in KEYS:
        for place in (found.embedding, found.logits):
            assert place[k - 1].loss.all > 2 * found.full.loss.all


def test_it_depends_on_a_key_that_was_not_found(
    build_clock: Callable, known_structure: Callable, in_basis: Callable
) -> None:
    structure = known_structure("x*y", 23)
    about = in_basis(sharper(build_clock(structure, KEYS, 16)), structure)
    missed = frequency_losses(about, KEYS[:2])
    assert missed.dependent_in_embedding == missed.dependent_in_logits == KEYS[2:]
    assert missed.dependent == KEYS[2:]


def sharper(model: Transformer) -> Transformer:
    """A network with ten times its logits: the loss is small, and any missing key raises it."""
    return eqx.tree_at(lambda m: m.W_U, model, 10 * model.W_U)
