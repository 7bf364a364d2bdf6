"""grokscope sweep from the words of its command line to its exit code."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from grokscope.disk.folder import RunFolder
from grokscope.disk.sweep_folder import SweepFolder
from grokscope.progress import SlowLines
from grokscope.sweeps.spec import Spec

PATIENCE: Final = 300
ROOT: Final = Path(__file__).parents[2]
SMALL: Final = """
[axes]
operation = ["x + y", "x*y"]
[fixed]
preset = "quick"
p = 5
architecture = "mlp"
d_model = 4
d_embedding = 4
train_fraction = 0.8
steps = 20
eval_every = 10
save_every = 10
stop = false
"""


def test_from_the_description_to_the_runs(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    monkeypatch.setattr(SlowLines, "pauses", (0.0, 0.05))
    planned = cli("sweep", "small.toml", "--dry-run", "--workers", "1")
    assert planned.code == 0
    assert "measuring shape 1 of 1: p = 5, r = 0.8, mlp … 0:0" in planned.err  # with its clock
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    first, second, measured, total = planned.out.splitlines()
    assert (first, second) == ("2 runs: 0 done, 2 to do", "  operation: 2 values")
    assert re.fullmatch(
        r"measured p = 5, r = 0\.8, mlp: \d+\.\d ms per step, \d+\.\d s to begin; 2 runs", measured
    )
    assert re.fullmatch(r"at most \d+:\d\d with 1 worker, if every run takes all its steps", total)
    assert {path.name for path in tmp_path.iterdir()} == {"small.toml"}

    done = cli("sweep", "small.toml", "--workers", "1")
    assert (done.code, done.out) == (0, "2 runs: 2 undecided\nsweep: sweeps/small\n")
    # on a slow machine a line with a clock stands before
    assert "2 runs: 0 done, 2 to do\n1 of 2: operation x" in done.err

    again = cli("sweep", "sweeps/small", "--quiet", "--json", "--resume")
    assert (again.code, again.err) == (0, "")
    assert json.loads(again.out) == {
        "sweep": "sweeps/small",
        "runs": 2,
        "counts": {"undecided": 2},
        "failed": {},
    }

    planned = cli("sweep", "small.toml", "--dry-run", "--json")
    assert json.loads(planned.out) == {
        "sweep": "sweeps/small",
        "runs": 2,
        "done": 2,
        "left": 0,
        "axes": {"operation": 2},
        "excluded": 0,
        "measured": [],
        "workers": None,
        "seconds_at_most": 0.0,
    }

    listed = cli("runs", "sweeps/small", "--json")
    assert {run["operation"] for run in json.loads(listed.out)} == {"x + y", "x*y"}


def test_failures(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL.replace(', "x*y"', ""))
    cli("sweep", "small.toml", "--no-train")
    folder, (name,) = SweepFolder.open("sweeps/small"), names_in(tmp_path / "small.toml")
    (folder.runs / name).mkdir(parents=True)
    (folder.runs / name / "notes.txt").touch()
    outcome = cli("sweep", "small.toml", "--quiet")
    assert (outcome.code, outcome.out) == (1, "1 run: 1 failed\nsweep: sweeps/small\n")
    first, second = outcome.err.splitlines()
    assert first.startswith(f"failed: {name}: ")
    assert second == "grokscope: 1 of 1 run failed; the same command tries them again"


def names_in(path: Path) -> list[str]:
    return [job.name for job in Spec.from_file(path).jobs()]


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "grokscope", "sweep", "endless.toml", *words]
    return subprocess.Popen(
        command,
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    )


def wait_for(folder: Path, n_parts: int) -> None:
    end = time.monotonic() + PATIENCE
    while len(list(folder.glob("sweeps/endless/runs/*/metrics/part-*"))) < n_parts:
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    text = SMALL.replace("steps = 20", "steps = 100000000\ncheckpoint_every = 100000000")
    (tmp_path / "endless.toml").write_text(text)
    return tmp_path


def test_ctrl_c_saves_every_worker(endless: Path) -> None:
    with start(endless) as process:
        wait_for(endless, 6)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == (
        "grokscope: interrupted; everything is saved; go on with:"
        f" {Path(sys.executable).name} -m grokscope sweep sweeps/endless"
    )
    statuses = {
        row["status"]
        for row in SweepFolder.open(endless / "sweeps" / "endless").index().to_pylist()
    }
    assert statuses == {"interrupted"}


def test_kill_9_and_again(endless: Path) -> None:
    """The workers notice that nobody is left, save, and the next sweep goes on from there."""
    with start(endless, "--workers", "1") as process:
        wait_for(endless, 3)
        process.kill()
    name = names_in(endless / "endless.toml")[0]
    run = endless / "sweeps" / "endless" / "runs" / name
    shorter = SMALL.replace("steps = 20", "steps = 30")
    (endless / "endless.toml").write_text(shorter)
    end = time.monotonic() + PATIENCE
    while RunFolder.open(run).manifest.status != "interrupted":
        assert time.monotonic() < end
        time.sleep(0.05)
    saved = RunFolder.open(run).manifest.results[0]["steps"]
    assert saved >= 20
    assert len(list(run.glob("metrics/part-*"))) == saved // 10 + 1


def test_the_examples_in_the_documentation(tmp_path: Path, cli: Any) -> None:
    """Its description is trained, small as it is, and its queries and its Python give answers."""
    page = (ROOT / "docs" / "sweeps.md").read_text()
    blocks = re.findall(r"```(\w+)\n(.*?)```", page, re.DOTALL)
    first, second = (text for kind, text in blocks if kind == "toml")
    assert len(Spec.from_toml(first).jobs()) == 16
    # one fraction of three, and a smaller network: every shape is a program to compile
    smaller = 'preset = "quick"\narchitecture = "mlp"\nd_model = 4\nd_embedding = 4'
    tried = first.replace('preset = "quick"', smaller).replace("to = 0.7", "to = 0.5")
    tried = tried[: tried.index("[[exclude]]")]
    named = "examples/sweeps/fractions.toml"
    (tmp_path / named).parent.mkdir(parents=True)
    (tmp_path / named).write_text(tried)
    (tmp_path / "regimes.toml").write_text(second)
    assert cli("sweep", "regimes.toml", "--no-train").out.startswith("4 runs: 4 waiting\n")
    done = cli("sweep", named)
    assert done.code == 0
    assert done.out.startswith("6 runs: ")
    queries = [text for kind, text in blocks if kind == "sql"]
    with duckdb.connect() as connection:
        grokked, ffs = (connection.execute(query).fetchall() for query in queries)
    assert len(grokked) == len(ffs) == 3
    assert {row[2] for row in grokked} == {2}
    assert all(0 <= row[2] <= 1 for row in ffs)
    (program,) = (text for kind, text in blocks if kind == "python" and "gs.sweep(" in text)
    names: dict[str, Any] = {}
    exec(compile(program, "docs/sweeps.md", "exec"), names)
    assert len(names["rows"]) == 6
