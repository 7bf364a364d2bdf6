"""NumPy arrays whose axes have names."""

import importlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from grokscope.config.validate import did_you_mean
from grokscope.errors import UsageError


class NamedArray(NDArrayOperatorsMixin):
    """A NumPy array and the names of its axes; every function of NumPy takes it.

        >>> a = NamedArray(np.arange(6).reshape(2, 3), ("seed", "step"), {"step": [0, 50, 100]})
        >>> a.at(step=100)
        NamedArray [seed: 2] int64
        [2 5]
        >>> float(a.mean("seed")[0]), int(a.max()), int(np.argmax(a))
        (1.5, 5, 5)
        >>> np.asarray(a).shape
        (2, 3)

    **Arguments:**

    - `values`: the array.
    - `axes`: a name for each axis.
    - `coordinates`: for some axes what each place on them is: a step, a seed, a position; by
      default 0, 1, 2, …
    """

    def __init__(
        self,
        values: Any,
        axes: Sequence[str],
        coordinates: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        self.values = np.asarray(values)
        self.axes = tuple(axes)
        self.coordinates = {n: list(c) for n, c in (coordinates or {}).items() if n in self.axes}
        if len(self.axes) != self.values.ndim:
            raise UsageError(
                "an array needs a name for each axis",
                got=", ".join(self.axes),
                allowed=f"{self.values.ndim} names",
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.values.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """Kind of the numbers."""
        return self.values.dtype

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.values)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Compute on the values; what comes out has our axes where its shape is ours."""
        plain = [i.values if isinstance(i, NamedArray) else i for i in inputs]
        found = getattr(ufunc, method)(*plain, **options)
        named = [i for i in inputs if isinstance(i, NamedArray)]
        same = all(i.axes == self.axes for i in named) and ufunc.signature is None
        if method == "__call__" and same and getattr(found, "shape", None) == self.shape:
            return NamedArray(found, self.axes, self.coordinates)
        return found

    def __getitem__(self, index: Any) -> Any:
        """Return a part as NumPy does; numbers, slices and `...` keep the names of the axes."""
        parts = index if isinstance(index, tuple) else (index,)
        found = self.values[index]
        plain = all(isinstance(i, int | np.integer | slice) or i is ... for i in parts)
        if not plain or not isinstance(found, np.ndarray):
            return found
        given = len(parts) - parts.count(...)
        at = parts.index(...) if ... in parts else len(parts)
        rest = [slice(None)] * (self.ndim - given)
        full = [*parts[:at], *rest, *parts[at + 1 :]]
        kept = [(n, i) for n, i in zip(self.axes, full, strict=True) if isinstance(i, slice)]
        coordinates = {n: self.coordinates[n][i] for n, i in kept if n in self.coordinates}
        return NamedArray(found, [name for name, _ in kept], coordinates)

    def axis(self, name: str) -> int:
        """Return the number of an axis; raises `UsageError` where there is none of this name."""
        if name not in self.axes:
            raise UsageError("there is no such axis", got=name, allowed=", ".join(self.axes))
        return self.axes.index(name)

    def at(self, **places: Any) -> Any:
        """Return what lies at some places: `a.at(x=3, y=4)`, `a.at(step=2000)`.

        **Raises:** `UsageError` for an axis or a place that is not there.
        """
        index: list[Any] = [slice(None)] * self.ndim
        for name, place in places.items():
            axis = self.axis(name)
            known = self.coordinates.get(name, range(self.shape[axis]))
            if place not in known:
                few = ", ".join(map(str, known)) if len(known) < 20 else f"{known[0]} … {known[-1]}"
                raise UsageError(f"there is no such {name}", got=place, allowed=few)
            index[axis] = list(known).index(place)
        return self[tuple(index)]

    def sum(self, axis: Any = None, **options: Any) -> Any:
        """Return the sum over axes, by name or number; without any, over all."""
        return self._reduced("sum", axis, options)

    def mean(self, axis: Any = None, **options: Any) -> Any:
        """Return the mean; axes as for `sum`."""
        return self._reduced("mean", axis, options)

    def std(self, axis: Any = None, **options: Any) -> Any:
        """Return the standard deviation; axes as for `sum`."""
        return self._reduced("std", axis, options)

    def min(self, axis: Any = None, **options: Any) -> Any:
        """Return the least value; axes as for `sum`."""
        return self._reduced("min", axis, options)

    def max(self, axis: Any = None, **options: Any) -> Any:
        """Return the largest value; axes as for `sum`."""
        return self._reduced("max", axis, options)

    def any(self, axis: Any = None, **options: Any) -> Any:
        """Return whether any value is true; axes as for `sum`."""
        return self._reduced("any", axis, options)

    def all(self, axis: Any = None, **options: Any) -> Any:
        """Return whether all values are true; axes as for `sum`."""
        return self._reduced("all", axis, options)

    def argmin(self, axis: Any = None, **options: Any) -> Any:
        """Return the index of the least value along an axis, by name or number, or of all."""
        return self._reduced("argmin", axis, options)

    def argmax(self, axis: Any = None, **options: Any) -> Any:
        """Return the index of the largest value along an axis, by name or number, or of all."""
        return self._reduced("argmax", axis, options)

    def _reduced(self, method: str, axis: Any, options: dict[str, Any]) -> Any:
        reduce = getattr(self.values, method)
        if axis is None:
            return reduce(**options)
        names = axis if isinstance(axis, tuple | list) else (axis,)
        numbers = [self.axis(n) if isinstance(n, str) else range(self.ndim)[n] for n in names]
        found = reduce(axis=numbers[0] if len(numbers) == 1 else tuple(numbers), **options)
        left = [name for i, name in enumerate(self.axes) if i not in numbers]
        if np.ndim(found) != len(left):  # the axes were kept, as places of length 1
            return NamedArray(found, self.axes, {n: self.coordinates.get(n, ()) for n in left})
        return NamedArray(found, left, self.coordinates) if left else found

    def item(self, *place: Any) -> Any:
        """Return the only number, or the one at a place, as a number of Python."""
        return self.values.item(*place)

    def __int__(self) -> int:
        return int(self.values)

    def __float__(self) -> float:
        return float(self.values)

    def __bool__(self) -> bool:
        return bool(self.values)

    def __getattr__(self, name: str) -> Any:
        """Return what else an array of NumPy has, of the values alone: `.T`, `.tolist()`, …"""
        if name.startswith("_") or name == "values":
            raise AttributeError(name)
        return getattr(self.values, name)

    def to_pandas(self) -> Any:
        """Return one axis as a pandas `Series`, two as a `DataFrame`.

        **Raises:** `UsageError` for more axes, and where pandas is not installed.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            raise UsageError(
                "pandas is not installed", next_step="pip install pandas, or use .values"
            ) from None
        index = [
            pandas.Index(self.coordinates.get(name, range(length)), name=name)
            for name, length in zip(self.axes, self.shape, strict=True)
        ]
        if self.ndim == 1:
            return pandas.Series(self.values, index=index[0])
        if self.ndim == 2:
            return pandas.DataFrame(self.values, index=index[0], columns=index[1])
        raise UsageError("too many axes for a table", got=", ".join(self.axes), allowed="two")

    def __repr__(self) -> str:
        axes = ", ".join(f"{n}: {length}" for n, length in zip(self.axes, self.shape, strict=True))
        text = np.array2string(self.values, threshold=30, edgeitems=2, precision=4)
        return f"NamedArray [{axes}] {self.dtype}\n{text}"


class ByName(dict[str, NamedArray]):
    """Arrays by name; a name that is not there is said with those that are.

    **Arguments:** what each of them is, in a word; the arrays.
    """

    def __init__(self, what: str, arrays: Mapping[str, NamedArray]) -> None:
        super().__init__(arrays)
        self._what = what

    def __missing__(self, name: str) -> NamedArray:
        raise no_such(self._what, name, self)


def no_such(what: str, name: str, known: Iterable[str]) -> UsageError:
    """Return the error of a name that is not there, with those that are."""
    names = list(known)
    meant = did_you_mean(name, names)
    return UsageError(
        f"there is no such {what}", got=name, allowed=", ".join(names), next_step=meant
    )
