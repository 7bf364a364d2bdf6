"""A variable of the environment that JAX cannot read is named in one line, without a traceback."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

VARIABLES: Final = {
    "JAX_ENABLE_X64": "maybe",
    "JAX_DEFAULT_MATMUL_PRECISION": "sharp",
    "JAX_NUM_CPU_DEVICES": "many",
    "JAX_PLATFORMS": "nonsense",
}
TRAIN: Final = ["-m", "grokscope", "train", "x + y", "--p", "7", "--steps", "10", "--out", "run"]
PYTHON: Final = """
import grokscope as gs
try:
    gs.train("x + y", p=7, steps=10, out="run")
except gs.errors.UsageError as error:
    print(error)
"""


def python(words: list[str], name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    variables = os.environ | {name: VARIABLES[name]}
    return subprocess.run(
        [sys.executable, *words], env=variables, cwd=folder, capture_output=True, text=True
    )


@pytest.mark.parametrize("name", VARIABLES)
def test_on_the_command_line(name: str, tmp_path: Path) -> None:
    done = python(TRAIN, name, tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"got '{name}={VARIABLES[name]}'; unset {name}, or" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["JAX_ENABLE_X64", "JAX_PLATFORMS"])
def test_in_python(name: str, tmp_path: Path) -> None:
    done = python(["-c", PYTHON], name, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"got '{name}={VARIABLES[name]}'; unset {name}, or" in done.stdout


def test_every_verb_that_computes_says_it(tmp_path: Path) -> None:
    training = [sys.executable, *TRAIN, "--no-report", "--quiet"]
    assert subprocess.run(training, cwd=tmp_path, capture_output=True).returncode == 0
    for words in (["explain", "run"], ["report", "run"], ["export", "run", "--out", "a.npz"]):
        where = [*words[:-1], "a.safetensors"] if "--out" in words else words
        done = python(["-m", "grokscope", *where], "JAX_PLATFORMS", tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), words
        assert "got 'JAX_PLATFORMS=nonsense'" in done.stderr


def test_other_errors_of_values_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    from grokscope.variables import readable_variables

    monkeypatch.setenv("JAX_SOMETHING", "7")
    with pytest.raises(ValueError, match="7 is no number of ours"), readable_variables():
        raise ValueError("7 is no number of ours")
