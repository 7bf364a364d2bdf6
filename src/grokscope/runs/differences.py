"""In which settings some runs differ, and what to call each of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from grokscope.runs.manifest import Manifest

FIRST: Final = ("operation", "p", "train_fraction")
LAST: Final = "seed"
_SHORT: Final = {"train_fraction": "r", "max_steps": "steps", "seed": "seed"}
_ALONE: Final = ("operation",)
"""Settings whose value says which setting it is of."""


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a configuration by name, as a column can hold them.

    Lists are text, `steps` is `max_steps`; operation and seeds are not among them.
    """
    flat: dict[str, Any] = {}
    for name, value in config.items():
        flat |= value if isinstance(value, dict) else {name: value}
    flat = {k: v for k, v in flat.items() if k not in ("expressions", "seeds")}
    flat["max_steps"] = flat.pop("steps")
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list | dict) else value
        for name, value in flat.items()
    }


def all_settings(manifest: Manifest) -> dict[str, Any]:
    """Return every setting of a run, with its operation, and its seeds as one value."""
    seeds = manifest.seeds[0] if len(manifest.seeds) == 1 else " ".join(map(str, manifest.seeds))
    return {"operation": manifest.operation, **settings_of(manifest.config), LAST: seeds}


def differing(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the settings whose values differ: what is computed first, seeds last."""
    names = dict.fromkeys(name for one in settings for name in one)
    middle = sorted(name for name in names if name not in (*FIRST, LAST))
    order = [name for name in (*FIRST, *middle, LAST) if name in names]
    return [name for name in order if len({repr(one.get(name)) for one in settings}) > 1]


def called(name: str) -> str:
    """Return a setting as a reader calls it: `weight decay`, `r`."""
    return _SHORT.get(name, name.replace("_", " "))


def shown(value: Any) -> str:
    """Return a value of a setting as text."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def said(settings: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return some settings in words: `x + y, weight decay 0.3, seed 1`."""
    return ", ".join(
        shown(settings.get(name)) if name in _ALONE else f"{called(name)} "
        f"{shown(settings.get(name))}" for name in names
    )  # fmt: skip


def labels(settings: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    """Return what tells each run from the others; where settings do not, its name does.

    **Arguments:** the settings of the runs; the names of their folders.
    """
    telling = differing(settings)
    texts = [said(one, telling) for one in settings]
    return [
        text if text and texts.count(text) == 1 else ", ".join(filter(None, [text, name]))
        for text, name in zip(texts, names, strict=True)
    ]


def order(value: Any) -> tuple[int, float, str]:
    """Return a key that sorts values: what is missing, numbers, texts."""
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, int | float):
        return (1, float(value), "")
    return (2, 0.0, str(value))
