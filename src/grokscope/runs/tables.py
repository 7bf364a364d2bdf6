"""Tables of other people, and ours: arrays from files, and the residues' rows of an array."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import safetensors
from jaxtyping import Float, Shaped

from grokscope.errors import GrokscopeError, UsageError
from grokscope.runs.atomic import read_bytes, shown
from grokscope.runs.tensors import AnyArray, entry, read

SUFFIXES: Final = (".npy", ".npz", ".safetensors")
_RESIDUES: Final = ("p", "class", "token")
_DTYPES: Final = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4",
                  "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2",
                  "U8": "u1", "BOOL": "?"}  # fmt: skip

# .npy, .npz, and a bare pickle; NumPy takes every other file for a pickle, too.
_MAY_HOLD_PICKLES: Final = (b"\x93NUMPY", b"PK", b"\x80")


@dataclass(frozen=True)
class ForeignTable:
    """One array of a file; `axes` and `p` (the modulus) where the file says them."""

    array: AnyArray
    axes: tuple[str, ...] | None = None
    p: int | None = None


def read_tables(path: str | Path) -> dict[str, ForeignTable]:
    """Return the arrays of a .npy, .npz or .safetensors file by name; nothing in it is executed.

    **Raises:** `UsageError` when the file is missing, damaged, of another kind, or pickled.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise UsageError("cannot read tables from this kind of file", got=path.name,
                         allowed=", ".join(SUFFIXES))  # fmt: skip
    data = read_bytes(path)
    try:
        if path.suffix == ".safetensors":
            return _safetensors(path, data)
        return _numpy(path, data)
    except GrokscopeError:
        raise
    # Foreign bytes reach three parsers, whose errors have many types and no common base.
    except Exception as error:
        raise UsageError(f"{shown(path)} is damaged or not what its name says",
                         allowed=", ".join(SUFFIXES)) from error  # fmt: skip


def to_residue_rows(
    array: Shaped[np.ndarray, "..."],
    axes: Sequence[str] | None,
    p: int | None,
    axis: int | None,
) -> tuple[Float[np.ndarray, "p column"] | None, str]:
    """Return the table whose rows are the residues, or None and the reason for skipping it.

    **Arguments:**

    - `array`: a matrix; rows after the first `p` (operator tokens, an equals sign) are dropped.
    - `axes`: words of its axes, if known; then `p`, `class` or `token` marks the residues.
    - `p`: the modulus; none takes all rows.
    - `axis`: which axis holds the residues, 0 or 1, where the words do not say it; none is 0.

    **Returns:** the table and an empty text, or None and the reason.

    **Raises:** `UsageError` when `axis` is neither 0 nor 1, or `p` is less than 2.
    """
    if axis not in (None, 0, 1):
        raise UsageError("the axis is not usable", got=axis, allowed="0 or 1")
    if p is not None and p < 2:
        raise UsageError("p is not usable", got=p, allowed="a whole number, 2 or more")
    if array.ndim != 2:
        return None, f"has {array.ndim} axes, not 2"
    where = _residue_axis(axes, axis)
    if where is None:
        return None, f"no axis of residues among {', '.join(axes or ())}"
    rows = array.T if where == 1 else array
    reason = _unusable(rows, p)
    return (None, reason) if reason else (rows[:p], "")


def _unusable(rows: Shaped[np.ndarray, "token column"], p: int | None) -> str:
    if not np.issubdtype(rows.dtype, np.floating):
        return f"holds {rows.dtype.name}, not real numbers"
    if p is not None and len(rows) < p:
        return f"has {len(rows)} rows, fewer than p = {p}"
    if not rows[:p].size:
        return "is empty"
    if len(rows) < 2:
        return "has a single row"
    return "" if np.isfinite(rows[:p]).all() else "holds values that are not finite"


def _residue_axis(axes: Sequence[str] | None, axis: int | None) -> int | None:
    if axes is None:
        return axis or 0
    marked = [i for i, word in enumerate(axes) if word in _RESIDUES]
    return axis if axis in marked else next(iter(marked), None)


def _safetensors(path: Path, data: bytes) -> dict[str, ForeignTable]:
    if entry(data, shown(path)) is None:
        return {name: ForeignTable(_array(info)) for name, info in safetensors.deserialize(data)}
    content = read(path)
    p = content.meta.get("p")
    return {
        name: ForeignTable(array, content.axes.get(name), p if isinstance(p, int) else None)
        for name, array in content.tensors.items()
    }


def _array(info: dict[str, Any]) -> AnyArray:
    if info["dtype"] == "BF16":
        # bfloat16 is the upper half of a float32
        words = np.frombuffer(info["data"], "<u2").astype("<u4") << 16
        return words.view("<f4").reshape(info["shape"])
    if info["dtype"] not in _DTYPES:
        return np.frombuffer(info["data"], "u1")
    return np.frombuffer(info["data"], _DTYPES[info["dtype"]]).reshape(info["shape"])


def _numpy(path: Path, data: bytes) -> dict[str, ForeignTable]:
    try:
        content = np.load(io.BytesIO(data), allow_pickle=False)
        if isinstance(content, np.ndarray):
            content = {path.stem: content}
        return {name: ForeignTable(np.asarray(array)) for name, array in content.items()}
    except ValueError as error:
        if "allow_pickle" not in str(error) or not data.startswith(_MAY_HOLD_PICKLES):
            raise
        raise UsageError(
            f"{shown(path)} holds pickled objects, which are programs and are never loaded",
            next_step="save plain numbers: numpy.save(file, numpy.asarray(table, float))",
        ) from error
