"""grokscope runs: the table, the document, and names that are not to be trusted."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from grokscope.runs.folder import RunFolder


def test_an_empty_folder(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    outcome = cli("runs")
    assert (outcome.code, outcome.out, outcome.err) == (0, "no runs in runs\n", "")
    assert cli("runs", "--json").out == "[]\n"


def test_the_table(cli: Any, specimens: Path) -> None:
    outcome = cli("runs", str(specimens))
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    row = next(line for line in lines if line.lstrip().startswith("run "))
    for cell in ("x + y mod 31", "0.6", "interrupted (killed)", "50.0%", "–"):
        assert any(cell in line for line in lines), cell
    assert "state" in row or "grokked" in row
    for damaged in ("flipped-manifest", "flipped-part", "newer"):
        (line,) = [line for line in lines if line.startswith(f"{damaged}: ")]
        assert "damaged" in line or "newer grokscope" in line
    assert not any("foreign" in line for line in lines)


def test_what_a_run_took_over(cli: Any, specimens: Path) -> None:
    run = RunFolder.open(specimens / "run")
    config = run.manifest.config
    config["transfer"]["load"] = config["optimizer"]["freeze"] = ["embedding"]
    checkpoints = [{"seed": 0, "source_seed": 0, "step": 10_000, "sha256": "0"}]
    origin = {"source": "a", "operation": "x\n*[b]y", "checkpoints": checkpoints}
    run.write_manifest(dataclasses.replace(run.manifest, config=config, transfer=origin))
    assert "embedding from x\\n*[b]y, seed 0, step 10,000; frozen" in cli("runs", ".").out
    found = {run["path"]: run["transfer"] for run in json.loads(cli("runs", ".", "--json").out)}
    assert found["run"] == "embedding from x\n*[b]y, seed 0, step 10,000; frozen"
    assert found["no-metrics"] is None


def test_label_noise_is_said_beside_the_accuracies(cli: Any, specimens: Path) -> None:
    assert ", label noise" not in cli("runs", str(specimens)).out
    folder = RunFolder.open(specimens / "run")
    config = folder.manifest.config
    config = config | {"task": config["task"] | {"label_noise": 0.1}}
    folder.write_manifest(dataclasses.replace(folder.manifest, config=config))
    assert "x + y mod 31, label noise 0.1" in cli("runs", str(specimens)).out
    found = json.loads(cli("runs", str(specimens), "--json").out)
    assert [run["label_noise"] for run in found if run["path"].endswith("/run")] == [0.1]


def test_names_are_shown_as_they_are(cli: Any, specimens: Path) -> None:
    (specimens / "run").rename(specimens / "a\n\x1b[31m[b]")
    (specimens / "flipped-manifest").rename(specimens / "b\n\x1b[31m[b]")
    outcome = cli("runs", str(specimens))
    assert outcome.code == 0
    assert "[red]<script>alert(1)" in outcome.out
    assert "\x1b" not in outcome.out
    assert "\\n\\x1b[31m[b]" in outcome.out
    assert "b\\n\\x1b[31m[b]: " in outcome.out


def test_the_document(cli: Any, specimens: Path) -> None:
    outcome = cli("runs", str(specimens), "--json")
    assert outcome.out.count("\n") == 1
    found = {
        Path(run["path"]).name: run for run in json.loads(outcome.out, parse_constant=pytest.fail)
    }
    assert found["run"]["operation"] == "x + y"
    assert found["run"]["test_accuracy"] == 0.5
    assert found["run"]["train_accuracy"] is None
    assert found["run"]["error"] is None
    assert "damaged" in found["flipped-manifest"]["error"]
    assert "foreign" not in found
