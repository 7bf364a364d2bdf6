"""A run that was stopped, killed or made longer ends with the bits of one that was not."""

import dataclasses
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grokscope.disk.folder import RunFolder
from grokscope.errors import RunFolderError, RunInterruptedError, UsageError

CASES: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (("x + y",), {"batch_size": 7}),
    (("x / y", "x*y"), {"freeze": ("embedding",), "warmup": 25}),
    (("random",), {"architecture": "mlp", "d_embedding": 8, "layers": 2, "seeds": (3, 2**32 - 1)}),
    (
        ("x*y",),
        {
            "method": "muon",
            "grokfast": 2.0,
            "decay": "cosine",
            "decay_steps": 100,
            "label_noise": 0.2,
            "seeds": (0, 1),
        },
    ),
    (("x + y",), {"method": "sgd", "loss": "stablemax", "orthogonal_gradients": True}),
]


@pytest.mark.parametrize(("expressions", "changes"), CASES, ids=str)
def test_a_run_that_was_interrupted_and_killed_has_the_same_bits(
    helpers: SimpleNamespace, tmp_path: Path, expressions: tuple[str, ...], changes: dict
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "run"
    helpers.train(whole, *expressions, **changes)
    with pytest.raises(
        RunInterruptedError, match=r"interrupted at step 10; .*gs\.load_run\(.*\)\.resume\(\)"
    ):
        helpers.train(
            out, *expressions, **changes, resume=True, callbacks=helpers.Recorder(interrupt_at=10)
        )
    manifest = RunFolder.open(out).manifest
    assert manifest.status == "interrupted"
    assert [result["steps"] for result in manifest.results] == [10] * len(manifest.seeds)
    # the save of step 20 is what it goes back to
    with pytest.raises(RuntimeError, match="crash"):
        helpers.train(
            out, *expressions, **changes, resume=True, callbacks=helpers.Recorder(crash_at=30)
        )
    assert RunFolder.open(out).checkpoint_steps(manifest.seeds[0])[-1] == 30
    callbacks = helpers.Recorder()
    helpers.train(out, *expressions, **changes, resume=True, callbacks=callbacks)
    assert [beginning.step for beginning in callbacks.beginnings] == [20]
    assert [told.step for told in callbacks.evaluations] == [30, 40]
    assert callbacks.warnings == []
    found, expected = helpers.contents(out), helpers.contents(whole)
    for name, value in expected.items():
        assert found[name] == value, name


def test_seeds_that_stop_early_keep_the_bits_that_they_have_alone(
    helpers: SimpleNamespace, tmp_path: Path
) -> None:
    """Also when the run is interrupted after the first has stopped."""
    early = {
        "steps": 250,
        "learning_rate": 5e-3,
        "stop": True,
        "stop_accuracy": 0.03,
        "stop_margin": 20,
        "save_every": 30,
    }
    together = helpers.train(tmp_path / "together", seeds=(0, 1), **early)
    stopped = [result["steps"] for result in together.manifest.results]
    assert len(set(stopped)) > 1
    assert min(stopped) < 250
    expected = helpers.contents(together.path)
    for seed in range(2):
        alone = helpers.train(tmp_path / f"alone-{seed}", seeds=(seed,), **early)
        assert alone.manifest.results == [together.manifest.results[seed]]
        mine = helpers.contents(alone.path)
        for name, data in mine["checkpoints"].items():
            assert expected["checkpoints"][name] == data, name
        for rows in ("metrics", "spectra"):
            assert mine[rows] == [row for row in expected[rows] if f"'seed': {seed}," in row]
    names = {name for name in expected["checkpoints"] if not name.endswith("0000000.safetensors")}
    assert {name.split("/")[1] for name in names} == {"seed-0", "seed-1"}

    out, middle = tmp_path / "resumed", min(stopped) + 10
    with pytest.raises(RunInterruptedError):
        helpers.train(out, seeds=(0, 1), **early, callbacks=helpers.Recorder(interrupt_at=middle))
    helpers.train(out, seeds=(0, 1), **early, resume=True)
    assert helpers.contents(out) == expected


def test_a_longer_run_goes_on_where_the_shorter_ended(
    helpers: SimpleNamespace, finished: Path, tmp_path: Path
) -> None:
    out, expected = tmp_path / "run", helpers.contents(finished)
    assert helpers.train(out, steps=20).manifest.results[0]["steps"] == 20
    callbacks = helpers.Recorder()
    assert helpers.train(out, resume=True, callbacks=callbacks).manifest.results[0]["steps"] == 40
    assert [told.step for told in callbacks.evaluations] == [30, 40]
    assert helpers.contents(out) == expected
    # fewer steps than there are is no reason to train, or to forget
    helpers.train(out, steps=20, resume=True)
    assert helpers.contents(out) == expected


def test_a_longer_run_may_begin_between_two_evaluations(
    helpers: SimpleNamespace, finished: Path, tmp_path: Path
) -> None:
    out, expected = tmp_path / "run", helpers.contents(finished)
    helpers.train(out, steps=25)
    helpers.train(out, resume=True)
    found = helpers.contents(out)
    assert found["state"] == expected["state"]
    assert set(found["checkpoints"]) - set(expected["checkpoints"]) == {
        "checkpoints/seed-0/step-0000025.safetensors"
    }
    assert expected["checkpoints"].items() <= found["checkpoints"].items()
    extra = [row for row in found["metrics"] if "'step': 25," in row]
    assert [row for row in found["metrics"] if row not in extra] == expected["metrics"]


def test_a_longer_run_stays_longer_when_it_is_killed(
    helpers: SimpleNamespace, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    helpers.train(out, steps=20)
    with pytest.raises(RuntimeError, match="crash"):
        helpers.train(out, resume=True, callbacks=helpers.Recorder(crash_at=30))
    manifest = RunFolder.open(out).manifest
    assert (manifest.status, manifest.config["schedule"]["steps"]) == ("failed", 40)
    helpers.train(out, steps=20, resume=True)
    assert helpers.contents(out) == helpers.contents(finished)


def test_resuming_a_finished_run_changes_nothing(helpers: SimpleNamespace, finished: Path) -> None:
    before, callbacks = helpers.contents(finished), helpers.Recorder()
    seconds = RunFolder.open(finished).manifest.times["training_seconds"]
    run = helpers.train(finished, "x+y", resume=True, callbacks=callbacks)
    assert callbacks.evaluations == []
    assert helpers.contents(finished) == before
    assert run.manifest.times["training_seconds"] == seconds


@pytest.mark.parametrize(
    ("expressions", "changes", "named"),
    [
        (("x*y",), {}, "operation"),
        (("x + y", "x*y"), {}, "operation"),
        ((), {"p": 11}, "p 11"),
        ((), {"seeds": (0, 1)}, "seeds"),
        ((), {"learning_rate": 2e-3}, "learning_rate 0.002"),
        ((), {"eval_every": 5}, "eval_every 5"),
        ((), {"eta": 0.4}, "eta 0.4"),
        ((), {"freeze": ("mlp",)}, "freeze mlp"),
        ((), {"method": "muon"}, "method muon"),
        ((), {"label_noise": 0.1}, "label_noise 0.1"),
    ],
)
def test_another_run_is_not_mistaken_for_this_one(
    helpers: SimpleNamespace,
    finished: Path,
    expressions: tuple[str, ...],
    changes: dict,
    named: str,
) -> None:
    before = helpers.contents(finished)
    with pytest.raises(UsageError, match=f"holds another run; got '{named}"):
        helpers.train(finished, *expressions, resume=True, **changes)
    assert helpers.contents(finished) == before


def test_another_machine_is_told_about_other_bits(helpers: SimpleNamespace, tmp_path: Path) -> None:
    out = tmp_path / "run"
    helpers.train(out, steps=10)
    folder = RunFolder.open(out)
    there = {"jaxlib": "0.0.1", "threads": 1234, "settings": {"XLA_FLAGS": "--xla_fast"}}
    elsewhere = folder.manifest.determinism | there
    folder.write_manifest(dataclasses.replace(folder.manifest, determinism=elsewhere))
    callbacks = helpers.Recorder()
    helpers.train(out, steps=20, resume=True, callbacks=callbacks)
    (line,) = callbacks.warnings
    assert "jaxlib 0.0.1 → " in line
    assert "threads 1234 → " in line
    assert "XLA_FLAGS --xla_fast → " in line
    assert "processor" not in line


def test_a_run_from_before_settings_were_recorded(helpers: SimpleNamespace, tmp_path: Path) -> None:
    out = tmp_path / "run"
    helpers.train(out, steps=10)
    folder = RunFolder.open(out)
    older = {k: v for k, v in folder.manifest.determinism.items() if k != "settings"}
    folder.write_manifest(dataclasses.replace(folder.manifest, determinism=older))
    callbacks = helpers.Recorder()
    helpers.train(out, steps=20, resume=True, callbacks=callbacks)
    assert callbacks.warnings == []


def test_a_run_that_lost_its_state_is_not_begun_anew(
    helpers: SimpleNamespace, finished: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    shutil.rmtree(run / "state")
    before = {file: file.read_bytes() for file in run.glob("[cms]*/**/*.*")}
    assert len(before) > 5
    with pytest.raises(RunFolderError, match="its state is missing"):
        helpers.train(run, "x + y", resume=True, steps=60)
    assert {file: file.read_bytes() for file in run.glob("[cms]*/**/*.*")} == before
    assert RunFolder.open(run).manifest.status == "undecided"


def test_a_run_that_lost_a_part_of_its_metrics_is_not_resumed(
    helpers: SimpleNamespace, finished: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    sorted((run / "metrics").iterdir())[1].unlink()
    with pytest.raises(RunFolderError, match="a part of its metrics is missing"):
        helpers.train(run, "x + y", resume=True, steps=60)
    assert RunFolder.open(run).manifest.status == "undecided"
