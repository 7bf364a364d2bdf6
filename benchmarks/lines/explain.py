"""Explaining a network: how long it takes at p = 97, and how much memory at p = 199."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.clock import Spread
from benchmarks.effort import Effort
from benchmarks.row import Row, at_most

GROKSCOPE: Final = [sys.executable, "-m", "grokscope"]
RUNS: Final = Path("runs/benchmark")
_IN_PROCESS: Final = """
import json, resource, sys, time
from grokscope.explanation.of_run import explain_networks
from grokscope.disk.folder import RunFolder
folder = RunFolder.open(sys.argv[1])
started = time.perf_counter()
found = explain_networks(folder)
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "mib": peak, "verdict": found[0].verdict}))
"""


def measure(effort: Effort) -> list[Row]:
    """Return the seconds of `explain` at p = 97 and its peak memory at p = 199.

    The networks are trained first where they are not there yet (x + y, r = 0.3), which takes
    some minutes.
    """
    small, large = trained(97), trained(199)
    times, inside = [], []
    for _ in range(effort.commands):
        started = time.perf_counter()
        subprocess.run(
            [*GROKSCOPE, "explain", str(small), "--json"], check=True, stdout=subprocess.DEVNULL
        )
        times.append(time.perf_counter() - started)
        inside.append(_explained(small)["seconds"])
    at_199 = _explained(large)
    return [
        at_most(
            "`grokscope explain` at p = 97, after start-up",
            Spread(inside),
            20,
            " s",
            "one seed; compilation and structure search included, imports not",
        ),
        Row("the whole command", Spread(times).text(" s"), note="with start-up, imports, writing"),
        at_most(
            "peak memory at p = 199",
            Spread([at_199["mib"] / 1024]),
            4,
            " GiB",
            f"`ru_maxrss`, once; it took {at_199['seconds']:.0f} s",
        ),
    ]


def trained(p: int) -> Path:
    """Return the run of x + y, trained where it is not there yet."""
    out = RUNS / f"add-p{p}"
    words = [
        "train",
        "x + y",
        "--p",
        str(p),
        "--steps",
        "8000",
        "--no-report",
        "--quiet",
        "--resume",
        "--out",
        str(out),
    ]
    subprocess.run([*GROKSCOPE, *words], check=True, stdout=subprocess.DEVNULL)
    return out


def _explained(run: Path) -> dict[str, float]:
    """Explain in a process of its own, which knows its own memory."""
    words = [sys.executable, "-c", _IN_PROCESS, str(run)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)
