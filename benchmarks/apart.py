"""A process of its own for each line, so that none inherits another's memory or threads."""

import importlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from benchmarks.effort import Effort
from benchmarks.row import Row


def measure_apart(line: str, effort: Effort) -> list[Row]:
    """Return the rows of a line, a module of `benchmarks.lines` with a function `measure`."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_measure, line, effort).result()


def _measure(line: str, effort: Effort) -> list[Row]:
    return importlib.import_module(f"benchmarks.lines.{line}").measure(effort)
