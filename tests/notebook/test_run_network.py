"""A network is asked by name: what comes out is what the plain forward pass has."""

import numpy as np
import pytest

import grokscope as gs
from grokscope.errors import UsageError
from grokscope.explanation.of_run import load_network

P = 23


def test_logits_are_those_of_the_forward_pass(run: gs.Run, net: gs.RunNetwork) -> None:
    model = load_network(run.folder, 0).model
    x, y = np.divmod(np.arange(P**2), P)
    tokens = np.stack([x, np.full_like(x, P), y], axis=1)
    plain = np.asarray(model(tokens))
    every = net.logits()
    assert every.axes == ("x", "y", "answer")
    np.testing.assert_allclose(every.values.reshape(P**2, P), plain, atol=1e-5)
    np.testing.assert_array_equal(net.logits([3, 4]), every.at(x=3, y=4))
    two = net.logits([[3, P, 4], [5, P, 6]])
    assert two.axes == ("pair", "answer")
    np.testing.assert_array_equal(two[1], every.at(x=5, y=6))


def test_activations_have_their_axes_and_positions(net: gs.RunNetwork) -> None:
    found = net.activations(position=None)
    assert found["embedding"].axes == ("x", "y", "position", "d_model")
    np.testing.assert_array_equal(found["embedding"].at(position="x")[:, 5], net.weights["W_E"][:P])
    pattern = net.activations(names=["blocks.0.pattern"])["blocks.0.pattern"]
    assert pattern.axes == ("x", "y", "head", "source")
    np.testing.assert_allclose(pattern.values.sum(axis=-1), 1, atol=1e-6)
    last = net.activations(names=["blocks.0.mlp_post"])["blocks.0.mlp_post"]
    np.testing.assert_allclose(found["blocks.0.mlp_post"].at(position="y"), last, atol=1e-6)
    kept = net.activations([1, 2], names=["embedding"], position="x")["embedding"]
    np.testing.assert_array_equal(kept, net.weights["W_E"][1])


def test_edits_of_weights_and_activations_reach_the_answers(net: gs.RunNetwork) -> None:
    dead = {"blocks.0.mlp_post": gs.edits.zero()}
    also = {"W_out": gs.edits.zero()}
    np.testing.assert_allclose(net.logits(edits=dead), net.logits(edits=also), atol=1e-5)
    assert not np.allclose(net.logits(edits=dead), net.logits())
    own = {"blocks.0.mlp_post": lambda a: 2 * a}
    seen = net.activations(names=["blocks.0.mlp_post"], edits=own)["blocks.0.mlp_post"]
    plain = net.activations(names=["blocks.0.mlp_post"])["blocks.0.mlp_post"]
    np.testing.assert_allclose(seen, 2 * plain, atol=1e-5)
    nothing = {"W_E": gs.edits.keep(range(1, 12))}
    np.testing.assert_allclose(net.logits(edits=nothing), net.logits(), atol=1e-4)


def test_accuracy_counts_right_answers_of_each_side(net: gs.RunNetwork) -> None:
    right = net.answers().values == net.labels().values
    sides = net.sides()
    assert net.accuracy()["train"] == right[sides["train"]].mean()
    assert (sides["train"] | sides["test"]).all()
    assert net.labels().at(x=3, y=9) == 27 % P


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda net: net.logits([3, 23]), "no such residue"),
        (lambda net: net.logits([3, 24, 5]), "need one operator; got '24'; allowed: 23$"),
        (lambda net: net.logits("x"), "pairs are not usable"),
        (lambda net: net.activations(names=["mlp"]), "no such activation"),
        (lambda net: net.activations()["blocks.0.mlp_pst"], "did you mean blocks.0.mlp_post"),
        (lambda net: net.weights["W_e"], "no such weight; got 'W_e'; .*W_out.*mean W_E"),
        (lambda net: net.weights["embedding"], "no such weight; .*W_E"),
        (lambda net: net.activations(position="z"), "no such position"),
        (lambda net: net.logits(edits={"mlp": gs.edits.zero()}), "no such activation or weight"),
        (lambda net: net.logits(edits={"W_X": gs.edits.zero()}), "blocks.0.mlp_post.*W_out"),
        (lambda net: net.logits(edits={"W_E": lambda W: W[:3]}), "changes the shape"),
        (lambda net: net.logits(operation=1), "no such operation; got 1; allowed: 0 .x.y."),
        (lambda net: net.logits(operation="x + y"), "no such operation; got 'x . y'"),
    ],
)
def test_wrong_questions_are_one_line(call: object, line: str, net: gs.RunNetwork) -> None:
    assert callable(call)
    with pytest.raises(UsageError, match=line) as caught:
        call(net)
    assert str(caught.value).isprintable()


def test_an_operation_is_named_by_its_text_or_its_number(run: gs.Run, net: gs.RunNetwork) -> None:
    np.testing.assert_array_equal(net.logits(operation="x * y"), net.logits(operation=0))
    assert net.accuracy(operation="x*y") == net.accuracy()
    np.testing.assert_array_equal(net.labels("x*y"), net.labels(0))
    plain = run.curve("test_accuracy")
    for operation in ("x*y", 0):
        np.testing.assert_array_equal(run.curve("test_accuracy", operation=operation), plain)
    title = run.plot.measures(basis="matched", operation="x*y").title
    assert title == run.plot.measures(basis="matched").title


def test_it_says_what_it_is(net: gs.RunNetwork) -> None:
    assert repr(net).startswith("network for x*y mod 23, seed 0, step 40: W_E 24×16, ")
