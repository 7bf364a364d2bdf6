"""What is measured while training equals plain NumPy in float64 on the same logits."""

import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.measures import recorded
from grokscope.models import named_weights
from grokscope.runner import observe as observing
from grokscope.runner.check import check
from grokscope.runner.matched import characters_of, matched_of
from grokscope.runner.observe import Observation, Observed, Table, make_observer, tables
from grokscope.runner.prepare import prepare
from grokscope.tasks import TEST_LEAKED, TEST_UNLEAKED, TRAIN, UNDEFINED

CASES: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (("x + y",), {}),
    (("x / y", "x*y"), {"p": 5}),
    (("x - y",), {"p": 8, "architecture": "mlp", "d_embedding": 6, "eta": 0.9}),
]


class Seen:
    """One observation of trained-looking weights, and what it was made from."""

    def __init__(self, config: Any) -> None:
        checked = check(config)
        self.config, prepared = config, prepare(checked)
        self.task, self.splits = checked.task, checked.splits[0]
        self.matched = [matched_of(self.task, i) for i in range(self.task.n_tasks)]
        # weights large enough for confident answers, right and wrong
        self.model = jax.tree_util.tree_map(lambda a: 1.5 * a[0], prepared.states.model)
        self.observed: Observed = jax.tree_util.tree_map(lambda a: a[0], prepared.inputs.observed)
        self.logits = np.stack(
            [np.asarray(self.model(jnp.asarray(t)), np.float64) for t in self.task.tokens()]
        )

    def look(self, **changes: Any) -> tuple[dict[tuple, float], Observation]:
        make_observer.cache_clear()
        observe = jax.jit(make_observer(self.task.p, self.config.eta))
        seen = observe(self.model, self.observed._replace(**changes))
        return {tuple(column): float(value) for column, value in seen.values.items()}, seen


@pytest.fixture(scope="module", params=CASES, ids=str)
def seen(request: pytest.FixtureRequest, helpers: SimpleNamespace) -> Seen:
    expressions, changes = request.param
    return Seen(helpers.tiny(*expressions, **changes))


def predictions(seen: Seen, softmax: Callable[..., np.ndarray]) -> dict[tuple, float]:
    """Accuracy, loss and probability of every side: means over its pairs, per task and in all."""
    found: dict[tuple, float] = {}
    chosen: dict[int | None, list[int]] = {None: list(range(seen.task.n_tasks))}
    if seen.task.n_tasks > 1:
        chosen |= {i: [i] for i in range(seen.task.n_tasks)}
    labels = seen.task.labels(0)
    sides = {
        "train": [TRAIN],
        "test": [TEST_LEAKED, TEST_UNLEAKED],
        "unleaked": [TEST_UNLEAKED],
    }
    for (side, kinds), (operation, tasks) in itertools.product(sides.items(), chosen.items()):
        right, losses, chances = [], [], []
        for task in tasks:
            probability = softmax(seen.logits[task])
            for pair in np.flatnonzero(np.isin(seen.splits[task].kind, kinds)):
                label = labels[task, pair]
                right.append(float(np.argmax(seen.logits[task][pair]) == label))
                losses.append(-np.log(probability[pair, label]))
                chances.append(probability[pair, label])
        for name, values in (("accuracy", right), ("loss", losses), ("probability", chances)):
            mean = float(np.mean(values)) if values else np.nan
            found[f"{side}_{name}", None, None, operation] = mean
    return found


def test_predictions_norms_and_measures_equal_numpy(
    seen: Seen, softmax: Callable[..., np.ndarray]
) -> None:
    values, _ = seen.look()
    expected = predictions(seen, softmax)
    for name, W in named_weights(seen.model).items():
        expected["l2_norm", name, None, None] = float(np.linalg.norm(np.asarray(W, np.float64)))
    for name, table in tables(seen.model, seen.task.p).items():
        rows = np.asarray(table, np.float64)
        for measure in recorded("additive"):
            value = float(measure.of(rows, seen.config.eta))
            expected[measure.key, name, "additive", None] = value
        for i, matched in enumerate(seen.matched):
            assert matched is not None
            characters = characters_of(matched)[name]
            own = i if len(seen.matched) > 1 else None
            one = characters.planes.one_coordinate
            for measure in recorded("matched", one_coordinate=one):
                value = measure.of(rows, seen.config.eta, basis=characters)
                expected[measure.key, name, "matched", own] = float(value)
    assert values.keys() == expected.keys()
    for key, number in expected.items():
        assert_allclose(values[key], number, rtol=1e-4, atol=1e-6, err_msg=str(key))
    assert 0 < values["train_accuracy", None, None, None] < 1


def test_spectra_are_those_of_the_tables_over_residues(seen: Seen) -> None:
    _, observation = seen.look()
    p = seen.task.p
    table = np.asarray(seen.model.W_E, np.float64)[:p]
    k = np.arange(1, p // 2 + 1)[:, None]
    waves = 2 * np.pi * k * np.arange(p) / p
    for norm, basis in zip(
        observation.spectra[Table("W_E", "additive")], (np.cos(waves), np.sin(waves)), strict=True
    ):
        # a unit-norm cosine or sine; the one at p/2 has twice the square, and no sine
        scale = np.where(2 * k == p, p, p / 2) ** 0.5
        assert_allclose(norm, np.linalg.norm(basis / scale @ table, axis=1), rtol=1e-4, atol=1e-5)
    assert observation.spectra[Table("W_L", "additive")][0].shape == (p // 2,)


def test_blocks_give_the_numbers_of_the_whole(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = seen.look()
    monkeypatch.setattr(observing, "PAIRS_PER_BLOCK", 9)
    in_blocks, _ = seen.look()
    for key, value in whole.items():
        assert_allclose(in_blocks[key], value, rtol=1e-5, err_msg=str(key))


def test_a_side_without_pairs_is_undefined(helpers: SimpleNamespace) -> None:
    seen = Seen(helpers.tiny())
    assert (seen.splits[0].kind == TEST_LEAKED).any()
    kind = np.where(seen.splits[0].kind == TEST_UNLEAKED, TEST_LEAKED, seen.splits[0].kind)
    values, _ = seen.look(kind=jnp.asarray(kind)[None])
    undefined = {key[0] for key, value in values.items() if np.isnan(value)}
    assert undefined == {"unleaked_accuracy", "unleaked_loss", "unleaked_probability"}
    whole, _ = seen.look()
    for key in whole:
        if not key[0].startswith("unleaked"):
            assert values[key] == whole[key]


def test_a_pair_that_is_undefined_counts_nowhere(helpers: SimpleNamespace) -> None:
    seen = Seen(helpers.tiny())
    one = int(np.flatnonzero(seen.splits[0].train)[0])
    kind = np.array(seen.splits[0].kind)
    kind[one] = UNDEFINED
    before, _ = seen.look()
    after, _ = seen.look(kind=jnp.asarray(kind)[None])
    label = seen.task.labels(0)[0, one]
    own = float(np.argmax(seen.logits[0, one]) == label)
    n = int(seen.splits[0].train.sum())
    expected = (n * before["train_accuracy", None, None, None] - own) / (n - 1)
    assert_allclose(after["train_accuracy", None, None, None], expected, rtol=1e-5)
    assert after["test_loss", None, None, None] == before["test_loss", None, None, None]
