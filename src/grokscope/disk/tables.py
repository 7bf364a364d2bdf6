"""Tables of other people, and ours: the arrays of a file, by name, in the file's own order."""

import io
import json
import math
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from grokscope.disk.atomic import path_for_shell, path_in_words, read_bytes
from grokscope.disk.memory import fitting
from grokscope.disk.tensors import AnyArray, entry, read
from grokscope.disk.torch_files import SUFFIXES as TORCH_SUFFIXES
from grokscope.disk.torch_files import read_torch
from grokscope.disk.torch_tensors import from_bfloat16
from grokscope.errors import GrokscopeError, UsageError

SUFFIXES: Final = (".npy", ".npz", ".safetensors", *TORCH_SUFFIXES)
_DTYPES: Final = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
    "BF16": "<u2",
}
_NUMPY, _ZIP, _PICKLE = b"\x93NUMPY", b"PK", b"\x80"
_PICKLED: Final = "it holds pickled objects, which are programs and are never loaded"
_PICKLES: Final = (".pickle", ".joblib")
_HDF5: Final = (".h5", ".hdf5")
_NOTHING: Final = np.zeros(0)


@dataclass(frozen=True)
class ForeignTable:
    """One array of a file; `axes` and `p` (the modulus) where the file says them."""

    array: AnyArray
    axes: tuple[str, ...] | None = None
    p: int | None = None
    problem: str = ""
    """Why it could not be read, while the rest of the file could."""


def read_tables(path: str | Path) -> dict[str, ForeignTable]:
    """Return the arrays of a file by name; nothing in it is executed.

    **Arguments:**

    - `path`: .npy, .npz, .safetensors, or a checkpoint of PyTorch (.pt, .pth, .bin, .ckpt, .pkl).

    **Raises:** `UsageError` when the file is missing, damaged, of another kind, or all of it is
    pickled; `GrokscopeError` when it does not fit into memory.
    """
    path = Path(path)
    require_tables(path)
    if _kind(path) in TORCH_SUFFIXES:
        return _torch(path)
    with fitting(path, path.stat().st_size if path.is_file() else 0):
        data = read_bytes(path)
        try:
            tables = _parsed(path, data)
        except (GrokscopeError, MemoryError):
            raise
        # Foreign bytes reach three parsers, whose errors have many types and no common base.
        except Exception as error:
            raise UsageError(
                f"{path_in_words(path)} is damaged or not what its name says",
                allowed=", ".join(SUFFIXES),
            ) from error
    if tables and all(table.problem == _PICKLED for table in tables.values()):
        raise UsageError(
            f"{path_in_words(path)} is not readable: {_PICKLED}",
            next_step="save plain numbers: numpy.save(file, numpy.asarray(table, float))",
        )
    return tables


def read_facts(path: str | Path) -> dict[str, Any]:
    """Return what a file says beside its arrays: texts, numbers and lists, by dotted name.

    A text that is JSON, as the metadata of safetensors may be, is read as such. A file without
    facts has none; raises as `read_tables`.
    """
    path = Path(path)
    if _kind(path) in TORCH_SUFFIXES:
        return read_torch(path).facts
    if _kind(path) != ".safetensors":
        return {}
    data = read_bytes(path)
    try:
        facts = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})
    except (ValueError, AttributeError, RecursionError):
        return {}
    return {name: _as_json(text) for name, text in facts.items()}


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def is_file(path: Path, operation: str | None) -> bool:
    """Whether a file with tables is meant: also one that is not there, whose operation is named."""
    return path.is_file() or (operation is not None and not path.exists())


def require_tables(path: Path) -> None:
    """Raise `UsageError` for no file, or one whose name says another kind than `SUFFIXES`."""
    if not path.exists():
        read_bytes(path)  # says why
    kind, hint = _kind(path), None
    if kind in SUFFIXES:
        return
    found = sorted(path.glob("checkpoints/*/*.safetensors"))
    if found:
        hint = f"of a run name a checkpoint, for example {path_for_shell(found[-1])}"
    if kind in _PICKLES:
        hint = (
            "pickles are programs and are never loaded; write its arrays with"
            " numpy.savez(file, W_E=array)"
        )
    elif kind in _HDF5:
        hint = "write its arrays with numpy.savez(file, W_E=array)"
    raise UsageError(
        "cannot read tables from this kind of file",
        got=path.name,
        allowed=", ".join(SUFFIXES),
        next_step=hint,
    )


