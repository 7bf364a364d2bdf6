"""The names of a sweep's settings: those of the configuration, with `operation` and `seed`."""

import difflib
from collections.abc import Mapping
from typing import Any, Final

from grokscope.config import RunConfig
from grokscope.errors import UsageError
from grokscope.experiments.sweeps.job import canonical, settings, with_fractions
from grokscope.settings.basics import SETS_OF_PARTS

_INSTEAD: Final = {"expressions": "operation", "seeds": "seed", "from": "source"}
_DEFAULTS: Final = settings(RunConfig())
KNOWN: Final = ("operation", "seed", "preset", *sorted(_DEFAULTS.keys() - _INSTEAD.keys()))


def require_known(name: str) -> None:
    """Raise `UsageError` unless `name` is a setting."""
    if name in KNOWN:
        return
    close = [_INSTEAD.get(name), *difflib.get_close_matches(name, KNOWN, 1)]
    hint = next((f"did you mean {one}? " for one in close if one), "")
    raise UsageError("the sweep has an unknown setting", got=name,
                     next_step=f"{hint}all settings are in grokscope train --help")  # fmt: skip


def prepared(chosen: Mapping[str, Any]) -> tuple[tuple[str, ...], str, dict[str, Any]]:
    """Return expressions, preset and the other settings, as `configure` takes them.

    **Raises:** `UsageError` for a value of the wrong kind that `configure` does not notice, and
    where there is no operation.
    """
    rest = {name: _fitting(name, value) for name, value in chosen.items()}
    if "operation" not in rest:
        raise UsageError("a run of the sweep has no operation",
                         next_step="give every table of its axis one")  # fmt: skip
    operation, preset = rest.pop("operation"), rest.pop("preset", "paper")
    seed = rest.pop("seed", 0)
    return _texts(operation), preset, {**rest, "seeds": (seed,)}


def same(name: str, value: Any) -> Any:
    """Return what is equal for equal settings: `x+y` and `x + y`, 1 and 1.0, parts in any order."""
    if name == "operation":
        return tuple(canonical(text) for text in _texts(value))
    if name in SETS_OF_PARTS and isinstance(value, tuple):
        return tuple(sorted(value, key=str))
    return (isinstance(value, bool), value)


def _texts(operation: Any) -> tuple[str, ...]:
    texts = operation if isinstance(operation, tuple) else (operation,)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise UsageError("an operation is not usable", got=operation,
                         allowed="a text, or for a mixture a list of texts")  # fmt: skip
    return tuple(text.strip() for text in texts)


def _fitting(name: str, value: Any) -> Any:
    default = _DEFAULTS.get(name)
    if isinstance(default, bool) and not isinstance(value, bool):
        raise UsageError(f"{name} is not usable", got=value, allowed="true or false")
    if name == "preset" and not isinstance(value, str):
        raise UsageError("the preset is not usable", got=value, allowed="the name of a preset")
    return with_fractions(name, value)
