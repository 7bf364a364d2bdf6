"""Files for a browser: what comes out is what went in, to a 254th of the range."""

import numpy as np
import pytest
from tests.explanation.clock_runs import STEPS
from tests.explorer.conftest import unpack

from grokscope.explorer.packing import pack, pack_snapshot
from grokscope.explorer.snapshot import take_snapshot
from grokscope.explorer.subject import Subject

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5,), (3, 7), (2, 3, 5)])
def test_floats_come_back_to_half_a_shade(shape: tuple[int, ...]) -> None:
    given = RNG.normal(size=shape)
    found = unpack(pack({}, {"a": given})).arrays["a"]
    assert found.shape == shape
    assert np.abs(found - given).max() <= np.ptp(given) / 254 / 2 + 1e-12


def test_what_is_not_finite_is_missing_and_equal_numbers_stay() -> None:
    given = np.array([1.0, np.nan, 3.0, np.inf])
    assert unpack(pack({}, {"a": given})).arrays["a"].tolist()[::2] == [1.0, 3.0]
    assert np.isnan(unpack(pack({}, {"a": given})).arrays["a"][[1, 3]]).all()
    assert unpack(pack({}, {"a": np.full(4, 2.5)})).arrays["a"].tolist() == [2.5] * 4
    assert np.isnan(unpack(pack({}, {"a": np.full(3, np.nan)})).arrays["a"]).all()


def test_whole_numbers_come_back_whole_behind_any_header() -> None:
    for letters in range(4):
        given = {"odd": RNG.normal(size=3), "answers": np.arange(997)}
        found = unpack(pack({"name": "ä" * letters}, given))
        assert found.arrays["answers"].tolist() == list(range(997))
        assert found.header["name"] == "ä" * letters


def test_a_snapshot_comes_back(subject: Subject) -> None:
    snapshot = take_snapshot(subject, STEPS[-1])
    found = unpack(pack_snapshot(snapshot, [3, 5], [0, 1]))
    assert snapshot.pairs is not None
    assert (found.arrays["answers"] == snapshot.pairs.answers).all()
    assert {"neuron 3", "neuron 5", "logit 0", "logit 1", "head 0"} <= set(found.arrays)
    neuron = snapshot.pairs.neurons[:, :, 3]
    assert found.arrays["neuron 3"] == pytest.approx(neuron, abs=float(np.ptp(neuron)) / 254)
    shares = snapshot.spectra["W_E"]["matched"]
    assert found.header["spectra"]["W_E"]["matched"] == pytest.approx(shares.tolist(), abs=1e-3)
    assert found.arrays["norms logits matched"].max() == 0  # log10 of the largest


def test_a_broken_snapshot_is_a_file_too(subject: Subject) -> None:
    snapshot = take_snapshot(subject, STEPS[-1])
    broken = type(snapshot)(7, "W_E")
    assert unpack(pack_snapshot(broken, [], [])).header["broken"] == "W_E"
