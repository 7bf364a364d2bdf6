"""Typed objects as plain JSON, and back: the only place where names of JSON keys are looked up.

A field stands under its own name, or under that of `named`. What a document lacks has the
field's default, and what no field asks for is left out, so that documents of other versions can be
read.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar

T = TypeVar("T")


def named(name: str, *earlier: str) -> Mapping[str, Any]:
    """Return the metadata of a field that stands under another name in JSON.

    **Arguments:** the name in JSON; what it was called in files of earlier versions.
    """
    return {"names": (name, *earlier)}


class Sparse:
    """Marks dataclasses whose fields that are None are left out."""


class Shown:
    """Marks dataclasses some of whose properties are written beside the fields."""

    SHOWN: typing.ClassVar[tuple[str, ...]] = ()


class Listed:
    """Marks mappings that are written as the list of their values, and made of these."""

    ITEM: typing.ClassVar[type]

    def __init__(self, items: Iterable[Any] = ()) -> None: ...


def to_plain(value: Any) -> Any:
    """Return dictionaries, lists, texts and finite numbers; None for nan and infinity."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [(_names(f)[0], getattr(value, f.name)) for f in dataclasses.fields(value)]
        if isinstance(value, Sparse):
            fields = [(name, held) for name, held in fields if held is not None]
        found = {name: to_plain(held) for name, held in fields}
        shown = value.SHOWN if isinstance(value, Shown) else ()
        return found | {name: to_plain(getattr(value, name)) for name in shown}
    if isinstance(value, Mapping):
        if isinstance(value, Listed):
            return [to_plain(held) for held in value.values()]
        return {str(key): to_plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(held) for held in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def from_plain(kind: type[T], document: Any) -> T:
    """Return what `to_plain` wrote.

    **Raises:** `ValueError` where the document does not have the shape of this kind.
    """
    try:
        return _read(kind, document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a {kind.__name__}: {error}") from error


def _read(kind: Any, document: Any) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        (one,) = (part for part in inner if part is not type(None))
        return None if document is None else _read(one, document)
    if origin is Literal:
        return _one_of(inner, document)
    if origin is tuple:
        parts = inner[:1] * len(document) if inner[-1] is Ellipsis else inner
        return tuple(_read(part, held) for part, held in zip(parts, document, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {inner[0](key): _read(inner[1], held) for key, held in document.items()}
    if dataclasses.is_dataclass(kind):
        return _read_fields(kind, document)
    if issubclass(kind, Listed):
        return kind(_read(kind.ITEM, held) for held in document)
    if kind is float:
        return math.nan if document is None else float(document)
    if issubclass(kind, Enum):
        return kind(document)
    if not isinstance(document, kind):
        raise TypeError(f"{document!r} is no {kind.__name__}")
    return document


def _read_fields(kind: Any, document: Mapping[str, Any]) -> Any:
    found = {}
    for f, annotation in _fields(kind):
        name = next((name for name in _names(f) if name in document), None)
        if name is not None:
            found[f.name] = _read(annotation, document[name])
    return kind(**found)


def _one_of(allowed: tuple[Any, ...], document: Any) -> Any:
    if document not in allowed:
        raise ValueError(f"{document!r} is none of {allowed}")
    return document


def _names(f: dataclasses.Field[Any]) -> tuple[str, ...]:
    return f.metadata.get("names", (f.name,))


@cache
def _fields(kind: Any) -> list[tuple[dataclasses.Field[Any], Any]]:
    hints = typing.get_type_hints(kind)
    return [(f, hints[f.name]) for f in dataclasses.fields(kind) if f.init]
