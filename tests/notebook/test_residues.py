"""Numbers of a matrix are over its residues, whatever else its axis holds."""

import numpy as np
import pytest

import grokscope as gs
from grokscope.errors import UsageError

P = 23


def test_the_operators_of_an_embedding_are_left_out(net: gs.RunNetwork) -> None:
    W_E = net.weights["W_E"]
    assert W_E.axes == ("token", "d_model")
    assert W_E.coordinates["token"] == [*range(P), "x*y"]
    np.testing.assert_array_equal(gs.spectrum(W_E).joint, gs.spectrum(net.embedding).joint)
    assert gs.measures.describe(W_E) == gs.measures.describe(net.embedding)
    ffs = gs.measures.fourier_frequency_sparsity
    assert ffs(W_E) == ffs(net.embedding)
    basis = gs.basis("x*y", p=P)
    np.testing.assert_array_equal(
        gs.spectrum(W_E, basis).joint, gs.spectrum(net.embedding, basis).joint
    )


def test_the_answers_of_an_unembedding_are_its_columns(net: gs.RunNetwork) -> None:
    W_U = net.weights["W_U"]
    assert W_U.axes == ("d_model", "class")
    np.testing.assert_allclose(gs.spectrum(W_U).joint, gs.spectrum(W_U.values.T).joint)
    assert gs.explain_table(W_U, "x*y", place="readout").p == P


def test_a_matrix_without_residues_is_refused(net: gs.RunNetwork) -> None:
    with pytest.raises(UsageError, match="needs one axis of residues; got 'd_model, d_mlp'"):
        gs.spectrum(net.weights["W_in"])
    with pytest.raises(UsageError, match="needs one axis of residues"):
        gs.explain_table(net.logits(), "x*y")
