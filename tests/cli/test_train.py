"""grokscope train: where its output goes, and what a second call says."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest

import grokscope as gs
from grokscope.cli.train import _sentence, _unconfirmed
from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.errors import UsageError
from grokscope.runner.training_run import TrainingRun

TINY: Final = shlex.split(
    """--p 7 --architecture mlp --d-model 8 --d-embedding 4 --train-fraction 0.8 --steps 20
    --eval-every 10 --no-report"""
)
ENDED: Final = "undecided at 20 steps; --resume --steps N trains on"
NEXT: Final = "next: grokscope explain run\nthen: grokscope report run  # with the explanation\n"


def test_words_on_standard_output_progress_on_standard_error(cli: Any) -> None:
    outcome = cli("train", "-x+y", *TINY, "--out", "run", "--seeds", "0", "1")
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        f"-x + y mod 7, seed 0: {ENDED}",
        f"-x + y mod 7, seed 1: {ENDED}",
        "run: run",
    ]
    first, *rest = outcome.err.splitlines()
    assert first == "-x + y mod 7: 39 pairs train, 10 test, 0 undefined"
    assert rest[-3].startswith("step 20 of at most 20, ")
    assert "".join(f"{line}\n" for line in rest[-2:]) == NEXT


def test_quiet_and_json(cli: Any, tmp_path: Path) -> None:
    outcome = cli("train", "x*y", *TINY, "--quiet", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.count("\n") == 1
    document = json.loads(outcome.out)
    assert document["run"] == "runs/xy-p7"
    (result,) = document["results"]
    assert (result["seed"], result["status"], result["steps"]) == (0, "undecided", 20)
    assert not (tmp_path / document["run"] / "report.html").exists()
    again = cli("train", "x*y", *TINY, "--quiet", "--json")
    assert json.loads(again.out)["run"] == "runs/xy-p7-2"


def test_quiet_still_warns(cli: Any) -> None:
    outcome = cli("train", "3", *TINY, "--quiet")
    assert outcome.code == 0
    assert outcome.err == (
        "warning: 3 is constant, so that x and y need not be combined to learn it\n"
    )


def test_a_finished_run_is_told_and_can_be_trained_on(cli: Any) -> None:
    whole = ("train", "x - y", *TINY, "--no-stop", "--out", "run", "--quiet")
    assert cli(*whole).code == 0
    shorter = ("train", "--resume", "--out", "run", "--no-report")
    for words, leads_on in ((shorter, NEXT), ((*whole, "--resume"), "")):
        outcome = cli(*words)
        assert (outcome.code, outcome.out) == (0, f"x - y mod 7, seed 0: {ENDED}\nrun: run\n")
        assert outcome.err == f"this run is finished; to train on, raise --steps\n{leads_on}"
    # a report that is missing, as after a kill while it was written, is written now
    assert "report: run/report.html" in cli("train", "--resume", "--out", "run").out
    outcome = cli("train", "--resume", "--out", "run", "--steps", "30", "--no-report")
    assert outcome.code == 0
    assert "going on at step 20" in outcome.err
    assert "undecided at 30 steps" in outcome.out
    refused = cli(*whole)
    assert refused.code == 2
    assert "already holds a run" in refused.err


@pytest.mark.parametrize("steps", ["10", "20"])
def test_fewer_steps_than_a_run_has_are_refused(cli: Any, steps: str) -> None:
    """Fewer than it has done, and fewer than its maximum."""
    words = ("train", "x - y", *TINY, "--no-stop", "--out", "run", "--quiet")
    assert cli(*words).code == 0
    assert cli("train", "--resume", "--out", "run", "--steps", "30", "--no-report").code == 0
    before = RunFolder.open("run").manifest
    outcome = cli("train", "--resume", "--out", "run", "--steps", steps)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"grokscope: the maximum of steps can be raised, not lowered; got {steps}; allowed: 30 or"
        " more; leave --steps out to go on to 30; Ctrl-C saves and stops before\n"
    )
    assert RunFolder.open("run").manifest == before
    with pytest.raises(UsageError, match=r"not lowered; got 10; .*leave steps out"):
        gs.load_run("run").resume(steps=10)


def test_checkpoints_that_were_removed_are_missed_at_the_end(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = TrainingRun.save

    def removing(self: TrainingRun) -> None:
        if self.step == 10:
            shutil.rmtree(tmp_path / "run" / "checkpoints")
        save(self)

    monkeypatch.setattr(TrainingRun, "save", removing)
    outcome = cli("train", "x - y", *TINY, "--save-every", "10", "--out", "run", "--quiet")
    assert outcome.code == 1
    assert outcome.err == (
        "grokscope: ended at step 20; files that were saved have been removed from 'run' while it"
        " trained: checkpoints/seed-0/step-0000000.safetensors and 1 more; all else is saved;"
        " restore them from a copy, or train again with another --out\n"
    )


def test_a_run_stopped_by_a_low_accuracy_is_not_sent_to_more_steps(cli: Any) -> None:
    """With more steps it would stop at the same place again."""
    words = shlex.split(
        """train x --p 7 --architecture mlp --d-model 8 --d-embedding 4 --steps 20 --eval-every 1
        --stop-accuracy 0.01 --stop-margin 0 --no-report --quiet --out run"""
    )
    outcome = cli(*words)
    assert outcome.code == 0
    told, _ = outcome.out.splitlines()
    assert re.fullmatch(
        r"x mod 7, seed 0: undecided at \d+ steps, stopped by --stop-accuracy 0\.01; "
        r"a new run with a higher one trains longer",
        told,
    )
    again = cli("train", "--resume", "--out", "run", "--no-report")
    assert again.out == outcome.out
    assert again.err == (
        f"this run is finished; to train longer, train anew with a higher --stop-accuracy\n{NEXT}"
    )


def test_the_first_call_may_say_resume(cli: Any) -> None:
    assert cli("train", "x", *TINY, "--out", "run", "--quiet", "--resume").code == 0


def test_divergence(cli: Any) -> None:
    words = ("train", "x + y", *TINY, "--out", "run", "--quiet")
    outcome = cli(*words, "--learning-rate", "10", "--weight-decay", "1000")
    assert outcome.code == 1
    assert "x + y mod 7, seed 0: diverged at step " in outcome.out
    assert outcome.err.count("\n") == 1
    assert "the loss is no longer finite (seed 0 at step " in outcome.err
    assert "try a smaller --learning-rate" in outcome.err
    again = cli("train", "--resume", "--out", "run", "--no-report")
    assert (again.code, again.out) == (1, outcome.out)
    assert again.err == (
        "grokscope: this run diverged; try a smaller --learning-rate or a longer --warmup\n"
    )


def test_a_damaged_state(cli: Any, specimens: Path) -> None:
    outcome = cli("train", "--resume", "--out", "cut-state", "--quiet")
    assert (outcome.code, outcome.out) == (2, "")
    warning, line = outcome.err.splitlines()
    assert warning.startswith("warning: this run began elsewhere (")
    assert "'cut-state/state/state.safetensors' is damaged" in line
    assert (specimens / "cut-state" / "manifest.json").exists()


@pytest.mark.parametrize("out", ["with space", "ünïcode", "[red]", "<b>", "a=b"])
def test_odd_names_of_folders(cli: Any, tmp_path: Path, out: str) -> None:
    assert cli("train", "y", *TINY, "--out", out, "--quiet").code == 0
    assert (tmp_path / out / "manifest.json").exists()


def test_what_is_not_yet_confirmed_is_said_at_the_end(tmp_path: Path) -> None:
    """A run that ends at 99%, before five more evaluations could confirm it."""
    manifest = Manifest.new(
        RunConfig().to_json(), "x + y", device="cpu", jaxlib="1", run_axis="map"
    )
    run = RunFolder.create(tmp_path / "run", manifest)
    rows = [
        {
            "seed": seed,
            "step": step,
            "measure": "test_accuracy",
            "value": float(seed == 0 and step >= 200),
        }
        for seed in (0, 1)
        for step in range(0, 401, 50)
    ]
    run.append(pa.Table.from_pylist(rows, schema=METRIC_SCHEMA), SPECTRA_SCHEMA.empty_table(), 400)
    ended = {"status": "undecided", "steps": 400, "memorised_at": None, "grokked_at": None}
    said = [_sentence(manifest, {"seed": s} | ended, _unconfirmed(run.path, s)) for s in (0, 1)]
    assert said[0].startswith(
        "x + y mod 97, seed 0: undecided at 400 steps, test accuracy at 99% since step 200, not"
        " yet confirmed by five more evaluations, "
    )
    assert "confirmed" not in said[1]
