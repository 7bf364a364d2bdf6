"""Whole explanations: every field there, finite, and the best of several structures."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.explanation.circuit import Effort
from grokscope.explanation.explain import explain_network, explain_table
from grokscope.explanation.network import of_model
from grokscope.explanation.result import Key, RunnerUp, TableFinding, key_rows
from grokscope.explanation.sentences import sentences
from grokscope.explanation.verdict import ClaimId, Place
from grokscope.fourier.basis import Basis
from grokscope.fourier.spectrum import spectrum
from grokscope.models import Model, Transformer
from grokscope.tasks import Task, make_split, parse
from grokscope.tasks.structure import Search, Structure, structure, structure_of

EFFORT = Effort(null_draws=50, control_draws=2)
KEYS = (2, 5, 9)


def search_of(*structures: Structure) -> Search:
    return Search(structures, (), (), "x and y", None)


def labels_of(structure: Structure) -> np.ndarray:
    return np.maximum(structure.labels(), 0).astype(np.int32)


def shape(document: Any) -> Any:
    """The names of all fields of a document, whatever their values."""
    if isinstance(document, dict):
        return {name: shape(value) for name, value in document.items()}
    return None


@pytest.mark.parametrize("p", [2, 3, 4, 5, 6, 7, 9, 12])
@pytest.mark.parametrize("operation", ["x + y", "x*y", "x^2 + y^2"])
def test_any_network_is_explained_without_a_warning(
    network: Callable[..., Model], p: int, operation: str
) -> None:
    task = Task((parse(operation),), p)
    labels = task.labels(0)[0].reshape(p, p)
    kind = make_split(task, 0.5, "pairs", 0).kind
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = explain_network(
            of_model(network(p=p)),
            labels,
            structure_of(task),
            operation=operation,
            kind=kind,
            grokked=True,
            effort=EFFORT,
        )
        text = json.dumps(found.to_json(), allow_nan=False)
    assert found.verdict == "not explained"
    assert json.loads(text)["p"] == p


@pytest.mark.parametrize(
    ("operation", "p"), [("x + y", 5), ("x + y", 6), ("x*y", 7), ("x^2 + y^2", 7)]
)
def test_a_small_network_that_is_right_is_explained_without_a_warning(
    build_clock: Callable[..., Model], operation: str, p: int
) -> None:
    """Every analysis runs here, unlike for networks at chance."""
    best = structure(operation, p).best
    assert best is not None
    model = build_clock(best, (1, 2), grid=12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = explain_network(
            of_model(model),
            labels_of(best),
            search_of(best),
            operation=operation,
            grokked=True,
            effort=EFFORT,
        )
        json.dumps(found.to_json(), allow_nan=False)
    assert found.ablations.full == 1


def test_every_field_is_there_whatever_was_found(
    build_clock: Callable[..., Model],
    network: Callable[..., Model],
    known_structure: Callable[..., Structure],
) -> None:
    own = known_structure("x + y", 23)
    clock = build_clock(own, KEYS, grid=12)
    given: dict[str, Any] = {"operation": "x + y", "grokked": True, "effort": EFFORT}
    whole = explain_network(of_model(clock), labels_of(own), search_of(own), **given)
    quick = explain_network(
        of_model(clock), labels_of(own), search_of(own), thorough=False, **given
    )
    nothing = explain_network(of_model(network(p=23)), labels_of(own), search_of(own), **given)
    none = explain_network(of_model(clock), labels_of(own), search_of(), **given)
    assert whole.verdict == quick.verdict == "explained"
    assert nothing.verdict == none.verdict == "not explained"
    documents = [e.to_json() for e in (whole, quick, nothing, none)]
    for document in documents:
        json.dumps(document, allow_nan=False)
        assert document.keys() == documents[0].keys()
        for section in ("logits", "algorithm", "neurons", "embedding", "readout", "structure"):
            assert document[section].keys() == documents[0][section].keys(), section
        assert document["causal"].keys() == documents[0]["causal"].keys()
    # what is left out is not asked for, and the rest is the same
    assert [key for key in whole.claims if key in quick.claims] == list(quick.claims)
    assert {key for key, claim in whole.claims.items() if claim.decisive} <= set(quick.claims)
    assert whole.levels == quick.levels
    assert [(c.id, c.verdict) for c in none.claims.values()] == [
        ("grokked", "holds"),
        ("structure", "fails"),
    ]


def test_of_several_structures_the_one_that_explains_is_reported(
    build_clock: Callable[..., Model], known_structure: Callable[..., Structure]
) -> None:
    right, wrong = known_structure("x + y", 23), known_structure("x*y", 23)
    clock = build_clock(right, KEYS, grid=12)
    for order in ((right, wrong), (wrong, right)):
        found = explain_network(
            of_model(clock),
            labels_of(right),
            search_of(*order),
            operation="x + y",
            grokked=True,
            effort=EFFORT,
            thorough=False,
        )
        assert found.verdict == "explained"
        assert found.structure.words == "x + y"
        assert set(found.embedding.keys) == set(KEYS)
        assert found.runner_up == RunnerUp("x*y", "not explained", (), -1.0)


def test_gini_and_spectrum_are_those_of_the_table(
    build_clock: Callable[..., Model], known_structure: Callable[..., Structure]
) -> None:
    own = known_structure("x*y", 23)
    clock = build_clock(own, KEYS, grid=12)
    found = explain_network(
        of_model(clock),
        labels_of(own),
        search_of(own),
        operation="x*y",
        grokked=True,
        effort=EFFORT,
        thorough=False,
    )
    expected = np.zeros(11)
    expected[[k - 1 for k in KEYS]] = 1 / 3
    assert_allclose(found.embedding.spectrum, expected, atol=1e-6)
    # eight zeros and three equal norms
    assert found.embedding.gini is not None
    assert_allclose(found.embedding.gini, 8 / 11, atol=1e-3)
    rows = np.asarray(clock.W_E[:23], np.float64)
    assert_allclose(found.embedding.spectrum, spectrum(rows, Basis(own)).shares)
    assert found.embedding.energy_in_keys == pytest.approx(1)


def test_a_table_of_equal_rows_has_no_energy(known_structure: Callable[..., Structure]) -> None:
    search = search_of(known_structure("x + y", 11))
    found = explain_table(np.ones((11, 2)), search, operation="x + y", effort=EFFORT).embedding
    assert found.spectrum == (0,) * 5
    assert (found.gini, found.keys) == (None, ())


@pytest.mark.parametrize("broken", ["W_E", "W_L", "the table of logits"])
def test_what_is_not_finite_is_named(
    build_clock: Callable[..., Model], known_structure: Callable[..., Structure], broken: str
) -> None:
    own = known_structure("x + y", 23)
    model = build_clock(own, KEYS, grid=12)
    assert isinstance(model, Transformer)
    W_E, W_U, W_out = model.W_E, model.W_U, model.blocks[-1].W_out
    if broken == "W_E":
        W_E = W_E.at[3, 0].set(jnp.nan)
    if broken == "W_L":  # finite factors whose product is not
        W_U, W_out = 1e30 * W_U, 1e30 * W_out
    if broken == "the table of logits":
        W_E, W_U = 1e25 * W_E, 1e20 * W_U
    model = eqx.tree_at(lambda m: (m.W_E, m.W_U, m.blocks[-1].W_out), model, (W_E, W_U, W_out))
    found = explain_network(
        of_model(model),
        labels_of(own),
        search_of(own),
        operation="x + y",
        grokked=False,
        effort=EFFORT,
    )
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert found.verdict == "not explained"
    claims = {c["name"]: c for c in document["claims"]}
    assert claims["finite"]["statement"] == f"{broken} is finite"
    (told,) = sentences(found)
    assert told == (
        f"Nothing can be read out: {broken} holds numbers that are not finite, as after training "
        "has diverged."
    )
    assert document["structure"]["words"] == own.words


def test_a_table_that_is_not_finite_has_no_keys(known_structure: Callable[..., Structure]) -> None:
    table = np.ones((23, 4))
    table[3, 2] = np.inf
    found = explain_table(
        table,
        search_of(known_structure("x + y", 23)),
        operation="x + y",
        place=Place.LOGITS,
        effort=EFFORT,
    )
    assert found.claims[ClaimId.FINITE].statement == "W_L is finite"


@pytest.mark.parametrize("place", Place)
def test_a_table_alone_has_keys_but_no_verdict(
    build_clock: Callable[..., Model], known_structure: Callable[..., Structure], place: Place
) -> None:
    own = known_structure("x + y", 23)
    clock = build_clock(own, KEYS, grid=12)
    table = clock.W_E[:23] if place is Place.EMBEDDING else clock.neuron_logit_map
    found = explain_table(
        np.asarray(table, np.float64), search_of(own), operation="x + y", place=place, effort=EFFORT
    )
    own, other = found.embedding, found.neuron_logit_map
    if place is Place.LOGITS:
        own, other = other, own
    assert set(own.keys) == set(KEYS)
    assert other.keys == ()
    assert found.verdict == "not decided"
    held = {c.id for c in found.claims.values() if c.holds}
    assert held == {"structure", f"{place} keys"}


def test_a_table_without_keys_says_so_and_is_not_judged(
    known_structure: Callable[..., Structure],
) -> None:
    drawn = np.random.default_rng(0).normal(size=(23, 8))
    found = explain_table(
        drawn, search_of(known_structure("x + y", 23)), operation="x + y", effort=EFFORT
    )
    assert found.claims[ClaimId.EMBEDDING_KEYS].fails
    assert found.verdict == "not decided"
    # of Z_3, with one frequency, there is nothing to test
    small = explain_table(
        drawn[:3], search_of(known_structure("x + y", 3)), operation="x + y", effort=EFFORT
    )
    assert small.verdict == "not decided"


def test_a_table_of_an_operation_without_structure_says_so() -> None:
    task = Task((parse("random"),), 11)
    found = explain_table(np.eye(11), structure_of(task), operation="random")
    assert found.verdict == "not decided"
    assert found.structure.words == structure_of(task).sentence
    assert found.embedding.keys == ()


def test_no_file_is_needed() -> None:
    """The room takes weights: it opens nothing."""
    import grokscope.explanation

    for file in Path(grokscope.explanation.__file__).parent.glob("*.py"):
        assert " open(" not in file.read_text()


def test_every_key_carries_its_shares_and_a_harmonic_its_key() -> None:
    spectrum = [0.0] * 48
    spectrum[40], spectrum[27] = 0.1144, 0.0131
    in_E = TableFinding(keys=(41, 28), pointed_at=(28,), spectrum=tuple(spectrum))
    in_L = TableFinding(keys=(41, 28), pointed_at=(28,), spectrum=(0.5,) * 48)
    assert key_rows(in_E, in_L, [(41, 28)], 97) == (
        Key(41, None, 0.1144, 0.5),
        Key(28, 41, 0.0131, 0.5),
    )
    alone = key_rows(in_E, TableFinding(), [(41, 28)], 97)
    assert [key.share_of_neuron_logit_map for key in alone] == [None, None]
