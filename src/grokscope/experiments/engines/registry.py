"""The engines by name; each is imported when it is asked for."""

import importlib
import inspect
from typing import Any, Final

from grokscope.errors import UsageError
from grokscope.experiments.engines.engine import Engine
from grokscope.settings.checks import check_choice
from grokscope.settings.nearest import did_you_mean

ENGINES: Final = {
    "local": "grokscope.experiments.engines.local:LocalEngine",
    "ray": "grokscope.experiments.engines.ray:RayEngine",
}


def make_engine(name: str, **settings: Any) -> Engine:
    """Return the engine of a name; raises `UsageError` for another.

    **Arguments:**

    - `settings`: what the engine takes, for instance `workers`.
    """
    check_choice("the engine", name, tuple(ENGINES))
    module, kind = ENGINES[name].split(":")
    engine = getattr(importlib.import_module(module), kind)
    known = inspect.signature(engine).parameters
    for setting in settings.keys() - known.keys():
        raise UsageError(
            f"the engine {name} has no such setting",
            got=setting,
            allowed=", ".join(known),
            next_step=did_you_mean(setting, known),
        )
    return engine(**settings)
