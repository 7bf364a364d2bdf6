"""Checkpoints of PyTorch, read without PyTorch: the zip files that `torch.save` writes.

Such a file holds a pickle, which describes tensors, and their numbers beside it. The pickle is
never run: `inert_pickle` reads it as data, imports nothing, and calls nothing but functions of
ours, which keep descriptions of tensors (`torch_tensors`).
"""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grokscope.disk.atomic import path_in_words, read_bytes
from grokscope.disk.inert_pickle import RefusedError, plain_values
from grokscope.disk.memory import fitting
from grokscope.disk.tensors import AnyArray
from grokscope.disk.torch_tensors import (
    NAMES,
    Storage,
    Tensor,
    Unread,
    bytes_needed,
    numbers_of,
    storage_of,
    view_of,
)
from grokscope.errors import GrokscopeError, UsageError, quote

SUFFIXES: Final = (".pt", ".pth", ".bin", ".ckpt", ".pkl")
_ZIP, _PICKLE = b"PK", b"\x80"
_LEGACY: Final = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
"""A number in a pickle of its own, by which torch.save marked its files before PyTorch 1.6."""
_SAVE: Final = "save a state dict with PyTorch: torch.save(model.state_dict(), 'weights.pt')"
_DEEPEST: Final = 64


@dataclass(frozen=True)
class TorchFile:
    """What a checkpoint holds, by the names on the way to it: `model.blocks.0.attn.W_Q`."""

    tensors: dict[str, AnyArray]
    facts: dict[str, Any]
    """Numbers, texts, booleans and None, and lists of such: a configuration, losses."""
    unread: dict[str, str]
    """Why the other tensors could not be read."""


def read_torch(path: str | Path) -> TorchFile:
    """Return the tensors and plain values of a file that `torch.save` wrote; nothing is executed.

    float16 and bfloat16 become float32. A tensor that is alone has the name of the file.

    **Arguments:**

    - `path`: a state dict, or a checkpoint of dictionaries and lists around it.

    **Raises:** `UsageError` when the file is missing, damaged, of another kind, or needs more than
    tensors and plain values; `GrokscopeError` when it does not fit into memory.
    """
    path = Path(path)
    with fitting(path, path.stat().st_size if path.is_file() else 0):
        data = read_bytes(path)
        try:
            _refuse_other_kinds(path, data)
            return _read(path, data)
        except RefusedError as error:
            raise UsageError(
                f"{path_in_words(path)} is not a plain checkpoint of PyTorch: {error}",
                next_step=error.next_step or _SAVE,
            ) from error
        except (GrokscopeError, MemoryError):
            raise
        # Foreign bytes reach two parsers, whose errors have many types and no common base.
        except Exception as error:
            raise UsageError(
                f"{path_in_words(path)} is damaged: it was cut or changed",
                next_step="restore it from a copy",
            ) from error


def _refuse_other_kinds(path: Path, data: bytes) -> None:
    if data.startswith(_LEGACY):
        file = f"torch.load({path.name!r}, weights_only=True)"
        raise RefusedError(
            "it is in the format before PyTorch 1.6",
            f"write it anew with PyTorch: torch.save({file}, {path.name!r})",
        )
    if data.startswith(_PICKLE):
        raise RefusedError(
            "it is a bare pickle, which is a program and is never loaded",
            "write its arrays with numpy.savez(file, W_E=array)",
        )
    if not data.startswith(_ZIP):
        raise RefusedError("it is no zip file")


def _read(path: Path, data: bytes) -> TorchFile:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = _parts(archive)
        total = sum(part.file_size for part in parts.values())
        if total > len(data):
            raise ValueError("parts that are not compressed are longer than their file")
        with fitting(path, total):
            contents = {name: archive.read(part) for name, part in parts.items()}
    top = plain_values(contents["data.pkl"], NAMES, storage_of)
    leaves = _Leaves(len(contents["data.pkl"]))
    leaves.add("", top if isinstance(top, dict | list | tuple) else {path.stem: top})
    views = {tensor: view_of(tensor, contents) for tensor in set(leaves.tensors.values())}
    with fitting(path, sum(bytes_needed(tensor) for tensor in views)):
        arrays = {tensor: numbers_of(tensor, view) for tensor, view in views.items()}
    tensors = {name: arrays[tensor] for name, tensor in leaves.tensors.items()}
    return TorchFile(tensors, leaves.facts, leaves.unread)


def _parts(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the parts of a file by name, without the one folder in which all of them lie."""
    parts: dict[str, zipfile.ZipInfo] = {}
    folders = {part.filename.partition("/")[0] for part in archive.infolist()}
    for part in archive.infolist():
        words = part.filename.split("/")
        if len(folders) > 1 or not {"", ".", ".."}.isdisjoint(words):
            raise RefusedError(f"its part {quote(part.filename)} lies outside of its folder")
        # so no few bytes unpack to many
        if part.compress_type != zipfile.ZIP_STORED:
            raise RefusedError("its parts are compressed, which torch.save never does")
        if parts.setdefault("/".join(words[1:]), part) is not part:
            raise RefusedError(f"two of its parts are called {quote(part.filename)}")
    if "data.pkl" not in parts:
        raise RefusedError("it has no part data.pkl")
    return parts


class _Leaves:
    """Tensors and plain values by dotted name, of a pickle with `size` bytes."""

    def __init__(self, size: int) -> None:
        self.tensors: dict[str, Tensor] = {}
        self.facts: dict[str, Any] = {}
        self.unread: dict[str, str] = {}
        # what is shared counts as often as it is met, so that few bytes do not become many names
        self._left = 64 * size + 10_000

    def add(self, name: str, value: Any, depth: int = 0) -> None:
        """Add what `value` holds, with `name` before its own names."""
        self._pay(1 + len(name), depth)
        if isinstance(value, dict) and value:
            inside = value.items()
        elif isinstance(value, list | tuple) and not self._is_plain(value, depth):
            inside = enumerate(value)
        else:
            self._add_leaf(name, value)
            return
        for key, inner in inside:
            self.add(f"{name}.{key}" if depth else str(key), inner, depth + 1)

    def _add_leaf(self, name: str, leaf: Any) -> None:
        if any(name in known for known in (self.tensors, self.facts, self.unread)):
            raise RefusedError(f"two of its entries are called {quote(name)}")
        if isinstance(leaf, Tensor):
            self.tensors[name] = leaf
        elif isinstance(leaf, Unread):
            self.unread[name] = leaf.why
        elif isinstance(leaf, Storage):
            self.unread[name] = "it is a storage, which has no shape"
        elif self._is_plain(leaf, 0):
            self.facts[name] = leaf
        else:
            raise TypeError("neither a tensor nor a plain value")

    def _is_plain(self, value: Any, depth: int) -> bool:
        self._pay(1, depth)
        if isinstance(value, dict):
            return all(self._is_plain(inner, depth + 1) for inner in value.values())
        if isinstance(value, list | tuple):
            return all(self._is_plain(inner, depth + 1) for inner in value)
        return value is None or isinstance(value, bool | int | float | str | bytes)

    def _pay(self, cost: int, depth: int) -> None:
        self._left -= cost
        if self._left < 0 or depth > _DEEPEST:
            raise RefusedError("it contains itself, or repeats its parts too often")
