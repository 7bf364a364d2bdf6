"""A description of a sweep as TOML text; Python itself only reads TOML."""

import json
import re
from collections.abc import Mapping
from typing import Any


def to_toml(document: Mapping[str, Any]) -> str:
    """Return text that `tomllib` reads as `document`: tables of plain values, lists and tables.

    **Arguments:**

    - `document`: texts, numbers, booleans, and lists and tables of them.
    """
    plain = {k: v for k, v in document.items() if not _has_section(v)}
    lines = [f"{_key(k)} = {_value(v)}" for k, v in plain.items()]
    for name, content in document.items():
        if name in plain:
            continue
        tables = [content] if isinstance(content, Mapping) else content
        head = f"[{_key(name)}]" if isinstance(content, Mapping) else f"[[{_key(name)}]]"
        for table in tables:
            lines += ["", head, *(f"{_key(k)} = {_value(v)}" for k, v in table.items())]
    return "\n".join(lines).strip() + "\n"


def _has_section(value: Any) -> bool:
    tables = isinstance(value, list | tuple) and all(isinstance(v, Mapping) for v in value)
    return isinstance(value, Mapping) or (tables and len(value) > 0)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())} }}"
    if isinstance(value, list | tuple | range):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        return _text(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _text(value: str) -> str:
    # JSON's strings are TOML's, but for one control character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
