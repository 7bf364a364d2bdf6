"""A process of its own for each line, so that none inherits another's memory or threads."""

import importlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

from benchmarks.effort import Effort
from benchmarks.row import Row


def measure_apart(line: str, effort: Effort, cores: int | None = None) -> list[Row]:
    """Return the rows of a line, a module of `benchmarks.lines` with a function `measure`.

    **Arguments:**

    - `line`, `effort`: what to measure, and how often.
    - `cores`: how many it has; None leaves it all of this machine.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_measure, line, effort, cores).result()


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _measure(line: str, effort: Effort, cores: int | None) -> list[Row]:
    if cores is not None:
        # before a library counts them and makes as many threads
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])
    return importlib.import_module(f"benchmarks.lines.{line}").measure(effort)
