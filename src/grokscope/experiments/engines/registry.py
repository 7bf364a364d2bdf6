"""The engines by name; each is imported when it is asked for."""

import importlib
from typing import Any, Final

from grokscope.experiments.engines.engine import Engine
from grokscope.settings.checks import check_choice

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
    return getattr(importlib.import_module(module), kind)(**settings)
