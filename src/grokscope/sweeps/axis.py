"""The axes of a sweep: lists and ranges of values, or tables that set several things at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from grokscope.errors import UsageError

LARGEST_SWEEP: Final = 100_000
"""Most runs of a sweep, and most values of an axis."""
LABEL: Final = "label"
_RANGE: Final = ("from", "to", "step")
_LARGEST: Final = 1e15
_PLAIN: Final = (str, int, float, bool)


@dataclass(frozen=True)
class Axis:
    """One axis: what each of its values sets, and how a view calls it.

    **Arguments:**

    - `name`: a setting, or any name where the values are tables.
    - `values`: per value, the settings that it sets.
    - `labels`: per value, a short text.
    """

    name: str
    values: tuple[Mapping[str, Any], ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)


def read_axis(name: str, value: Any) -> Axis:
    """Return the axis that a description holds under `name`.

    **Arguments:**

    - `value`: a list of plain values, a range `{from, to, step}` that includes `to`, or a list
      of tables of settings, each with a `label` if it likes.

    **Raises:** `UsageError` for anything else, and for an empty axis.
    """
    if isinstance(value, Mapping):
        value = _range(name, value)
    if not isinstance(value, list | tuple | range):
        raise UsageError(
            f"the axis {name} is not usable",
            got=value,
            allowed="a list of values, or a range such as { from = 0, to = 9 }",
            next_step="a single value stands in [fixed]",
        )
    if not 1 <= len(value) <= LARGEST_SWEEP:
        raise UsageError(
            f"the axis {name} has {len(value)} values", allowed=f"1 to {LARGEST_SWEEP}"
        )
    if any(isinstance(one, Mapping) for one in value):
        return _of_tables(name, list(value))
    values = tuple({name: settable(name, one)} for one in value)
    return Axis(name, values, tuple(label_of(one[name]) for one in values))


def settable(name: str, value: Any) -> Any:
    """Return a setting's value, lists as tuples; raises `UsageError` for what no setting holds."""
    if isinstance(value, list | tuple) and all(isinstance(one, _PLAIN) for one in value):
        return tuple(value)
    if isinstance(value, _PLAIN):
        return value
    raise UsageError(
        f"{name} is not usable",
        got=str(value),
        allowed="a text, a number, true, false, or a list of these",
    )


def label_of(value: Any) -> str:
    """Return a value as a view shows it."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of_tables(name: str, tables: list[Any]) -> Axis:
    for table in tables:
        if not isinstance(table, Mapping):
            raise UsageError(
                f"the axis {name} mixes tables and plain values",
                got=table,
                allowed="tables only, or plain values only",
            )
        if not table.keys() - {LABEL}:
            raise UsageError(
                f"a table of the axis {name} sets nothing", allowed="settings and their values"
            )
    values = [{k: settable(k, v) for k, v in table.items() if k != LABEL} for table in tables]
    labels = [_label(table, value) for table, value in zip(tables, values, strict=True)]
    if len(set(labels)) != len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise UsageError(f"the axis {name} has a label twice", got=twice, allowed="each label once")
    return Axis(name, tuple(values), tuple(labels))


def _label(table: Mapping[str, Any], value: Mapping[str, Any]) -> str:
    label = table.get(LABEL)
    if label is None:
        return ", ".join(f"{k} {label_of(v)}" for k, v in value.items())
    if not isinstance(label, str) or not label.strip():
        raise UsageError("a label is not usable", got=label, allowed="a short text")
    return label


def _range(name: str, table: Mapping[str, Any]) -> list[int] | list[float]:
    """Return the values from `from` to `to`, both included; 0.3 is 0.3 also as 0.1 + 0.1 + 0.1."""
    first, last, step = (_number(name, table, key) for key in _RANGE)
    unknown = next(iter(table.keys() - set(_RANGE)), None)
    if unknown is not None:
        raise UsageError(
            f"the range of {name} has an unknown part", got=unknown, allowed=", ".join(_RANGE)
        )
    if step <= 0 or last < first:
        raise UsageError(
            f"the range of {name} is empty",
            got=" ".join(f"{key} {table[key]}" for key in _RANGE if key in table),
            allowed="a step over 0, and to at least from",
        )
    count = int((last - first) / step) + 1
    if count > LARGEST_SWEEP:
        raise UsageError(f"the axis {name} has {count} values", allowed=f"1 to {LARGEST_SWEEP}")
    exact = [first + i * step for i in range(count)]
    whole = all(isinstance(value, int) for value in table.values())
    return [int(value) for value in exact] if whole else [float(value) for value in exact]


def _number(name: str, table: Mapping[str, Any], key: str) -> Decimal:
    value = table.get(key)
    whole = all(isinstance(other, int) for other in table.values())
    if value is None and key == "step" and whole:
        return Decimal(1)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return Decimal(repr(value))
    raise UsageError(
        f"the range of {name} needs a number as {key}",
        got=value,
        next_step="for example { from = 0.3, to = 0.9, step = 0.1 }",
    )