def _kind(path: Path) -> str:
    """Return the suffix of a name; on some systems names are in capitals."""
    return path.suffix.lower()


def _parsed(path: Path, data: bytes) -> dict[str, ForeignTable]:
    if _kind(path) == ".safetensors":
        return _ours(path) if entry(data, path_in_words(path)) is not None else _safetensors(data)
    if data.startswith(_ZIP):
        return _npz(path, data)
    if not data.startswith((_NUMPY, _PICKLE)):
        raise ValueError("neither an array nor a pickle")
    return {path.stem: _npy(data)}


def _ours(path: Path) -> dict[str, ForeignTable]:
    content = read(path)
    p = content.meta.get("p")
    return {
        name: ForeignTable(array, content.axes.get(name), p if isinstance(p, int) else None)
        for name, array in sorted(content.tensors.items())
    }


def _safetensors(data: bytes) -> dict[str, ForeignTable]:
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    facts = header.pop("__metadata__", {})
    tables = {
        name: _tensor(data, 8 + size + info["data_offsets"][0], info["dtype"], info["shape"])
        for name, info in header.items()
    }
    return _with_modulus(tables, facts.get("p"))


def _tensor(data: bytes, start: int, kind: str, shape: list[int]) -> ForeignTable:
    if kind not in _DTYPES:
        return ForeignTable(_NOTHING, problem=f"it holds {kind}, which NumPy does not have")
    array = _flat(data, np.dtype(_DTYPES[kind]), math.prod(shape), start).reshape(shape)
    return ForeignTable(from_bfloat16(array) if kind == "BF16" else array)


def _torch(path: Path) -> dict[str, ForeignTable]:
    content = read_torch(path)
    tables = {name: ForeignTable(array) for name, array in content.tensors.items()}
    unread = {name: ForeignTable(_NOTHING, problem=why) for name, why in content.unread.items()}
    return _with_modulus(tables | unread, content.facts.get("p", content.facts.get("config.p")))


def _npz(path: Path, data: bytes) -> dict[str, ForeignTable]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        # a few bytes can unpack to more than there is memory
        with fitting(path, sum(member.file_size for member in members)):
            tables = [(m.filename.removesuffix(".npy"), _npy(archive.read(m))) for m in members]
    return _with_modulus(_each_once(tables), None)


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return pairs by name; raises `UsageError` where one name has two, and nobody says which."""
    names = Counter(name for name, _ in pairs)
    twice = next((name for name, times in names.items() if times > 1), None)
    if twice is not None:
        raise UsageError("two tables of one file have the same name", got=twice)
    return dict(pairs)


def _npy(data: bytes) -> ForeignTable:
    """Return the array of a .npy file, by its header alone: pickles are not even looked at."""
    if data.startswith(_PICKLE):
        return ForeignTable(_NOTHING, problem=_PICKLED)
    if not data.startswith(_NUMPY):
        return ForeignTable(_NOTHING, problem="it is not an array")
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, by_columns, dtype = header(stream)
    if dtype.hasobject:
        return ForeignTable(_NOTHING, problem=_PICKLED)
    if min(shape, default=0) < 0:
        raise ValueError("a length is negative")
    array = _flat(data, dtype, math.prod(shape), stream.tell())
    return ForeignTable(array.reshape(shape, order="F" if by_columns else "C"))


def _flat(data: bytes, dtype: np.dtype[Any], count: int, start: int) -> AnyArray:
    """Return numbers where they lie; raises `ValueError` where there are fewer."""
    return np.frombuffer(data, dtype, count, start) if count else np.zeros(0, dtype)


def _with_modulus(tables: Mapping[str, ForeignTable], stated: Any) -> dict[str, ForeignTable]:
    """Return the tables with the modulus, where the file says one: as a fact, or a number `p`."""
    if stated is None and "p" in tables and tables["p"].array.size == 1:
        stated = tables["p"].array.item()
    text = str(stated)
    p = int(text) if text.isdecimal() and int(text) > 1 else None
    return {name: replace(table, p=p) for name, table in tables.items()}
