"""Help and mistakes are answered at once: nothing loads JAX. Some commands as real processes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

REPORT: Final = """
import json, sys
from grokscope.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as stop:
    code = stop.code or 0
heavy = [name for name in ("jax", "equinox", "optax", "torch") if name in sys.modules]
print(json.dumps([code, heavy]))
"""


def python(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=cwd, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--help"], 0),
        (["train", "--help"], 0),
        (["measure", "--help"], 0),
        (["train", "x +", "--p", "11"], 2),
        (["train", "x + y", "--p", "1"], 2),
        (["train", "x/97"], 2),
        (["train", "x + y", "--stepz", "5"], 2),
        (["train", "x + y", "--p", "3", "--train-fraction", "0.01"], 2),
        (["train", "--resume", "--out", "missing"], 2),
        (["measure", "missing.npy"], 2),
        (["runs", "missing"], 2),
        (["report", "missing"], 2),
        (["explore", "missing"], 2),
    ],
)
def test_jax_is_not_loaded(words: list[str], code: int, tmp_path: Path) -> None:
    done = python("-c", REPORT, *words, cwd=tmp_path)
    assert json.loads(done.stdout.splitlines()[-1]) == [code, []]


@pytest.mark.parametrize(
    "words",
    [
        ["train", "__import__('os').system('touch ran')"],
        ["train", "x + y", "--p", "nan"],
        ["measure", "missing.npy"],
        ["bogus"],
    ],
)
def test_mistakes_in_a_process_of_their_own(words: list[str], tmp_path: Path) -> None:
    done = python("-m", "grokscope", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("grokscope: ")
    assert not list(tmp_path.iterdir())
