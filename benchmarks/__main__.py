"""python -m benchmarks [--quick] [--out FILE] [LINE …]: measure and write the table."""

import argparse
import os
import sys
from pathlib import Path

from benchmarks.apart import measure_apart
from benchmarks.effort import FULL, QUICK
from benchmarks.page import page

PAGE = Path("docs/benchmarks.md")
LINES = {
    "command": "The command line",
    "step": "A training step over its matrix multiplications",
    "peer": "A training step over PyTorch's",
    "overhead": "Evaluating, measuring and saving",
    "growth": "Growth with the modulus and with the seeds",
    "explain": "Explaining a network",
    "explore": "The explorer",
    "sweeps": "A sweep over the same runs one by one",
    "gpu": "GPU",
}
"""Modules of `benchmarks.lines`, and the headings of their tables."""
ON_ONE_CORE = ("step", "peer")
"""Lines that are measured once more on one core, which is how a sweep trains."""


def main() -> None:
    """Measure the lines asked for, each in a process of its own, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("lines", nargs="*", metavar="LINE", help=f"of: {', '.join(LINES)}")
    parser.add_argument("--quick", action="store_true", help="few repeats, to see that all runs")
    parser.add_argument("--out", type=Path, help=f"by default {PAGE} when complete, else nothing")
    wanted = parser.parse_args()
    unknown = [line for line in wanted.lines if line not in LINES]
    if unknown:
        parser.error(f"unknown line {unknown[0]}; there are: {', '.join(LINES)}")
    effort = QUICK if wanted.quick else FULL
    load, sections = os.getloadavg(), {}
    for line in wanted.lines or LINES:
        print(f"measuring {line} …", file=sys.stderr)
        sections[LINES[line]] = measure_apart(line, effort)
        if line in ON_ONE_CORE and hasattr(os, "sched_setaffinity"):
            sections[f"{LINES[line]}, on one core"] = measure_apart(line, effort, cores=1)
    words = ["--quick"] * wanted.quick + wanted.lines
    text = page(" ".join(["python -m benchmarks", *words]), effort, load, sections)
    out = wanted.out or (None if words else PAGE)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
