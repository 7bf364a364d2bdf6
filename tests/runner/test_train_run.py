"""A training leaves a complete run folder, or says in one line why not."""

from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import grokscope as gs
from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.errors import DivergedError, NotEnoughMemoryError, RunFolderError, UsageError
from grokscope.models import make_model, with_weights
from grokscope.runner.loop import train_run
from grokscope.runner.progress import Evaluation
from grokscope.tasks import Task, make_split


def test_the_manifest_says_what_was_trained_and_how_it_ended(
    helpers: SimpleNamespace, finished: Path
) -> None:
    manifest = RunFolder.open(finished).manifest
    assert RunConfig.from_json(manifest.config) == helpers.tiny()
    assert manifest.operation == "x + y"
    assert manifest.seeds == [0]
    assert manifest.status == "undecided"
    assert manifest.determinism["run_axis"] == "map"
    assert manifest.packages["jax"] == jax.__version__
    assert manifest.times["training_seconds"] > 0
    # round(0.6 · 49) pairs train
    assert manifest.results == [
        {
            "seed": 0,
            "status": "undecided",
            "memorised_at": None,
            "grokked_at": None,
            "diverged_at": None,
            "steps": 40,
            "n_train": 29,
            "n_test": 20,
            "n_undefined": 0,
        }
    ]
    assert [run.state for run in gs.runs(finished.parent)] == ["undecided"]


def test_every_evaluation_is_recorded_once(finished: Path) -> None:
    rows = RunFolder.open(finished).metrics().to_pylist()
    keys = [(r["seed"], r["step"], r["measure"], r["matrix"], r["basis"]) for r in rows]
    assert len(set(keys)) == len(keys)
    assert sorted({step for _, step, *_ in keys}) == [0, 10, 20, 30, 40]
    # 9 predictions, 8 norms, 5 and 4 measures of 2 tables in 2 bases; at 0, 20 and 40 18 losses
    assert len(keys) == 5 * (9 + 8 + 2 * (5 + 4)) + 3 * 18
    spectra = RunFolder.open(finished).spectra().to_pylist()
    assert sorted({row["step"] for row in spectra}) == [0, 20, 40]
    assert [(r["basis"], r["matrix"], r["k"]) for r in spectra if r["step"] == 20] == [
        (basis, matrix, k)
        for basis in ("additive", "matched")
        for matrix in ("W_E", "W_L")
        for k in (1, 2, 3)
    ]


def test_checkpoints_hold_the_weights_that_were_measured(
    helpers: SimpleNamespace, finished: Path
) -> None:
    folder, config = RunFolder.open(finished), helpers.tiny()
    # log-spaced 0, 10, 20, 40; every 30; the last
    assert folder.checkpoint_steps(0) == [0, 10, 20, 30, 40]
    task = Task.from_config(config.task)
    split = make_split(task, 0.6, "pairs", 0)
    tokens, labels = jnp.asarray(task.tokens()[0]), task.labels(0)[0]
    model = make_model(config.model, 7, 8, jax.random.key(0))
    recorded = helpers.accuracies(finished)
    for step in folder.checkpoint_steps(0):
        weights, meta = folder.load_checkpoint(0, step)
        assert (meta["p"], meta["operation"]) == (7, "x + y")
        right = np.argmax(with_weights(model, weights)(tokens), axis=1) == labels
        assert_allclose(right[split.test].mean(), recorded[step], rtol=1e-6)


def test_the_listener_hears_everything(helpers: SimpleNamespace, tmp_path: Path) -> None:
    callbacks = helpers.Recorder()
    helpers.train(tmp_path / "run", callbacks=callbacks)
    (beginning,) = callbacks.beginnings
    assert (beginning.step, beginning.n_train, beginning.n_test, beginning.n_undefined) == (
        0,
        29,
        20,
        0,
    )
    assert beginning.operation == "x + y"
    assert [told.step for told in callbacks.evaluations] == [10, 20, 30, 40]
    last = callbacks.evaluations[-1]
    assert last.values["test_accuracy"] == [helpers.accuracies(tmp_path / "run")[40]]
    assert {"train_loss", "ffs W_E", "fcr W_L", "l2_norm W_U"} <= set(last.values)
    assert {"kfs W_E matched", "fcr W_L matched"} <= set(last.values)
    assert np.isnan(callbacks.evaluations[0].steps_per_second)
    assert last.steps_per_second > 0
    assert callbacks.warnings == []


def test_undefined_pairs_neither_train_nor_test(helpers: SimpleNamespace, tmp_path: Path) -> None:
    run = helpers.train(tmp_path / "run", "x / y", steps=10)
    # 7 pairs have y = 0; round(0.6 · 42) train
    counts = {name: run.manifest.results[0][name] for name in ("n_train", "n_test", "n_undefined")}
    assert counts == {"n_train": 25, "n_test": 17, "n_undefined": 7}
    tests = np.array(list(helpers.accuracies(run.path).values()))
    assert_allclose(tests * 17, np.round(tests * 17), atol=1e-5)


