"""safetensors files that verify themselves: any flipped bit or missing byte is noticed.

Everything of ours is one metadata entry, `grokscope`, with canonical JSON: safetensors writes
several entries in random order, and equal contents shall give equal bytes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import safetensors
import safetensors.numpy
from jaxtyping import Shaped

from grokscope.disk.atomic import canonical_json, digest, path_in_words, read_bytes
from grokscope.errors import RunFolderError

FORMAT: Final = 1
_KEY: Final = "grokscope"
_REPAIR: Final = "restore it from a copy"

AnyArray = Shaped[np.ndarray, "..."]
Axes = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class TensorFile:
    """What a file holds: arrays by name, the meaning of their axes, and facts about them."""

    tensors: dict[str, AnyArray]
    axes: dict[str, tuple[str, ...]]
    meta: dict[str, Any]


def encode(
    tensors: Mapping[str, AnyArray], meta: Mapping[str, Any], axes: Axes | None = None
) -> bytes:
    """Return the bytes of a file; equal contents give equal bytes in every process.

    **Arguments:**

    - `tensors`: arrays by name.
    - `meta`: facts that JSON can hold.
    - `axes`: one word per axis, for those tensors whose axes have names.
    """
    # order="C": safetensors reads memory as it lies, also that of a transposed view.
    arrays = {name: np.asarray(tensors[name], order="C") for name in sorted(tensors)}
    document = {"format": FORMAT, "meta": dict(meta), "axes": dict(axes or {})}
    document["sha256"] = _digest(document, arrays)
    return safetensors.numpy.save(arrays, {_KEY: canonical_json(document)})


def decode(source: bytes | Path) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    """Return the tensors and the facts of a file; raises as `read` does."""
    content = read(source)
    return content.tensors, content.meta


def read(source: bytes | Path) -> TensorFile:
    """Return what a file holds, after verifying every byte of it.

    **Raises:** `RunFolderError` when it is missing, cut, damaged, foreign or newer.
    """
    data = read_bytes(source) if isinstance(source, Path) else source
    name = path_in_words(source) if isinstance(source, Path) else "the file"
    text = entry(data, name)
    if text is None:
        raise RunFolderError(f"{name} was not written by grokscope")
    try:
        return _verified(text, data, name)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(name) from error


def entry(data: bytes, name: str) -> str | None:
    """Return our metadata entry, None for a foreign file; raises `RunFolderError` if damaged."""
    try:
        safetensors.deserialize(data)
        size = int.from_bytes(data[:8], "little")
        return json.loads(data[8 : 8 + size]).get("__metadata__", {}).get(_KEY)
    except (safetensors.SafetensorError, ValueError, AttributeError, RecursionError) as error:
        raise _damaged(name) from error


def _verified(text: str, data: bytes, name: str) -> TensorFile:
    document = json.loads(text)
    if isinstance(document["format"], int) and document["format"] > FORMAT:
        raise RunFolderError(
            f"{name} was made by a newer grokscope (format {document['format']},"
            f" this one reads {FORMAT})",
            next_step="upgrade grokscope",
        )
    arrays = safetensors.numpy.load(data)
    expected = document.pop("sha256")
    intact = canonical_json(document | {"sha256": expected}) == text
    if not intact or _digest(document, arrays) != expected:
        raise _damaged(name)
    axes = {key: tuple(words) for key, words in document["axes"].items()}
    return TensorFile(arrays, axes, document["meta"])


def _digest(document: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> str:
    names = sorted(arrays)
    shapes = [[name, arrays[name].dtype.name, arrays[name].shape] for name in names]
    header = canonical_json({**document, "tensors": shapes}).encode()
    return digest(header, *(arrays[name].tobytes() for name in names))


def _damaged(name: str) -> RunFolderError:
    return RunFolderError(f"{name} is damaged: it was cut or changed", next_step=_REPAIR)
