"""A disk that fills up while training: one line, nothing lost, and the same bits afterwards."""

import errno
import itertools
import os
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest

from grokscope.cli import main
from grokscope.disk.folder import RunFolder

TINY: Final = shlex.split(
    """train x+y --p 7 --architecture mlp --d-model 8 --d-embedding 4 --train-fraction 0.8
    --steps 10 --eval-every 10 --spectra-every 10 --no-stop --no-report --quiet --resume"""
)
LONG: Final = shlex.split(
    """-m grokscope train x+y --p 7 --architecture mlp --d-model 8 --d-embedding 4
    --train-fraction 0.8 --steps 2000 --eval-every 10 --save-every 10 --checkpoint-every 10
    --no-stop --no-report --quiet --resume"""
)
PATIENCE: Final = 300
UNLIMITED: Final = resource.RLIM_INFINITY
FULL: Final = "; free space, then repeat the command; training goes on with --resume\n"


def contents(path: Path) -> dict[str, object]:
    """All weights and rows, and the names of the files."""
    run = RunFolder.open(path)
    saved = run.load_state()
    assert saved is not None
    names = {str(file.relative_to(path)) for file in path.rglob("*")} - {"report.html"}
    checkpoints = {str(file.name): file.read_bytes() for file in path.glob("checkpoints/*/*")}
    state = {name: array.tobytes() for name, array in saved[1].items()}
    rows = [repr(table.to_pylist()) for table in (run.metrics(), run.spectra())]
    manifest = run.manifest
    ended = {"step": saved[0], "status": manifest.status, "results": manifest.results}
    return {"names": names, "checkpoints": checkpoints, "state": state, "rows": rows, **ended}


class Disk:
    """Lets through so many writes, and then is full: half of the data is written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._write = os.write
        self.free(10**9)
        monkeypatch.setattr(os, "write", self.write)

    def free(self, writes: int) -> None:
        self.left, self.count = writes, itertools.count()

    def write(self, descriptor: int, data: Any) -> int:
        if next(self.count) < self.left:
            return self._write(descriptor, data)
        if self.left >= 0:
            self.left = -1
            return self._write(descriptor, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")


def test_full_at_every_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    disk, whole = Disk(monkeypatch), tmp_path / "whole"
    assert main([*TINY, "--out", str(whole)]) == 0
    total = next(disk.count)
    assert total >= 10
    for number in range(total):
        out = tmp_path / f"full-{number}"
        capfd.readouterr()
        disk.free(number)
        assert main([*TINY, "--out", str(out)]) == 1
        told = capfd.readouterr()
        assert told.out == ""
        assert told.err.startswith("grokscope: cannot write ")
        assert told.err.endswith(f": no space left on device{FULL}")
        assert told.err.count("\n") == 1
        assert not list(out.rglob(".*.tmp-*"))
        disk.free(10**9)
        assert main([*TINY, "--out", str(out)]) == 0
        assert contents(out) == contents(whole)


def test_full_while_a_process_trains(tmp_path: Path) -> None:
    """The limit of the operating system for the size of a file stands for the disk."""
    out, whole = tmp_path / "run", tmp_path / "whole"
    assert subprocess.run([sys.executable, *LONG, "--out", str(whole)], timeout=PATIENCE)
    process = subprocess.Popen(
        [sys.executable, *LONG, "--out", str(out)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    end = time.monotonic() + PATIENCE
    while len(list(out.glob("metrics/part-*"))) < 20:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1000, UNLIMITED))
    told, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, told) == (1, "")
    assert err.startswith("grokscope: cannot write ")
    assert err.endswith(f": file too large{FULL}")
    assert err.count("\n") == 1
    saved = RunFolder.open(out).load_state()
    assert saved is not None
    assert saved[0] >= 150  # 20 saves, one every 10 steps, were not lost
    done = subprocess.run(
        [sys.executable, "-m", "grokscope", "train", "--resume", "--out", str(out), "--no-report"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0
    assert f"going on at step {saved[0]}" in done.stderr
    assert contents(out) == contents(whole)
