"""The command line: how soon it answers, and the memory of a training."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from subprocess import DEVNULL
from typing import Any

from benchmarks.clock import Spread, take_turns
from benchmarks.effort import Effort
from benchmarks.row import Row, at_most

GROKSCOPE = [sys.executable, "-m", "grokscope"]
TRAIN = ["train", "x + y", "--no-report", "--eval-every", "1"]
USAGE_ERROR = ["train", "x + y", "--p", "ninety"]
STEPS = 100


def measure(effort: Effort) -> list[Row]:
    """Return the wall times of commands, and the peak memory of one."""
    quick: dict[str, Callable[[], Any]] = {
        "help": lambda: _answered(["--help"], 0),
        "usage error": lambda: _answered(USAGE_ERROR, 2),
        "bad operation": lambda: _answered(["train", "x +* y"], 2),
    }
    turns = take_turns(quick, effort.commands)
    _first_step()
    first = Spread([_first_step() for _ in range(effort.commands)])
    return [
        at_most("`grokscope --help`", turns["help"], 0.5, " s"),
        at_most(
            '`grokscope train "x + y" --p ninety`',
            turns["usage error"],
            0.5,
            " s",
            "an option that cannot be read",
        ),
        at_most(
            '`grokscope train "x +* y"`',
            turns["bad operation"],
            0.5,
            " s",
            "an operation that cannot be read",
        ),
        Row(
            '`grokscope train "x + y"` to its first step',
            first.text(" s"),
            note="until the line of step 1, with `--eval-every 1`; compilation included",
        ),
        Row(
            "peak memory of a training",
            f"{_peak_mib():.0f} MiB",
            note=f"{STEPS} steps by the command line, once; `ru_maxrss`",
        ),
    ]


def _answered(words: list[str], exit_code: int) -> None:
    done = subprocess.run([*GROKSCOPE, *words], capture_output=True, text=True)
    if done.returncode != exit_code:
        raise SystemExit(f"grokscope {' '.join(words)} ended with {done.returncode}: {done.stderr}")


def _first_step() -> float:
    """Return the seconds from the start of the process to its first line about a step."""
    with tempfile.TemporaryDirectory() as folder:
        words = [*GROKSCOPE, *TRAIN, "--steps", "1", "--out", f"{folder}/run"]
        started = time.perf_counter()
        process = subprocess.Popen(words, stdout=DEVNULL, stderr=subprocess.PIPE, text=True)
        with process:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith("step 1 "):
                    elapsed = time.perf_counter() - started
                    process.communicate()
                    return elapsed
    raise SystemExit("grokscope train ended without its first step")


def _peak_mib() -> float:
    """Return the peak memory of a training process.

    A process is charged at least with what its parent held when it was started: this module is
    measured in a process that has imported neither JAX nor PyTorch.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = [*GROKSCOPE, "train", "x + y", "--no-report", "--quiet"]
        words += ["--steps", str(STEPS), "--out", f"{folder}/run"]
        process = subprocess.Popen(words, stdout=DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("grokscope train failed")
    return usage.ru_maxrss / 1024
