"""grokscope runs: the table, the document, and names that are not to be trusted."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grokscope.cli.runs_view import table_of_runs
from grokscope.config.run import PRESETS, RunConfig
from grokscope.disk.explanations import write_documents
from grokscope.disk.folder import RunFolder
from grokscope.disk.listing import RunSummary, list_runs
from grokscope.disk.manifest import Manifest


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
    for cell in ("x + y", "p 59", "r 0.6", "interrupted (killed)", "50.0%", "–"):
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
    assert "label noise" not in cli("runs", str(specimens)).out
    folder = RunFolder.open(specimens / "run")
    config = folder.manifest.config
    config = config | {"task": config["task"] | {"label_noise": 0.1}}
    folder.write_manifest(dataclasses.replace(folder.manifest, config=config))
    out = cli("runs", str(specimens)).out
    assert "label noise" in out
    assert any(" 0.1 " in line for line in out.splitlines() if line.startswith("  run "))
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


def test_columns_stand_below_one_another_whatever_a_name_holds(tmp_path: Path) -> None:
    runs = [
        RunSummary(tmp_path / name, operation="x + y", p=23, state="undecided")
        for name in ("plain", "bad\udcffbyte", "two\nlines")
    ]
    lines = list(table_of_runs(runs, None))
    assert "bad\\udcffbyte" in "".join(lines)
    states = [line.index("undecided") for line in lines if "undecided" in line]
    assert len(states) == 3
    assert len(set(states)) == 1


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


def make_sweep(folder: Path) -> None:
    """Write a sweep of two weight decays and two seeds, one of them explained."""
    for i, (decay, seed) in enumerate([(10.0, 0), (2.0, 1), (2.0, 0), (10.0, 1)]):
        config = RunConfig(seeds=(seed,)).to_json()
        config["optimizer"]["weight_decay"] = decay
        manifest = Manifest.new(config, "x + y", device="cpu", jaxlib="1", run_axis="map")
        results = [{"seed": seed, "grokked_at": 1500 if decay > 5 else None}]
        state = "grokked" if decay > 5 else "undecided"
        manifest = dataclasses.replace(manifest, status=state, results=results)
        RunFolder.create(folder / "runs" / f"x+y-p97-r0.3-s{seed}-{i:010x}", manifest)
    run = RunFolder.open(folder / "runs" / "x+y-p97-r0.3-s0-0000000000")
    run.save_checkpoint(0, 2000, {"W": np.zeros((2, 2))}, {"W": ("token", "d_model")}, {})
    keys = {"key_frequencies": [3, 41, 7, 12, 33, 9]}
    write_documents(
        run,
        [
            {
                "seed": 0,
                "step": 2000,
                "operation": "x + y",
                "verdict": "explained",
                "embedding": keys,
                "readout": keys,
            }
        ],
    )
    (folder / "sweep.toml").touch()


def test_a_line_a_run_at_80_columns(tmp_path: Path) -> None:
    make_sweep(tmp_path / "decays")
    found = list(table_of_runs(list_runs(tmp_path), 80))
    assert found[0].endswith("decays: 4 runs, all x + y, p 97, r 0.3")
    assert max(map(len, found[1:])) <= 80
    rows = [line.split() for line in found if line.lstrip().startswith("…-")]
    assert [row[1:4] for row in rows] == [
        ["2", "0", "undecided"],
        ["2", "1", "undecided"],
        ["10", "0", "grokked"],
        ["10", "1", "grokked"],
    ]
    assert rows[2] == [
        "…-0000000000",
        "10",
        "0",
        "grokked",
        "1,500",
        "explained",
        "3",
        "41",
        "7",
        "12",
        "33",
        "9",
    ]
    assert rows[3][-2:] == ["–", "–"]
    assert found[-1].strip().startswith("--wide adds step, ")


def test_a_verdict_of_an_earlier_checkpoint_is_not_shown(tmp_path: Path) -> None:
    make_sweep(tmp_path)
    run = RunFolder.open(tmp_path / "runs" / "x+y-p97-r0.3-s0-0000000000")
    run.save_checkpoint(0, 2500, {"W": np.zeros((2, 2))}, {"W": ("token", "d_model")}, {})
    assert "explained" not in "\n".join(table_of_runs(list_runs(tmp_path), None))


def test_sweeps_below_a_folder_are_looked_into(cli: Any, tmp_path: Path) -> None:
    make_sweep(tmp_path / "sweeps" / "decays")
    make_sweep(tmp_path / "mine" / "deep" / "decays")
    (tmp_path / "sweeps" / "decays" / "failures").mkdir()
    (tmp_path / "sweeps" / "decays" / "failures" / "gone.json").write_text('{"error": "no room"}')
    out = cli("runs").out
    assert out.startswith("sweeps/decays: 5 runs, all x + y, p 97, r 0.3\n")
    assert "x+y-p97-r0.3-s1-0000000001" in out  # in a pipe names are whole
    assert "gone: no room\n" in out
    assert cli("runs", "mine").out.startswith("mine/deep/decays: 4 runs")
    names = {Path(run["path"]).name for run in json.loads(cli("runs", "--json").out)}
    assert len(names) == 5
    wide = cli("runs", "--wide").out
    assert re.sub(r"\d+ s\n", "\n", wide) == re.sub(r"\d+ s\n", "\n", out)  # but for the ages


def test_runs_that_differ_in_much_show_what_matters_first(tmp_path: Path) -> None:
    for name, preset, text in (("a-2", "paper", "x + y"), ("a-10", "quick", "x*y")):
        config = PRESETS[preset].to_json()
        manifest = Manifest.new(config, text, device="cpu", jaxlib="1", run_axis="map")
        RunFolder.create(tmp_path / name, manifest)
    found = list(table_of_runs(list_runs(tmp_path), 80))
    assert max(map(len, found[1:])) <= 80
    assert [line.split()[0] for line in found[-3:-1]] == ["a-2", "a-10"]
    for said in ("x + y", "x*y", "killed", "operation"):
        assert any(said in line for line in found), said


@pytest.mark.parametrize(
    ("accuracy", "grokked_at", "state", "text"),
    [
        (1.0, {0: None}, "undecided", "unconfirmed"),
        (0.99, {0: None}, "undecided", "unconfirmed"),
        (0.98, {0: None}, "undecided", "–"),
        (1.0, {0: None}, "diverged", "–"),
        (1.0, {0: 600}, "grokked", "600"),
        (1.0, {0: 600, 1: None}, "undecided", "600 unconfirmed"),
        (0.992, {0: 600, 1: None}, "undecided", "600 –"),
    ],
)
def test_what_is_not_confirmed_yet_is_said(
    accuracy: float, grokked_at: dict[int, int | None], state: str, text: str
) -> None:
    run = RunSummary(
        Path("runs/a"),
        seeds=tuple(grokked_at),
        test_accuracy=accuracy,
        grokked_at=grokked_at,
        state=state,
    )
    assert text in "\n".join(table_of_runs([run], None))
    assert ("unconfirmed" in "\n".join(table_of_runs([run], None))) == ("unconfirmed" in text)
