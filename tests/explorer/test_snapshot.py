"""The numbers of a snapshot, of a network that is known because it was built by formula."""

import numpy as np
import pytest
from tests.explanation.clock_runs import KEYS, STEPS, P
from tests.reports.conftest import MakeRun, make_run

from grokscope.disk.folder import RunFolder
from grokscope.errors import UsageError
from grokscope.explorer.snapshot import take_snapshot
from grokscope.explorer.subject import Subject, evenly, read_subject

__all__ = ["make_run"]
KNOWN = KEYS["x*y"]


def test_the_spectra_hold_the_keys_in_the_basis_that_fits_alone(subject: Subject) -> None:
    spectra = take_snapshot(subject, STEPS[-1]).spectra
    for matrix in ("W_E", "W_L"):
        matched, additive = spectra[matrix]["matched"], spectra[matrix]["additive"]
        assert sorted(np.argsort(matched)[-3:] + 1) == sorted(KNOWN)
        assert matched[np.array(KNOWN) - 1].sum() > 0.9
        assert additive.max() < 0.25
        assert additive.sum() == pytest.approx(1)


def test_residues_lie_on_the_circle_of_a_key(subject: Subject) -> None:
    circles = take_snapshot(subject, STEPS[-1]).circles["matched"]
    points = circles[KNOWN[0] - 1]
    radius = np.linalg.norm(points, axis=1)
    assert np.isnan(radius[0])  # the logarithm of 0
    assert radius[1:] == pytest.approx(np.full(P - 1, np.nanmean(radius)), rel=0.02)


def test_every_neuron_has_the_frequency_that_it_was_built_with(subject: Subject) -> None:
    points = take_snapshot(subject, STEPS[-1]).points
    assert points is not None
    assert set(points.frequency.tolist()) == set(KNOWN)
    assert np.bincount(points.frequency)[list(KNOWN)].tolist() == [64, 64, 64]
    assert points.amplitude.max() == 1


def test_products_of_two_modes_are_those_of_the_keys(subject: Subject) -> None:
    norms = take_snapshot(subject, STEPS[-1]).norms["logits"]["matched"] ** 2
    held = sum(norms[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1].sum() for k in KNOWN)
    of_products = norms[1:, 1:].sum()
    assert held > 0.95 * of_products


def test_answers_and_accuracy(subject: Subject) -> None:
    whole, noise = take_snapshot(subject, STEPS[-1]), take_snapshot(subject, STEPS[0])
    assert whole.pairs is not None
    x, y = np.indices((P, P))
    inside = (x > 0) & (y > 0)
    assert (whole.pairs.answers == x * y % P)[inside].all()
    assert set(whole.accuracy) == {"all", "train", "test"}
    assert noise.accuracy["all"] < 0.2


def test_attention_is_what_it_was_built_with(subject: Subject) -> None:
    pairs = take_snapshot(subject, STEPS[-1]).pairs
    assert pairs is not None
    assert pairs.attention == pytest.approx(np.full((1, P, P), 1 / 3), abs=1e-6)


def test_an_mlp_has_no_attention_and_random_answers_no_basis(make_run: MakeRun) -> None:
    run = make_run(architecture="mlp", layers=1)
    found = take_snapshot(read_subject(run.path), 1000)
    assert found.pairs is not None
    assert found.pairs.attention is None
    table = read_subject(make_run("random", expressions=("random",)).path)
    assert table.structure is None
    assert set(take_snapshot(table, 1000).circles) == {"additive"}


def test_weights_that_are_not_finite_are_named(make_run: MakeRun) -> None:
    rows = np.full((8, 8), np.nan, np.float32)
    broken = read_subject(make_run(weights={"W_E": rows}).path)
    assert take_snapshot(broken, 1000).broken == "W_E"
    assert broken.last_finite is None
    assert broken.strongest_neurons == []


def test_of_many_steps_some_are_chosen_evenly() -> None:
    steps = evenly(range(0, 1000, 10), 40)
    assert (steps[0], steps[-1], len(steps)) == (0, 990, 40)
    assert steps == sorted(set(steps))
    assert evenly([1, 2, 3], 40) == [1, 2, 3]


@pytest.mark.parametrize(("seed", "number", "what"), [(9, 0, "seed"), (0, 1, "operation")])
def test_what_is_not_there_is_refused(times: RunFolder, seed: int, number: int, what: str) -> None:
    with pytest.raises(UsageError, match=f"no such {what}"):
        read_subject(times.path, seed, number)


def test_addition_has_the_additive_basis_alone(added: Subject) -> None:
    assert added.basis_of_keys == "additive"
    assert set(take_snapshot(added, STEPS[-1]).circles) == {"additive"}
