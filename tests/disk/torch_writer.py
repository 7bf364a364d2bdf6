"""The files of `torch.save`, written by hand, also those that it would never write, and read."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grokscope.disk.torch_files import TorchFile, read_torch
from grokscope.errors import UsageError

SIX = np.arange(6, dtype="<f4")
"""The numbers of a tensor, where nothing else is said."""
TENSOR = "torch._utils._rebuild_tensor_v2"


@dataclass(frozen=True)
class Name:
    """A class or function of some module, by its dotted name."""

    path: str


@dataclass(frozen=True)
class Call:
    """What a function returns, with a state set afterwards."""

    function: str
    arguments: Any = ()
    state: Any = None


@dataclass(frozen=True)
class Outside:
    """What the writer has put outside, by its identity."""

    identity: Any


@dataclass(frozen=True)
class Raw:
    """Instructions as they are."""

    instructions: bytes


def pickled(value: Any) -> bytes:
    """Return a pickle of protocol 2."""
    return b"\x80\x02" + _instructions(value) + b"."


def _instructions(value: Any) -> bytes:
    match value:
        case None:
            return b"N"
        case bool():
            return b"\x88" if value else b"\x89"
        case int():
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + bytes([len(data)]) + data
        case str():
            return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()
        case tuple():
            return b"(" + b"".join(map(_instructions, value)) + b"t"
        case list():
            return b"](" + b"".join(map(_instructions, value)) + b"e"
        case dict():
            pairs = (part for pair in value.items() for part in pair)
            return b"}(" + b"".join(map(_instructions, pairs)) + b"u"
        case Name(path):
            module, _, name = path.rpartition(".")
            return f"c{module}\n{name}\n".encode()
        case Call(function, arguments, state):
            built = b"" if state is None else _instructions(state) + b"b"
            return _instructions(Name(function)) + _instructions(arguments) + b"R" + built
        case Outside(identity):
            return _instructions(identity) + b"Q"
        case Raw(instructions):
            return instructions
    raise TypeError(value)


def tensor(
    size: Any,
    stride: Any,
    *,
    offset: Any = 0,
    key: Any = "0",
    count: Any = 6,
    kind: Any = Name("torch.FloatStorage"),
) -> Call:
    """Return a description of a tensor, by default of six float32 numbers."""
    storage = Outside(("storage", kind, key, "cpu", count))
    hooks = Call("collections.OrderedDict")
    return Call(TENSOR, (storage, offset, size, stride, False, hooks))


def torch_zip(
    top: Any, storages: Mapping[str, bytes] | None = None, *, byteorder: bytes | None = b"little"
) -> bytes:
    """Return a file with what `top` describes, and the numbers of its storages by key."""
    parts = {"archive/data.pkl": top if isinstance(top, bytes) else pickled(top)}
    if byteorder is not None:
        parts["archive/byteorder"] = byteorder
    return zipped(parts | {f"archive/data/{key}": data for key, data in (storages or {}).items()})


def zipped(parts: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip file with parts of these names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return file.getvalue()


def read(tmp_path: Path, data: bytes) -> TorchFile:
    """Return what is read of a file with this content."""
    (tmp_path / "model.pt").write_bytes(data)
    return read_torch(tmp_path / "model.pt")


def refused(tmp_path: Path, data: bytes) -> str:
    """Return the one line that says why a file with this content is not read."""
    with pytest.raises(UsageError) as caught:
        read(tmp_path, data)
    line = str(caught.value)
    assert line.isprintable()
    return line


def described(top: Any) -> bytes:
    """Return a file with what `top` describes, beside six numbers."""
    return torch_zip(top, {"0": SIX.tobytes()})


def saved(torch: Any, value: Any, **how: Any) -> bytes:
    """Return the file that PyTorch writes."""
    file = io.BytesIO()
    torch.save(value, file, **how)
    return file.getvalue()
