"""Table A.4 recorded while training is that of `explain` on the same weights, in float64."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from grokscope.disk.folder import RunFolder
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.logits import table_a4 as explained
from grokscope.explanation.logits import trigonometric_losses
from grokscope.explanation.network import of_model
from grokscope.fourier.basis import Basis
from grokscope.fourier.spectrum import spectrum
from grokscope.measures import key_frequencies, recorded
from grokscope.models import make_model, with_weights
from grokscope.runner import observe as observing
from grokscope.runner import table_a4
from grokscope.runner.check import check
from grokscope.runner.matched import matched_of
from grokscope.runner.observe import Column, Observation, make_observer
from grokscope.runner.prepare import prepare
from grokscope.runner.program import run_axis
from grokscope.runner.table_a4 import LOSSES, SIDES
from grokscope.tasks import Task, make_split
from grokscope.training import make_chunk

SETTINGS = {
    "p": 23,
    "steps": 400,
    "eval_every": 50,
    "spectra_every": 200,
    "learning_rate": 3e-3,
    "d_model": 32,
    "d_mlp": 64,
    "heads": 2,
    "checkpoint_every": 1000,
    "train_fraction": 0.7,
}
OPERATIONS = ["x + y", "x/y", "x*y + y", "x^2 + y^2", "(x + y)^2"]


@pytest.fixture(scope="module", params=OPERATIONS)
def run(
    request: pytest.FixtureRequest, helpers: SimpleNamespace, tmp_path_factory
) -> SimpleNamespace:
    """A run of a second, its recorded numbers at the last step, and its network then."""
    config = helpers.tiny(request.param, **SETTINGS)
    out = tmp_path_factory.mktemp("matched") / "run"
    helpers.train(out, request.param, **SETTINGS)
    folder, task = RunFolder.open(out), Task.from_config(config.task)
    weights, _ = folder.load_checkpoint(0, 400)
    model = with_weights(make_model(config.model, 23, 24, jax.random.key(0)), weights)
    matched = matched_of(task, 0)
    assert matched is not None
    split = make_split(task, 0.7, "pairs", 0)
    in_basis = NetworkInBasis(
        of_model(model), task.labels(0)[0].reshape(23, 23), matched, split.kind
    )
    rows = {
        (r["measure"], r["matrix"], r["basis"], r["step"]): r["value"]
        for r in folder.metrics().to_pylist()
    }
    return SimpleNamespace(
        path=out,
        config=config,
        task=task,
        matched=matched,
        in_basis=in_basis,
        rows=rows,
        model=model,
    )


def expected(in_basis: NetworkInBasis, keys: list[int]) -> dict[str, float]:
    alone, rest = trigonometric_losses(in_basis, keys)
    losses = {f"table_a4_{row}": loss for row, loss in vars(explained(in_basis, keys)).items()}
    losses |= {"trigonometric_loss": alone.loss, "excluded_loss": rest.loss}
    return {f"{n}_{side}": getattr(o, side) for n, o in losses.items() for side in SIDES}


def close(found: dict[str, jax.Array], wanted: dict[str, float]) -> None:
    assert found.keys() == wanted.keys()
    for name, loss in wanted.items():
        assert_allclose(found[name], loss, rtol=2e-4, atol=1e-7, err_msg=name)


def keys_of(run: SimpleNamespace) -> list[int]:
    found = spectrum(run.in_basis.embedding, run.matched.inputs)
    return [int(k) + 1 for k in np.flatnonzero(key_frequencies(found, run.config.eta))]


def test_losses_are_those_of_the_explanation(run: SimpleNamespace) -> None:
    wanted = expected(run.in_basis, keys_of(run))
    assert tuple(wanted) == LOSSES
    for name, loss in wanted.items():
        assert_allclose(run.rows[name, None, None, 400], loss, rtol=2e-4, atol=1e-7, err_msg=name)
    # the network has learned enough for the parts to differ
    assert wanted["table_a4_train_loss_train"] < 0.5 < wanted["table_a4_ablation_a_train"]


def test_the_first_row_is_the_loss_of_the_run(run: SimpleNamespace) -> None:
    if run.in_basis.defined.all() and run.matched.answers.inside.all():
        for side in ("train", "test"):
            loss = run.rows[f"{side}_loss", None, None, 400]
            assert_allclose(run.rows[f"table_a4_train_loss_{side}", None, None, 400], loss)


def test_measures_are_those_of_the_matched_basis(run: SimpleNamespace) -> None:
    for table, characters, W in (
        ("W_E", run.matched.inputs, run.in_basis.embedding),
        ("W_L", run.matched.answers, run.in_basis.neuron_logit_map),
    ):
        wanted = {
            measure.key: measure.of(W, run.config.eta, basis=characters)
            for measure in recorded("matched", one_coordinate=characters.planes.one_coordinate)
        }
        found = {
            m: v
            for (m, t, b, step), v in run.rows.items()
            if (t, b, step) == (table, "matched", 400)
        }
        assert found.keys() == wanted.keys()
        for key, value in wanted.items():
            assert_allclose(found[key], value, rtol=1e-4, err_msg=f"{key} of {table}")


def test_losses_and_spectra_are_recorded_when_due(run: SimpleNamespace) -> None:
    steps = {name: {step for (m, *_, step) in run.rows if m == name} for name in LOSSES}
    assert all(found == {0, 200, 400} for found in steps.values())
    assert {s for m, _, b, s in run.rows if (m, b) == ("kfs", "matched")} == set(range(0, 401, 50))
    spectra = [r for r in RunFolder.open(run.path).spectra().to_pylist() if r["basis"] == "matched"]
    assert {r["step"] for r in spectra} == {0, 200, 400}
    for table, W, characters in (
        ("W_E", run.in_basis.embedding, run.matched.inputs),
        ("W_L", run.in_basis.neuron_logit_map, run.matched.answers),
    ):
        rows = [r for r in spectra if (r["matrix"], r["step"]) == (table, 400)]
        assert [r["k"] for r in rows] == list(range(1, run.matched.n // 2 + 1))
        found = spectrum(W, characters)
        assert_allclose([r["cos_norm"] for r in rows], found.cos_norm, rtol=1e-4)
        assert_allclose([r["sin_norm"] for r in rows], found.sin_norm, rtol=1e-4)


def look(run: SimpleNamespace, observe: Callable[..., Observation], due: bool) -> Observation:
    """Look at the network as a training does: its own observer is compiled already."""
    chunk = make_chunk(run.config.optimizer, observe, 0, run_axis())
    prepared = prepare(check(run.config))
    observed = prepared.inputs.observed._replace(due=jax.numpy.asarray([due]))
    model = jax.tree_util.tree_map(lambda a: a[None], run.model)
    _, result = chunk(
        prepared.states._replace(model=model),
        prepared.inputs._replace(observed=observed),
        jax.numpy.ones(1, bool),
    )
    return jax.tree_util.tree_map(lambda a: a[0], result.observation)


def test_blocks_give_the_losses_of_the_whole(
    run: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = look(run, make_observer(23, run.config.eta), True)
    monkeypatch.setattr(observing, "PAIRS_PER_BLOCK", 100)
    monkeypatch.setattr(table_a4, "_PAIRS_PER_BLOCK", 100)
    # a function that JAX has not seen, for it does not see that the blocks are others
    blocks = look(run, make_observer.__wrapped__(23, run.config.eta), True)
    assert blocks.losses.keys() == whole.losses.keys()
    for column, loss in whole.losses.items():
        assert_allclose(blocks.losses[column], loss, rtol=1e-4, atol=1e-7, err_msg=column.measure)


def test_nothing_is_computed_when_it_is_not_due(run: SimpleNamespace) -> None:
    seen = look(run, make_observer(23, run.config.eta), False)
    assert [column.measure for column in seen.losses] == list(LOSSES)
    assert all(np.isnan(loss) for loss in seen.losses.values())
    assert not np.isnan(seen.values[Column("kfs", "W_E", "matched")])


def test_other_key_frequencies_give_other_losses_without_compiling(run: SimpleNamespace) -> None:
    losses = table_a4.TableA4(run.task, 0, run.matched)
    compiled = []

    @jax.jit
    def program(keys: jax.Array) -> dict[str, jax.Array]:
        compiled.append(keys)
        return losses(table_a4.Seen(run.model, keys, jax.numpy.asarray(run.in_basis.kind)))

    frequencies = run.matched.n // 2
    for keys in ([], [1], [2, frequencies], list(range(1, frequencies + 1))):
        mask = np.zeros(frequencies, bool)
        mask[[k - 1 for k in keys]] = True
        wanted = expected(run.in_basis, keys)
        close(program(mask), wanted)
    assert len(compiled) == 1


@pytest.mark.parametrize(("operation", "p"), [("x^4 + y^4", 17), ("x^3 + y^3", 31)])
def test_waves_that_are_dependent_over_the_sums_that_occur(
    operation: str, p: int, helpers: SimpleNamespace
) -> None:
    config = helpers.tiny(operation, p=p)
    checked = check(config)
    task, kind = checked.task, checked.splits[0][0].kind
    matched = matched_of(task, 0)
    assert matched is not None
    # not every sum occurs equally often, and some may not occur at all
    assert len(np.unique(np.bincount(matched.sums.ravel(), minlength=p))) > 1
    model = jax.tree_util.tree_map(lambda a: 2 * a[0], prepare(checked).states.model)
    losses = table_a4.TableA4(task, 0, matched)
    in_basis = NetworkInBasis(of_model(model), task.labels(0)[0].reshape(p, p), matched, kind)
    seen = table_a4.Seen(model, jax.numpy.ones(p // 2, bool), jax.numpy.asarray(kind))
    found = jax.jit(lambda seen: losses(seen))(seen)
    wanted = expected(in_basis, list(range(1, p // 2 + 1)))
    close(found, wanted)


@pytest.mark.parametrize("operation", ["x + y", "x*y + y"])
def test_what_is_recorded_does_not_change_the_weights(
    operation: str, helpers: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"p": 23, "seeds": (0, 1)}
    helpers.train(tmp_path / "with", operation, **settings)
    monkeypatch.setattr("grokscope.runner.matched.matched_of", lambda *_: None)
    helpers.train(tmp_path / "without", operation, **settings)
    found, bare = (helpers.contents(tmp_path / name) for name in ("with", "without"))
    for name in ("checkpoints", "state"):
        assert found[name] == bare[name], name
    for name in ("metrics", "spectra"):
        assert set(bare[name]) < set(found[name]), name


def test_a_run_begun_before_there_was_a_matched_basis_goes_on(
    helpers: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr("grokscope.runner.matched.matched_of", lambda *_: None)
        helpers.train(tmp_path / "run", steps=20)
    helpers.train(tmp_path / "run", resume=True)
    helpers.train(tmp_path / "whole")
    found, whole = (helpers.contents(tmp_path / name) for name in ("run", "whole"))
    assert found["checkpoints"] == whole["checkpoints"]
    assert found["state"] == whole["state"]
    rows = RunFolder.open(tmp_path / "run").metrics().to_pylist()
    assert {row["step"] for row in rows if row["basis"] == "matched"} == {30, 40}
    assert {row["step"] for row in rows if row["measure"] in LOSSES} == {40}


@pytest.mark.parametrize(
    ("operations", "p"),
    [(("random",), 7), (("x^2 + x*y + y^2",), 11), (("x + y",), 3)],
)
def test_without_a_structure_there_is_nothing_to_record(
    operations: tuple[str, ...], p: int, helpers: SimpleNamespace
) -> None:
    task = Task.from_config(helpers.tiny(*operations, p=p).task)
    assert matched_of(task, 0) is None


def test_the_matched_basis_of_an_operation(helpers: SimpleNamespace) -> None:
    found = matched_of(Task.from_config(helpers.tiny("x + y", "x*y").task), 1)
    assert isinstance(found, Basis)
    assert found.n == 6
    assert_array_equal(np.flatnonzero(~found.inputs.inside), [0])
