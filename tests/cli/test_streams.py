"""Standard output that is closed early, full, or cannot write every character."""

import errno
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from grokscope.cli.structure import Structure

TINY: Final = shlex.split(
    """--p 7 --architecture mlp --d-model 8 --d-embedding 4 --train-fraction 0.8 --steps 50
    --eval-every 10 --no-report"""
)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A file whose tables fill more than the buffer of a pipe."""
    path = tmp_path / "many.npz"
    np.savez(path, allow_pickle=False, **{f"table-{i}": np.eye(5)[:, :2] for i in range(1000)})
    return path


def grokscope(*words: str | Path | int) -> list[str]:
    return [sys.executable, "-m", "grokscope", *map(str, words)]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_that_leaves(many: Path, options: list[str]) -> None:
    process = subprocess.Popen(
        grokscope("measure", many, "--p", 5, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() in (0, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is full")
@pytest.mark.parametrize("words", [["train", "--help"], ["--version"]])
def test_a_full_disk_behind_standard_output(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(grokscope(*words), stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "grokscope: No space left on device: the output\n"


def test_training_outlives_the_reader_of_its_progress(tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = subprocess.Popen(
        grokscope("train", "x + y", *TINY, "--out", out),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert "pairs train" in process.stderr.readline()
    process.stderr.close()
    assert process.stdout.read().endswith(f"run: {out}\n")
    assert process.wait() == 0


def test_a_terminal_without_greek() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(grokscope("train", "--help"), env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u03b7" in done.stdout


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libflint.so.24: failed to map segment from shared object"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
)
def test_want_of_memory_is_one_line(
    error: Exception, cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_: object) -> None:
        raise error

    monkeypatch.setattr(Structure, "run", run)
    outcome = cli("structure", "x*y")
    assert outcome.code == 1
    assert outcome.err.startswith("grokscope: not enough memory; ")
    assert outcome.err.count("\n") == 1
