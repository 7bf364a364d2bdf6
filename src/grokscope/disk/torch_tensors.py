"""Tensors as the pickles of `torch.save` describe them, and the numbers that they mean.

A pickle calls functions of PyTorch by name. Ours, which stand under these names, only keep what
they were given; the numbers are looked up afterwards, inside checked bounds.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float, UInt

from grokscope.disk.inert_pickle import Function
from grokscope.disk.tensors import AnyArray

_CODES: Final = {
    "float64": "f8",
    "float32": "f4",
    "float16": "f2",
    "bfloat16": "u2",
    "complex64": "c8",
    "complex128": "c16",
    "int64": "i8",
    "int32": "i4",
    "int16": "i2",
    "int8": "i1",
    "uint64": "u8",
    "uint32": "u4",
    "uint16": "u2",
    "uint8": "u1",
    "bool": "u1",
}
_WITHOUT_NUMPY: Final = (
    *("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"),
    *("float4_e2m1fn_x2", "complex32", "qint8", "quint8", "qint32", "quint4x2", "quint2x4"),
)
_STORAGES: Final = {
    "torch.DoubleStorage": "float64",
    "torch.FloatStorage": "float32",
    "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": "bfloat16",
    "torch.ComplexFloatStorage": "complex64",
    "torch.ComplexDoubleStorage": "complex128",
    "torch.LongStorage": "int64",
    "torch.IntStorage": "int32",
    "torch.ShortStorage": "int16",
    "torch.CharStorage": "int8",
    "torch.ByteStorage": "uint8",
    "torch.BoolStorage": "bool",
    "torch.UntypedStorage": "uint8",
    "torch.storage.UntypedStorage": "uint8",
    "torch.QInt8Storage": "qint8",
    "torch.QUInt8Storage": "quint8",
    "torch.QInt32Storage": "qint32",
    "torch.QUInt4x2Storage": "quint4x2",
    "torch.QUInt2x4Storage": "quint2x4",
}


@dataclass(frozen=True)
class Storage:
    """A row of numbers in the file: the part that has them, and how many of which type."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True)
