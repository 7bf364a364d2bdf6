"""Each measure describes itself, and all are computed from one spectrum."""

import json

import numpy as np
import pytest

import grokscope.measures as gs_measures
from grokscope.fourier.spectrum import spectrum
from grokscope.measures import MEASURES, describe

KEYS = ["ffs", "ffd", "kfs", "fcr", "gini", "ipr"]


def test_measures_are_known_by_their_keys():
    assert list(MEASURES) == KEYS
    assert [measure.key for measure in MEASURES.values()] == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_each_measure_says_what_it_is(key):
    measure = MEASURES[key]
    for text in (measure.name, measure.symbol, measure.range, measure.source):
        assert text.strip() == text != ""
    assert measure.direction.split(": ")[0] in ("low", "high")
    assert measure.function.__name__ in gs_measures.__all__
    assert "**Returns:**" in (measure.function.__doc__ or "")


@pytest.mark.parametrize("n", [4, 5, 10, 17])
@pytest.mark.parametrize("eta", [0.5, 0.8])
def test_description_agrees_with_naive_loops(oracle, n, eta):
    table = np.random.default_rng(n).gamma(0.3, size=(n, 3))
    found = describe(table, eta)
    assert list(found) == ["p", *KEYS]
    assert found.pop("p") == n
    assert found == pytest.approx(oracle(table, eta), rel=1e-10)


@pytest.mark.parametrize("key", KEYS)
def test_function_and_known_spectrum_agree(key):
    table = np.random.default_rng(1).normal(size=(17, 3))
    measure = MEASURES[key]
    options = {"eta": 0.8} if measure.uses_eta else {}
    known = float(measure.function(table, **options))
    assert float(measure.of(spectrum(table), 0.8)) == float(measure.of(table, 0.8)) == known


@pytest.mark.parametrize("table", [np.eye(3), np.zeros((97, 4)), np.full((97, 4), np.inf)])
def test_what_is_undefined_is_null_in_json(table):
    found = describe(table)
    assert json.loads(json.dumps(found)) == {"p": len(table)} | dict.fromkeys(KEYS)


def test_a_wrong_shape_is_refused_by_the_annotations():
    with pytest.raises(TypeError, match="table"):
        describe(np.ones((3, 4, 5)))
