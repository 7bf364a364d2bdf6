"""Layouts as files: the shipped ones, those of users, and which of them a file of weights has."""

import dataclasses
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

from grokscope.config.imported import ImportedConfig
from grokscope.config.validate import did_you_mean
from grokscope.errors import UsageError
from grokscope.interop.by_shape import layouts_by_shape
from grokscope.interop.folding import FOLDED
from grokscope.interop.layout import ROLES, Layout, few
from grokscope.interop.names import BLOCK, Tensors

_ENTRIES: Final = (
    *("description", "words", "wiring", "sizes", "tensors"),
    *("try", "ignore", "optional", "ask"),
)


def read_layout(path: Path) -> Layout:
    """Return the layout in a TOML file; raises `UsageError` for anything else."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("a layout cannot be read", got=str(path)) from error
    return parse_layout(text, Path(path).stem)


def parse_layout(text: str, name: str) -> Layout:
    """Return the layout that a TOML text says; raises `UsageError` for anything else."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the layout {name} is not TOML", got=str(error)) from error
    for key in document:
        if key not in _ENTRIES:
            raise UsageError(
                f"the layout {name} has an unknown entry", got=key, allowed=", ".join(_ENTRIES)
            )
    tries, words = (_table(document, key, name) for key in ("try", "words"))
    tensors = {
        role: _written_out(said, words) for role, said in _table(document, "tensors", name).items()
    }
    optional, ignore, ask = (_words(document, key, name) for key in ("optional", "ignore", "ask"))
    for role, said in tensors.items():
        for one in said if isinstance(said, list) and said else [said]:
            _require_entry(name, role, one)
    for needed in ("W_E", "W_U"):
        if needed not in tensors and needed not in optional:
            raise UsageError(
                f"the layout {name} names no {needed}", next_step="add it to [tensors]"
            )
    said = str(document.get("description", ""))
    plain = Layout(name, said, tensors, ignore=ignore, optional=optional, ask=ask)
    settings = _table(document, "wiring", name) | _table(document, "sizes", name)
    for setting, values in tries.items():
        if not isinstance(values, list) or not values:
            raise UsageError(
                f"the layout {name} tries no list", got=f"{setting} = {values}", allowed="[a, b]"
            )
        plain.with_settings({setting: values[0]})
    layout = plain.with_settings(settings)
    ImportedConfig(p=97, **{k: v for k, v in layout.wiring.items() if k not in FOLDED})
    return dataclasses.replace(layout, tries=tries)


def _written_out(said: Any, words: Mapping[str, str]) -> Any:
    """Return what a layout says of a matrix with its own words, as `<attention>`, written out."""
    if isinstance(said, list):
        return [_written_out(one, words) for one in said]
    # a word may use those before it
    for word, meant in reversed(list(words.items())) if isinstance(said, str) else ():
        said = said.replace(f"<{word}>", str(meant))
    return said


def _table(document: Mapping[str, Any], key: str, name: str) -> dict[str, Any]:
    found = document.get(key, {})
    if not isinstance(found, dict):
        raise UsageError(f"the layout {name} says {key} wrongly", got=found, allowed=f"[{key}]")
    return found


def _words(document: Mapping[str, Any], key: str, name: str) -> tuple[str, ...]:
    found = document.get(key, [])
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise UsageError(
            f"the layout {name} says {key} wrongly", got=found, allowed='a list of names, ["W_U"]'
        )
    return tuple(found)


def _require_entry(layout: str, role: str, said: Any) -> None:
    kind, dot, block = role.partition(".")
    if kind not in ROLES:
        raise UsageError(
            f"the layout {layout} has an unknown role",
            got=role,
            allowed=", ".join(ROLES),
            next_step=did_you_mean(kind, ROLES),
        )
    axes = said.rpartition(":")[2] if isinstance(said, str) else ""
    words = axes.replace("(", " ").replace(")", " ").split()
    if sorted(words) != sorted(ROLES[kind]):
        raise UsageError(
            f"the layout {layout} says {role} wrongly",
            got=said,
            allowed=f"NAME: the axes {' '.join(ROLES[kind])} in the file's order",
        )
    if dot and block != BLOCK and not block.isdecimal():
        raise UsageError(
            f"the layout {layout} has an unknown block", got=role, allowed=f"{kind}.{BLOCK}"
        )


def known_layouts() -> dict[str, Layout]:
    """Return the layouts that grokscope knows, by name."""
    folder = resources.files("grokscope.interop") / "layouts"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f.name[:-5]: parse_layout(f.read_text(encoding="utf-8"), f.name[:-5]) for f in files}


def layout_called(name: str | Path) -> Layout:
    """Return the shipped layout of a name, or that in a TOML file; raises `UsageError`."""
    known = known_layouts()
    if str(name) in known:
        return known[str(name)]
    if str(name).endswith(".toml"):
        return read_layout(Path(name))
    raise UsageError(
        "there is no such layout",
        got=str(name),
        allowed=f"{', '.join(known)}, or a TOML file",
        next_step=did_you_mean(str(name), known),
    )


def layouts_of(tensors: Tensors, p: int | None = None) -> list[Layout]:
    """Return the layouts that a file may have: one by its names, or several by its lengths.

    **Arguments:** the file's tensors; the modulus, where it is known.

    **Raises:** `UsageError` where none fits, and where several do by name.
    """
    known = known_layouts()
    fitting = [layout for layout in known.values() if layout.fits(tensors)]
    # the one that knows most of the file's tensors, and what it says it need not try
    rank = {one.name: (len(one.left_out(tensors)), bool(one.tries)) for one in fitting}
    best = [one for one in fitting if rank[one.name] == min(rank.values())]
    if len(best) == 1:
        return best
    if not best and (by_shape := layouts_by_shape(tensors, p)):
        return by_shape
    raise UsageError(
        "several layouts fit this file" if best else "the layout of this file is not known",
        got=few([f"{name} {'×'.join(map(str, t.shape))}" for name, t in tensors.items()]),
        allowed=", ".join(layout.name for layout in best) or f"{', '.join(known)}, or a TOML file",
        next_step="say which with --layout; docs/other-networks.md says how to write one",
    )
