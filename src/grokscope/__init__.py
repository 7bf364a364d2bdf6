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
    from grokscope.disk.folder import RunFolder
    from grokscope.disk.listing import list_runs
    from grokscope.disk.measuring import measure
    from grokscope.fourier.basis import basis
    from grokscope.fourier.spectrum import spectrum
    from grokscope.reports import write_figures, write_report
    from grokscope.runner.train import train
    from grokscope.sweeps.explain_many import explain
    from grokscope.sweeps.sweep import sweep
    from grokscope.tasks.structure import structure

__version__ = "0.1.0"

watch_forks()

__all__ = [
    "RunFolder",
    "basis",
    "explain",
    "list_runs",
    "measure",
    "measures",
    "spectrum",
    "structure",
    "sweep",
    "train",
    "write_figures",
    "write_report",
]

_HOMES = {
    "train": "grokscope.runner.train",
    "sweep": "grokscope.sweeps.sweep",
    "explain": "grokscope.sweeps.explain_many",
    "measure": "grokscope.disk.measuring",
    "structure": "grokscope.tasks.structure",
    "basis": "grokscope.fourier.basis",
    "spectrum": "grokscope.fourier.spectrum",
    "RunFolder": "grokscope.disk.folder",
    "list_runs": "grokscope.disk.listing",
    "write_report": "grokscope.reports",
    "write_figures": "grokscope.reports",
}


def __getattr__(name: str) -> Any:
    if name == "measures":
        return importlib.import_module("grokscope.measures")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'grokscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
