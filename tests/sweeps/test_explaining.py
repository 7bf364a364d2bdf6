"""Explaining many runs: what is kept is read, what is broken has a row, all of it is a table."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from tests.explanation.clock_runs import write

from grokscope.disk.folder import RunFolder
from grokscope.explanation import store
from grokscope.explanation.circuit import Effort
from grokscope.explanation.of_run import explain_networks as explain_run
from grokscope.explanation.result import Explanation
from grokscope.explanation.store import write_explanations
from grokscope.notebook import explain as verb
from grokscope.notebook.explain import explain
from grokscope.sweeps import explain_many
from grokscope.sweeps.explain_many import Explanations

QUICK: dict[str, Any] = {"effort": Effort(null_draws=50, control_draws=2), "thorough": False}


@pytest.fixture(scope="session")
def clocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of two clocks, already explained, a run without weights, and a damaged one."""
    folder = tmp_path_factory.mktemp("clocks") / "sweep"
    for seed in (0, 1):
        run = write(folder / "runs" / f"seed-{seed}", "x + y", (seed,), True)
        write_explanations(run, explain_run(run, **QUICK))
    shutil.copytree(folder / "runs" / "seed-1", folder / "runs" / "bare")
    shutil.rmtree(folder / "runs" / "bare" / "checkpoints")
    bare = RunFolder.open(folder / "runs" / "bare")
    bare.write_manifest(dataclasses.replace(bare.manifest, status="diverged"))
    shutil.copytree(folder / "runs" / "seed-1", folder / "runs" / "damaged")
    (folder / "runs" / "damaged" / "manifest.json").write_text("{")
    (folder / "sweep.toml").touch()
    return folder


@pytest.fixture
def sweep(clocks: Path, tmp_path: Path) -> Path:
    shutil.copytree(clocks, tmp_path / "sweep")
    return tmp_path / "sweep"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The runs that were explained anew, quickly."""
    found: list[Path] = []

    def quick(run: Any, **options: Any) -> list:
        found.append(Path(getattr(run, "path", run)))
        return explain_run(run, **(options | QUICK))

    monkeypatch.setattr(explain_many, "explain_run", quick)
    monkeypatch.setattr(verb, "explain_run", quick)
    monkeypatch.setattr(store, "explain_networks", quick)
    return found


def test_what_is_kept_is_not_made_again_and_the_broken_say_why(
    sweep: Path, made: list[Path]
) -> None:
    found = explain(sweep)
    # one without checkpoints cannot be read from what is kept
    assert [path.name for path in made] == ["bare"]
    rows = {row["name"]: row for row in found.table.to_pylist()}
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "seed-0": "explained",
        "seed-1": "explained",
        "bare": None,
        "damaged": None,
    }
    assert rows["bare"]["why_not"].startswith("it diverged; ")
    assert "no checkpoint of this seed" in rows["bare"]["why_not"]
    assert "is damaged" in rows["damaged"]["why_not"]
    assert [(e.seed, e.verdict) for e in found] == [(0, "explained"), (1, "explained")]
    assert set(rows["seed-0"]["W_E_keys"]) == {2, 5, 9}
    assert len(rows["seed-0"]["W_E_shares"]) == len(rows["seed-0"]["W_E_keys"])


def test_what_is_made_is_kept(sweep: Path, made: list[Path]) -> None:
    (sweep / "runs" / "seed-0" / "explanation.json").unlink()
    explain(sweep)
    assert "seed-0" in [path.name for path in made]
    made.clear()
    explain([sweep / "runs" / "seed-0", sweep / "runs" / "seed-1"])
    assert made == []


def test_a_sweep_makes_anew_what_other_rules_decided(sweep: Path, made: list[Path]) -> None:
    path = sweep / "runs" / "seed-0" / "explanation.json"
    document = json.loads(path.read_text())
    del document["rules"]
    document["explanations"][0]["verdict"] = "not explained"
    path.write_text(json.dumps(document))
    rows = {row["name"]: row["verdict"] for row in explain(sweep).table.to_pylist()}
    assert rows["seed-0"] == rows["seed-1"] == "explained"
    assert [p.name for p in made if p.name != "bare"] == ["seed-0"]


def test_one_run_is_made_anew_and_nothing_is_kept_of_a_control(
    sweep: Path, made: list[Path]
) -> None:
    run = sweep / "runs" / "seed-0"
    before = (run / "explanation.json").read_bytes()
    assert explain(str(run))[0].verdict == "explained"
    assert explain([sweep], by="x*y", **QUICK).table["verdict"].to_pylist()[0] != "explained"
    assert len(made) > 1
    assert (run / "explanation.json").read_bytes() == before


def test_both_tables_say_the_same(sweep: Path, made: list[Path]) -> None:
    found = explain(sweep).table
    assert made
    parquet = pq.read_table(sweep / "explanations.parquet")
    assert parquet.equals(found)
    text = pyarrow.csv.read_csv(sweep / "explanations.csv")
    assert text.column_names == found.column_names
    (row,) = [row for row in text.to_pylist() if row["name"] == "seed-0"]
    keys = next(r["W_E_keys"] for r in found.to_pylist() if r["name"] == "seed-0")
    assert row["W_E_keys"] == " ".join(map(str, keys))
    assert row["A_both_keep"] == pytest.approx(1, abs=0.05)


def test_the_command_prints_a_line_each_and_writes_the_table(
    sweep: Path, made: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    from grokscope.cli import main

    assert main(["explain", str(sweep)]) == 0
    out, err = capsys.readouterr()
    header, *lines = out.splitlines()
    assert header.split() == ["seed", "step", "grokked", "at", "verdict", "keys", "of", "W_E"]
    assert len(lines) == 4
    assert sum(" explained " in line for line in lines) == 2
    assert any(line.startswith("damaged") and "is damaged" in line for line in lines)
    assert "explanations.parquet" in err
    assert main(["explain", str(sweep), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert {row["name"]: row["verdict"] for row in rows}["seed-1"] == "explained"
    assert rows[-1]["verdict"] is None
    assert made


def test_several_runs_need_a_place_for_their_table(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from grokscope.cli import main

    runs = [str(sweep / "runs" / f"seed-{i}") for i in (0, 1)]
    assert main(["explain", *runs]) == 0
    assert "no table is written; --out DIR keeps one" in capsys.readouterr().err
    assert main(["explain", *runs, "--out", str(tmp_path / "new")]) == 0
    assert pq.read_table(tmp_path / "new" / "explanations.parquet").num_rows == 2
    assert not (sweep / "explanations.csv").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--over-time"], "--over-time is for one run"),
        (["--seeds", "7"], "no run has such a seed; got '7'"),
        (["--operation", "x"], "--operation is for files"),
    ],
)
def test_what_many_runs_cannot_have(
    sweep: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from grokscope.cli import main

    assert main(["explain", str(sweep), *words]) == 2
    assert said in capsys.readouterr().err


def test_many_explanations_show_themselves_in_a_few_lines() -> None:
    one = Explanation("x<y", 23, 0, 100, "explained")
    several = Explanations([({}, one)] * 25)
    assert len(repr(several).splitlines()) == 21
    assert repr(several).endswith("… and 5 more; .table has all")
    assert "x<y" not in several._repr_html_()
    assert Explanations([({}, one)])._repr_html_() == one._repr_html_()
