"""grokscope: a laboratory for grokking in modular arithmetic.

    import grokscope as gs

    run = gs.train("x + y", p=97)
    gs.explain(run)[0].verdict
    gs.measures.fourier_frequency_sparsity(W, eta=0.5)

Everything is imported when it is first used, so that `import grokscope` is quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

from grokscope.forking import watch_forks

if TYPE_CHECKING:
    from grokscope import measures
    from grokscope.experiments.api import train
    from grokscope.experiments.sweeps.api import sweep
    from grokscope.experiments.sweeps.explaining import explain
    from grokscope.inspection.measuring import measure
    from grokscope.report import write_figures, write_report
    from grokscope.runs.folder import RunFolder
    from grokscope.runs.query import list_runs
    from grokscope.tasks.structure import structure

__version__ = "0.1.0"

watch_forks()

__all__ = [
    "RunFolder",
    "explain",
    "list_runs",
    "measure",
    "measures",
    "structure",
    "sweep",
    "train",
    "write_figures",
    "write_report",
]

_HOMES = {
    "train": "grokscope.experiments.api",
    "sweep": "grokscope.experiments.sweeps.api",
    "explain": "grokscope.experiments.sweeps.explaining",
    "measure": "grokscope.inspection.measuring",
    "structure": "grokscope.tasks.structure",
    "RunFolder": "grokscope.runs.folder",
    "list_runs": "grokscope.runs.query",
    "write_report": "grokscope.report",
    "write_figures": "grokscope.report",
}


def __getattr__(name: str) -> Any:
    if name == "measures":
        return importlib.import_module("grokscope.measures")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'grokscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
