"""Values of settings as plain Python ones, whatever they came as: NumPy, JAX, iterators, paths."""

import dataclasses
import functools
import itertools
import math
import numbers
import os
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Final

from grokscope.errors import UsageError

MOST_VALUES: Final = 100_000
"""Most values of one setting; also an iterator without an end is then refused."""


def plain(value: Any) -> Any:
    """Return a value as JSON and TOML can hold it, if that is possible, else as it is.

    Scalars and arrays of NumPy and JAX become numbers and lists, iterators lists, paths, and runs
    by their paths, texts; lists and tables are looked through.
    """
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if isinstance(value, list | Iterator):
        return [plain(one) for one in itertools.islice(value, MOST_VALUES + 1)]
    if not isinstance(value, type) and hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    path = getattr(value, "path", None)
    return os.fspath(path) if isinstance(path, os.PathLike) else value


def make_plain(config: Any) -> None:
    """Bring the fields of a frozen dataclass, while it is made, into the types that they state.

    A whole number may come as a float without a fraction, 1e4. What no type fits is left for the
    checks that follow, which know the limits and say them.

    **Raises:** `UsageError` for a boolean that is none, such as `"false"`, and for too many values.
    """
    for name, kind in _kinds(type(config)).items():
        object.__setattr__(config, name, as_kind(kind, name, getattr(config, name)))


@functools.cache
def _kinds(kind: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields, but for dataclasses; of `T | None` it is T."""
    hints = typing.get_type_hints(kind)
    kinds = {field.name: _without_none(hints[field.name]) for field in dataclasses.fields(kind)}
    return {name: hint for name, hint in kinds.items() if not dataclasses.is_dataclass(hint)}


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) is not types.UnionType:
        return hint
    return next(part for part in typing.get_args(hint) if part is not types.NoneType)


def as_kind(kind: Any, name: str, given: Any) -> Any:
    """Return a value in the type of a field, `kind`; as it came where it does not fit."""
    value = plain(given)
    if typing.get_origin(kind) is tuple:
        return _series(typing.get_args(kind)[0], name, value)
    if kind is bool and not isinstance(value, bool):
        raise UsageError(f"{name} is not usable", got=value, allowed="true or false")
    if kind in (int, float):
        return _number(kind, value)
    return value


def _series(kind: Any, name: str, value: Any) -> Any:
    if not isinstance(value, list | tuple | range):
        return value
    if len(value) > MOST_VALUES:
        raise UsageError(f"{name} has too many values", allowed=f"at most {MOST_VALUES:,}")
    return tuple(as_kind(kind, name, one) for one in value)


def _number(kind: type[int] | type[float], value: Any) -> Any:
    """Return a number as an int or a float where it is exactly that; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return value
    try:
        number = math.trunc(value) if kind is int else float(value)
    except (OverflowError, ValueError):  # a whole number of 400 digits; inf, nan
        return value
    return number if kind is float or number == value else value
