"""One code for NumPy, JAX and PyTorch: where an array computes, and in which precision."""

from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike

from grokscope.errors import UsageError
from grokscope.forking import refuse_after_fork

_NOT_REAL = "cOSUmM"
_DOUBLE, _SINGLE = 1e-12, 1e-6


def namespace_of(array: Any) -> ModuleType:
    """Return `jax.numpy` for arrays and tracers of JAX and `numpy` for all else."""
    own = getattr(array, "__array_namespace__", None)
    return own() if own is not None else np


def as_array(values: Any) -> Any:
    """Return `values` as an array of JAX or NumPy; PyTorch is known by its `detach`.

    **Raises:** `UsageError` for lists that are not of one length, and for an array of JAX in a
    process that was forked after JAX was used.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        # NumPy has no bfloat16
        short = values.is_floating_point() and values.element_size() < 4
        values = (values.float() if short else values).numpy()
    if namespace_of(values) is not np:
        refuse_after_fork()
        return values
    try:
        return np.asarray(values)
    except ValueError:
        raise _unusable(values) from None


def to_jax(values: Any, dtype: DTypeLike) -> Any:
    """Return `values` as an array of JAX; NumPy converts, as JAX compiles for each conversion."""
    import jax

    return jax.device_put(np.asarray(values).astype(dtype))


def real_array(values: Any) -> Any:
    """Return `values` in the precision that they are computed in.

    JAX arrays stay in JAX, in float32 or float64. All else, PyTorch tensors included, becomes
    float64 in NumPy.

    **Raises:** `UsageError` for complex numbers, texts and objects.
    """
    array = as_array(values)
    if array.dtype.kind in _NOT_REAL:
        raise _unusable(values)
    xp = namespace_of(array)
    if xp is np:
        return array.astype(np.float64)
    return array if array.dtype in (xp.float32, xp.float64) else array.astype(xp.float32)


def _unusable(values: Any) -> UsageError:
    kind = getattr(values, "dtype", None)
    return UsageError(
        "this is no array of real numbers",
        got=values if kind is None else f"an array of {kind}",
        allowed="NumPy, JAX or PyTorch arrays, or lists of one length",
        next_step="of a run take run.network().embedding",
    )


_OF_RESIDUES: Final = ("x", "y", "token", "class", "answer")
"""Axes of named arrays over the residues, and what stands behind them."""


def residue_rows(values: Any) -> Any:
    """Return `values` with a row per residue where its axes have names; else as it is.

    So W_E loses its operators, and of W_U the answers, its columns, become rows.

    **Raises:** `UsageError` for names of which not one is an axis of residues.
    """
    axes, places = getattr(values, "axes", None), getattr(values, "coordinates", None)
    if not isinstance(axes, tuple) or not isinstance(places, dict):
        return values
    own = [i for i, name in enumerate(axes) if name in _OF_RESIDUES]
    if len(own) != 1:
        raise UsageError(
            "a table needs one axis of residues",
            got=", ".join(axes),
            allowed=f"one of {', '.join(_OF_RESIDUES)}, and another axis",
            next_step="choose a part of it, or take .values with a row per residue",
        )
    rows = np.moveaxis(np.asarray(values), own[0], 0)
    known = places.get(axes[own[0]], range(len(rows)))
    return rows[[isinstance(place, int) for place in known]]


def real_table(values: Any) -> Any:
    """Return `values` as `real_array` does, of named axes with a row per residue.

    **Raises:** `UsageError` unless there are two axes, at least 2 rows and at least 1 column.
    """
    table = real_array(residue_rows(values))
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 1:
        raise UsageError(
            "a table has the wrong shape",
            got=table.shape,
            allowed="two axes: at least 2 rows (residues) and at least 1 column",
            next_step="one number per residue is the table w[:, None]",
        )
    return table


def round_off(table: Any) -> float:
    """Return the share of a table's norm under which a coefficient is only round-off.

    It is 1e-12 for numbers of 8 bytes and 1e-6 for shorter ones.
    """
    return _DOUBLE if table.dtype.itemsize >= 8 else _SINGLE


def matmul(a: Any, b: Any) -> Any:
    """Multiply two matrices in full precision (accelerators round float32 by default)."""
    xp = namespace_of(a)
    return xp.matmul(a, b) if xp is np else xp.matmul(a, b, precision="highest")
