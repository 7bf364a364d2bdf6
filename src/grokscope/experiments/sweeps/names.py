"""The names of a sweep's settings: those of the configuration, with `operation` and `seed`."""

from collections.abc import Mapping
from typing import Any, Final

from grokscope.config import RunConfig
from grokscope.errors import UsageError
from grokscope.experiments.sweeps.job import canonical, settings
from grokscope.settings.basics import SETS_OF_PARTS
from grokscope.settings.nearest import did_you_mean

_INSTEAD: Final = ("expressions", "seeds")
"""Settings that have another name here."""
_DEFAULTS: Final = settings(RunConfig())
KNOWN: Final = ("operation", "seed", "preset", *sorted(_DEFAULTS.keys() - set(_INSTEAD)))


def require_known(name: str) -> None:
    """Raise `UsageError` unless `name` is a setting."""
    if name in KNOWN:
        return
    meant = did_you_mean(name, KNOWN)
    hint = "all settings are in grokscope train --help"
    raise UsageError("the sweep has an unknown setting", got=name,
                     next_step=f"{meant} {hint}" if meant else hint)  # fmt: skip


def prepared(chosen: Mapping[str, Any]) -> tuple[tuple[str, ...], str, dict[str, Any]]:
    """Return expressions, preset and the other settings, as `configure` takes them.

    **Raises:** `UsageError` for a value of the wrong kind that `configure` does not notice, and
    where there is no operation.
    """
    rest = dict(chosen)
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