class Tensor:
    """Which numbers of a storage a tensor has, counted in its own type."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: str
    conjugate: bool
    negative: bool


@dataclass(frozen=True)
class Unread:
    """A tensor that cannot be read, and why."""

    why: str


def storage_of(identity: Any) -> Storage:
    """Return what the pickle means by a storage: its word, type, key, device and length."""
    word, kind, key, _, count = identity
    if word != "storage" or not all(isinstance(text, str) for text in (kind, key)):
        raise ValueError("no storage")
    _require_counts((count,))
    return Storage(key, _STORAGES[kind], count)


def _described(
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    dtype: Any = None,
    metadata: Any = None,
) -> Tensor | Unread:
    if not isinstance(storage, Storage) or not (isinstance(size, tuple) and len(size) < 65):
        raise TypeError("no tensor")
    _require_counts((offset, *size, *stride))
    if len(size) != len(stride):
        raise ValueError("as many strides as axes")
    name = storage.dtype if dtype is None else dtype.removeprefix("torch.")
    if name in _WITHOUT_NUMPY:
        return Unread(f"it holds {name}, which NumPy does not have")
    bits = metadata or {}
    return Tensor(
        storage, offset, size, stride, name, bits.get("conj") is True, bits.get("neg") is True
    )


def _require_counts(numbers: tuple[Any, ...]) -> None:
    if not all(type(number) is int and 0 <= number < 2**63 for number in numbers):
        raise ValueError("a length is negative, too large or no number")


def _device(kind: Any, index: Any = None) -> str:
    if not isinstance(kind, str):
        raise TypeError("no device")
    return kind if index is None else f"{kind}:{index:d}"


_SPARSE: Final = Function(lambda *_: Unread("it is sparse, and only dense tensors are read"))
NAMES: Final[Mapping[str, Any]] = {
    "torch._utils._rebuild_tensor": Function(_described),
    "torch._utils._rebuild_tensor_v2": Function(
        lambda storage, offset, size, stride, _grad, _hooks, metadata=None: _described(
            storage, offset, size, stride, None, metadata
        )
    ),
    "torch._utils._rebuild_tensor_v3": Function(
        lambda storage, offset, size, stride, _grad, _hooks, dtype, metadata=None: _described(
            storage, offset, size, stride, dtype, metadata
        )
    ),
    "torch._utils._rebuild_parameter": Function(lambda tensor, _grad, _hooks: tensor),
    "torch._utils._rebuild_sparse_tensor": _SPARSE,
    "torch._utils._rebuild_sparse_csr_tensor": _SPARSE,
    "torch._utils._rebuild_qtensor": Function(
        lambda *_: Unread("it is quantised, and only plain numbers are read")
    ),
    "torch._utils._rebuild_meta_tensor_no_storage": Function(
        lambda *_: Unread("it has a shape and no numbers, being on the device meta")
    ),
    "torch.serialization._get_layout": Function(lambda name: name),
    "torch.device": Function(_device),
    "torch.Size": Function(lambda size=(): size),
    **{name: name for name in _STORAGES},
    **{name: name for name in (f"torch.{dtype}" for dtype in (*_CODES, *_WITHOUT_NUMPY))},
    **{f"torch.{name}": name for name in ("per_tensor_affine", "per_channel_affine")},
    "torch.per_channel_affine_float_qparams": "per_channel_affine_float_qparams",
}
"""What the pickle may name beside plain values; what is not called stands for its own name."""


def view_of(tensor: Tensor, contents: Mapping[str, bytes]) -> AnyArray:
    """Return the numbers of a tensor where they lie, as words of the file's byte order.

    **Arguments:**

    - `tensor`: which numbers.
    - `contents`: the parts of the file by name: `data/KEY` of each storage, and `byteorder`.

    **Raises:** `ValueError` or `KeyError` where the file does not hold them.
    """
    data = contents[f"data/{tensor.storage.key}"]
    order = {b"little": "<", b"big": ">"}[contents.get("byteorder", b"little")]
    dtype = np.dtype(order + _CODES[tensor.dtype])
    if len(data) != tensor.storage.count * np.dtype(_CODES[tensor.storage.dtype]).itemsize:
        raise ValueError("a storage has another length than the pickle says")
    if 0 in tensor.size:
        return np.zeros(tensor.size, dtype)
    # the last number lies at offset + Σ (size − 1)·stride
    last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.size, tensor.stride, strict=True))
    if (last + 1) * dtype.itemsize > len(data):
        raise ValueError("a tensor reaches beyond its storage")
    strides = tuple(dtype.itemsize * s for s in tensor.stride)
    return np.ndarray(tensor.size, dtype, data, dtype.itemsize * tensor.offset, strides)


def bytes_needed(tensor: Tensor) -> int:
    """Return the memory that the numbers of a tensor take."""
    return math.prod(tensor.size) * max(4, np.dtype(_CODES[tensor.dtype]).itemsize)


def numbers_of(tensor: Tensor, view: AnyArray) -> AnyArray:
    """Return the numbers of a tensor row by row, in the byte order of this machine."""
    array = view.astype(view.dtype.newbyteorder("="), order="C", copy=False)
    if tensor.dtype == "float16":
        array = array.astype(np.float32)
    elif tensor.dtype == "bfloat16":
        array = from_bfloat16(array)
    elif tensor.dtype == "bool":
        array = np.asarray(array != 0)
    array = np.conjugate(array) if tensor.conjugate else array
    return np.asarray(np.negative(array) if tensor.negative else array)


def from_bfloat16(words: UInt[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Return bfloat16 numbers, which are the upper halves of float32 ones."""
    return np.asarray(words.astype(np.uint32) << 16).view(np.float32)
