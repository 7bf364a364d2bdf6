"""A process gets cores that no other has, while there are any, and always as many as promised."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TAKE = """
import os, sys
from grokscope.sweeps.engines.cores import take_cores
take_cores(int(sys.argv[1]))
take_cores(int(sys.argv[1]))
assert "jax" not in sys.modules
print(*sorted(os.sched_getaffinity(0)), flush=True)
sys.stdin.read()
"""
THREADS = """
from grokscope.sweeps.engines.cores import take_cores
take_cores(1)
import os, jax.numpy as jnp
(jnp.ones((300, 300)) @ jnp.ones((300, 300))).block_until_ready()
tasks = [open(f"/proc/self/task/{t}/comm").read() for t in os.listdir("/proc/self/task")]
print(sum("XLAEigen" in name for name in tasks))
"""
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
needs_pinning = pytest.mark.skipif(not CORES, reason="this system cannot pin a process to cores")


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Return a function that starts a process that takes cores; they end with the test."""
    running: list[subprocess.Popen[str]] = []

    def run(n: int) -> tuple[subprocess.Popen[str], list[int]]:
        process = subprocess.Popen(
            [sys.executable, "-c", TAKE, str(n)],
            env=os.environ | {"TMPDIR": str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        return process, [int(word) for word in process.stdout.readline().split()]

    yield run
    for process in running:
        process.kill()
        process.communicate()


@needs_pinning
def test_each_has_its_own_while_there_are_any(start: Any) -> None:
    taken = [start(1)[1] for _ in CORES]
    assert sorted(taken) == [[core] for core in CORES]
    assert len(start(1)[1]) == 1  # shared, but one


@needs_pinning
def test_a_kill_gives_the_core_back(start: Any) -> None:
    taken = [start(1) for _ in CORES]
    process, cores = taken[-1]
    process.kill()
    process.wait()
    assert start(1)[1] == cores


@needs_pinning
def test_several(start: Any) -> None:
    assert start(len(CORES))[1] == CORES
    assert len(start(len(CORES))[1]) == len(CORES)


@needs_pinning
def test_xla_starts_one_thread_per_core(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADS],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1\n"


@needs_pinning
def test_more_than_there_are(tmp_path: Path) -> None:
    n = len(CORES) + 1
    done = subprocess.run(
        [sys.executable, "-c", TAKE, str(n)],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"a worker cannot have so many cores; got {n}; allowed: 1 to {n - 1}" in done.stderr
