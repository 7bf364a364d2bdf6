"""grokscope: a laboratory for grokking in modular arithmetic.

    import grokscope as gs

    run = gs.train("x*y", p=59)            # a table of seeds, drawn
    run.plot.accuracy()                    # interactive in a notebook
    net = run.network(seed=0)
    net.activations()["blocks.0.mlp_post"]             # [x, y, neuron]
    net.accuracy(edits={"blocks.0.mlp_post": gs.edits.zero(7)})
    net.explain().verdict

Everything is imported when it is first used, so that `import grokscope` is quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

from grokscope.forking import watch_forks
from grokscope.variables import readable_variables

if TYPE_CHECKING:
    from grokscope import errors, measures
    from grokscope.disk.folder import RunFolder
    from grokscope.disk.measuring import measure
    from grokscope.explanation.verdict import ClaimId
    from grokscope.explorer.explore import explore
    from grokscope.fourier.basis import basis
    from grokscope.fourier.spectrum import spectrum
    from grokscope.notebook import edits
    from grokscope.notebook.arrays import NamedArray
    from grokscope.notebook.exchange import export, import_
    from grokscope.notebook.explain import explain, explain_table
    from grokscope.notebook.network import Network
    from grokscope.notebook.run import Run
    from grokscope.notebook.run_network import RunNetwork
    from grokscope.notebook.verbs import (
        load_run,
        over_time,
        report,
        reproduce,
        runs,
        sweep,
        train,
        validate,
    )
    from grokscope.runner.progress import Callbacks
    from grokscope.tasks.structure import structure

__version__ = "0.1.0"

watch_forks()

__all__ = [
    "Callbacks",
    "ClaimId",
    "NamedArray",
    "Network",
    "Run",
    "RunFolder",
    "RunNetwork",
    "basis",
    "edits",
    "errors",
    "explain",
    "explain_table",
    "explore",
    "export",
    "import_",
    "load_run",
    "measure",
    "measures",
    "over_time",
    "report",
    "reproduce",
    "runs",
    "spectrum",
    "structure",
    "sweep",
    "train",
    "validate",
]

_VERBS = "grokscope.notebook.verbs"
_HOMES = {
    "Callbacks": "grokscope.runner.progress",
    "ClaimId": "grokscope.explanation.verdict",
    "NamedArray": "grokscope.notebook.arrays",
    "Network": "grokscope.notebook.network",
    "Run": "grokscope.notebook.run",
    "RunNetwork": "grokscope.notebook.run_network",
    "basis": "grokscope.fourier.basis",
    "spectrum": "grokscope.fourier.spectrum",
    "RunFolder": "grokscope.disk.folder",
    "explain": "grokscope.notebook.explain",
    "explain_table": "grokscope.notebook.explain",
    "explore": "grokscope.explorer.explore",
    "export": "grokscope.notebook.exchange",
    "import_": "grokscope.notebook.exchange",
    "load_run": _VERBS,
    "measure": "grokscope.disk.measuring",
    "over_time": _VERBS,
    "report": _VERBS,
    "reproduce": _VERBS,
    "runs": _VERBS,
    "structure": "grokscope.tasks.structure",
    "sweep": _VERBS,
    "train": _VERBS,
    "validate": _VERBS,
}
_MODULES = {
    "edits": "grokscope.notebook.edits",
    "errors": "grokscope.errors",
    "measures": "grokscope.measures",
}


def __getattr__(name: str) -> Any:
    with readable_variables():
        if name in _MODULES:
            return importlib.import_module(_MODULES[name])
        if name in _HOMES:
            return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'grokscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
