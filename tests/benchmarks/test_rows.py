"""The rows come out, from the command and from a process with one core."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.apart import measure_apart
from benchmarks.effort import Effort

ROOT = Path(__file__).parents[2]
LEAST = Effort(repeats=1, commands=1, sweeps=1, chunk=1, stretch=1)
WITH_TORCH = importlib.util.find_spec("torch") is not None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
def test_the_step_comes_on_all_cores_and_on_one(tmp_path):
    out = tmp_path / "page.md"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--out", str(out), "step"]
    subprocess.run(command, check=True, capture_output=True, timeout=300, cwd=ROOT)
    page = out.read_text()
    heading = "## A training step over its matrix multiplications"
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        heading,
        f"{heading}, on one core",
    ]
    for row in (
        "| training step |",
        "multiplications by XLA",
        "| the floor: ",
        "| step over floor |",
    ):
        assert page.count(row) == 2
    assert page.count("GFLOP/s") == 4


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
@pytest.mark.skipif(not WITH_TORCH, reason="the peers are written in PyTorch")
def test_the_peers_come_on_one_core():
    rows = measure_apart("peer", LEAST, cores=1)
    peers = ["eager", "compiled", "informed eager", "informed compiled"]
    for peer in peers:
        assert any(row.what in (f"step, {peer}", f"PyTorch, {peer}") for row in rows), (
            "neither measured nor refused"
        )
    assert rows[-1].what == "PyTorch informed, eager or compiled, over ours"
    # the aim of one core: the process that measures has no more
    assert rows[-1].aim.startswith("≥ 1.3: ")
