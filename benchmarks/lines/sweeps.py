"""A sweep against the same runs one by one: what starting and compiling once is worth."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.clock import take_turns
from benchmarks.effort import Effort
from benchmarks.row import Row

GROKSCOPE: Final = [sys.executable, "-m", "grokscope"]
N_RUNS: Final = 4
SIZES: Final = {
    "short": {"preset": "quick", "p": 31, "steps": 500},
    "long": {"p": 97, "steps": 200},
}
"""A small network, of which starting is the larger part, and the paper's, of which training is."""


def measure(effort: Effort) -> list[Row]:
    """Return the runs per hour of both ways, and the ratio of their seconds."""
    rows = []
    for settings in SIZES.values():
        turns = take_turns({"sweep": _sweep(settings), "alone": _alone(settings)}, effort.sweeps)
        what = f"p = {settings.get('p', 31)}, {settings['steps']} steps"
        for name, words in (("sweep", "in a sweep"), ("alone", "one by one")):
            rate = turns[name].inverse().times(3600 * N_RUNS)
            rows.append(Row(f"{what}; {N_RUNS} runs {words}", rate.text(" runs/h")))
        ratio = turns["alone"].over(turns["sweep"])
        rows.append(
            Row(
                "one by one over sweep, in seconds",
                ratio.text(),
                note="whole commands, `--no-report`; the sweep with its default workers",
            )
        )
    return rows


def _sweep(settings: dict[str, object]) -> Callable[[], None]:
    def turn() -> None:
        with tempfile.TemporaryDirectory() as folder:
            spec = Path(folder) / "spec.toml"
            fixed = "".join(f"{name} = {_toml(value)}\n" for name, value in settings.items())
            spec.write_text(
                f"[axes]\nseed = {list(range(N_RUNS))}\n"
                f'[fixed]\noperation = "x + y"\nstop = false\n{fixed}'
            )
            _run("sweep", str(spec), "--out", f"{folder}/sweep", "--quiet")

    return turn


def _alone(settings: dict[str, object]) -> Callable[[], None]:
    words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]

    def turn() -> None:
        with tempfile.TemporaryDirectory() as folder:
            for seed in range(N_RUNS):
                _run(
                    "train",
                    "x + y",
                    *words,
                    "--seeds",
                    str(seed),
                    "--no-stop",
                    "--no-report",
                    "--quiet",
                    "--out",
                    f"{folder}/{seed}",
                )

    return turn


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _run(*words: str) -> None:
    subprocess.run([*GROKSCOPE, *words], check=True, stdout=subprocess.DEVNULL)