def test_a_folder_is_not_trained_over(helpers: SimpleNamespace, finished: Path) -> None:
    before = helpers.contents(finished)
    with pytest.raises(RunFolderError, match="already holds a run; add resume=True"):
        helpers.train(finished)
    assert helpers.contents(finished) == before


def test_wrong_input_leaves_no_folder(helpers: SimpleNamespace, tmp_path: Path) -> None:
    for expressions, changes in (
        (("x +",), {}),
        (("x / 7",), {}),
        (("x + y",), {"batch_size": 30}),
        (("x + y",), {"train_fraction": 0.001}),
    ):
        with pytest.raises(UsageError):
            helpers.train(tmp_path / "run", *expressions, **changes)
    assert not (tmp_path / "run").exists()


def test_a_training_that_diverges_is_saved_and_says_when(
    helpers: SimpleNamespace, tmp_path: Path
) -> None:
    wild = {"learning_rate": 10.0, "weight_decay": 1000.0}
    with pytest.raises(DivergedError, match=r"seed 0 at step (\d+)\); the run is saved") as told:
        helpers.train(tmp_path / "run", **wild)
    folder = RunFolder.open(tmp_path / "run")
    (result,) = folder.manifest.results
    at = result["diverged_at"]
    assert f"step {at})" in str(told.value)
    assert 0 < at < 40
    assert folder.manifest.status == result["status"] == "diverged"
    assert result["steps"] == -(-at // 10) * 10
    assert folder.checkpoint_steps(0)[-1] == result["steps"]
    before = helpers.contents(tmp_path / "run")
    with pytest.raises(DivergedError):
        helpers.train(tmp_path / "run", resume=True, **wild)
    assert helpers.contents(tmp_path / "run") == before
    # also where it is the very last update that breaks the network
    with pytest.raises(DivergedError, match=f"seed 0 at step {at}"):
        helpers.train(tmp_path / "short", steps=at, **wild)


def test_checkpoints_stay_within_their_budget(helpers: SimpleNamespace, tmp_path: Path) -> None:
    steps, callbacks = 1_000_000, helpers.Recorder(crash_at=10)
    with pytest.raises(RuntimeError, match="crash"):
        helpers.train(
            tmp_path / "run",
            steps=steps,
            checkpoint_every=30,
            checkpoint_budget=1,
            callbacks=callbacks,
        )
    every = callbacks.beginnings[0].config.schedule.checkpoint_every
    assert every > 30
    assert RunFolder.open(tmp_path / "run").manifest.config["schedule"]["checkpoint_every"] == every
    weights, _ = RunFolder.open(tmp_path / "run").load_checkpoint(0, 0)
    size = sum(W.nbytes for W in weights.values())
    log_spaced = {10 * 2**i for i in range(17)}
    kept = {0, steps, *range(0, steps, every), *log_spaced}
    assert size * len(kept) <= 2**20 < size * (len(kept) + steps // every)


def test_python_has_the_verb_train(
    helpers: SimpleNamespace, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = gs.train("x+y", **helpers.settings)
    assert run.path == tmp_path / "runs" / "x+y-p7"
    assert helpers.contents(run.path) == helpers.contents(finished)
    assert run.results == run.folder.manifest.results
    again = gs.train("x + y", **helpers.settings | {"steps": 10})
    assert again.path == tmp_path / "runs" / "x+y-p7-2"
    longer = gs.train("x + y", out=again.path, resume=True, **helpers.settings)
    assert longer.results == run.results
    with pytest.raises(UsageError, match="unknown setting; got 'stepz'"):
        gs.train("x + y", stepz=3)
    assert len(list(Path("runs").iterdir())) == 2


def test_a_stored_configuration_trains_the_same_run(finished: Path, tmp_path: Path) -> None:
    config = RunConfig.from_json(RunFolder.open(finished).manifest.config)
    run = train_run(config, tmp_path / "again")
    assert run.manifest.results == RunFolder.open(finished).manifest.results


def test_a_run_that_ends_for_want_of_memory_is_not_left_running(
    helpers: SimpleNamespace, tmp_path: Path, finished: Path
) -> None:
    class Greedy(helpers.Recorder):
        def evaluated(self, evaluation: Evaluation) -> None:
            if evaluation.step == 30:
                raise MemoryError

    out = tmp_path / "run"
    with pytest.raises(NotEnoughMemoryError, match="not enough memory; "):
        helpers.train(out, callbacks=Greedy())
    assert RunFolder.open(out).manifest.status == "failed"
    helpers.train(out, resume=True)
    assert helpers.contents(out) == helpers.contents(finished)
