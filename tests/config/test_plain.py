"""Every setting of every section takes what is exactly a value of its type, however it came."""

import dataclasses
import itertools
import json
import types
import typing
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import jax.numpy as jnp
import numpy as np
import pytest

from grokscope.config.run import RunConfig, configure
from grokscope.config.validate import plain_value
from grokscope.errors import UsageError

TRANSFER: Final = {"source": "runs/a", "load": ("mlp",)}
VALUES: Final[dict[str, dict[str, Any]]] = {
    "heads": {"value": 2},
    "decay_steps": {"value": 7, "decay": "cosine"},
    "source_seed": {"value": 3, **TRANSFER},
    "source_step": {"value": 3, **TRANSFER},
    "load": TRANSFER,
    "source": TRANSFER,
    "freeze": {"value": ("mlp",)},
    "task_weights": {"value": (0.5, 1.0)},
    "batch_size": {"value": 8},
    "train_fraction": {"value": 0.5},
}
"""Where the default is no example, a value that can be used, and what it needs beside it."""


class Index:
    """A whole number of somebody else's, known by `__index__` alone, as those of SymPy or Sage."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


def kinds(kind: Any) -> Iterator[tuple[str, Any]]:
    for name, hint in typing.get_type_hints(kind).items():
        if dataclasses.is_dataclass(hint):
            yield from kinds(hint)
        elif typing.get_origin(hint) is types.UnionType:
            yield name, typing.get_args(hint)[0]
        else:
            yield name, hint


KINDS: Final = {name: kind for name, kind in kinds(RunConfig) if name != "expressions"}


def of(wanted: Any) -> list[str]:
    """Return the settings of a type; many values count as their type."""
    return [name for name, kind in KINDS.items() if wanted in (kind, *typing.get_args(kind))]


def value_of(name: str) -> Any:
    case = VALUES.get(name, {})
    return case.get("value", case.get(name, RunConfig().settings()[name]))


def configured(name: str, value: Any) -> Any:
    rest = {k: v for k, v in VALUES.get(name, {}).items() if k != "value"}
    config = configure(("x + y",), **{**rest, name: value})
    json.dumps(config.to_json(), allow_nan=False)
    return config.settings()[name]


def each(name: str, change: Any) -> Any:
    """Return the example of a setting, changed; of many values each of them."""
    value = value_of(name)
    return [change(one) for one in value] if isinstance(value, tuple) else change(value)


def test_all_types_of_settings_are_covered() -> None:
    covered = {*of(int), *of(float), *of(bool), *of(str)}
    choices = {
        name
        for name, kind in KINDS.items()
        if any(typing.get_origin(part) is typing.Literal for part in (kind, *typing.get_args(kind)))
    }
    assert covered | choices == KINDS.keys()
    assert min(map(len, (of(int), of(float), of(bool), choices))) > 2


@pytest.mark.parametrize("name", of(int))
@pytest.mark.parametrize(
    "change",
    [np.int64, np.uint32, float, np.float32, np.array, jnp.asarray, Decimal, Fraction, Index],
    ids=lambda change: change.__name__,
)
def test_whole_numbers(name: str, change: Any) -> None:
    value = value_of(name)
    found = configured(name, each(name, change))
    assert found == value
    assert all(type(one) is int for one in (found if isinstance(found, tuple) else [found]))


@pytest.mark.parametrize("name", of(int))
@pytest.mark.parametrize(
    "wrong",
    [
        1.5,
        True,
        np.bool_(True),
        "23",
        np.str_("23"),
        b"23",
        float("nan"),
        float("inf"),
        np.float32("inf"),
        3 + 0j,
        np.ones((1, 1)),
        {},
        len,
        int,
        Decimal("1.5"),
        Decimal("nan"),
    ],
    ids=repr,
)
def test_what_is_no_whole_number(name: str, wrong: Any) -> None:
    with pytest.raises(UsageError, match="a whole number") as caught:
        configured(name, each(name, lambda _: wrong))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", of(float))
@pytest.mark.parametrize(
    "change",
    [np.float64, np.float32, np.longdouble, np.array, Decimal, Fraction],
    ids=lambda change: change.__name__,
)
def test_numbers(name: str, change: Any) -> None:
    found = configured(name, each(name, change))
    assert found == pytest.approx(value_of(name), rel=1e-6)
    assert all(type(one) is float for one in (found if isinstance(found, tuple) else [found]))


@pytest.mark.parametrize("name", of(float))
@pytest.mark.parametrize(
    "wrong",
    [
        *("0.5", True, np.bool_(False), None, np.nan, np.inf, np.float32("nan"), 10**400, 1j),
        *(Decimal("inf"), Decimal("snan"), Decimal("1e400"), float),
    ],
    ids=lambda wrong: repr(wrong)[:20],
)
def test_what_is_no_number(name: str, wrong: Any) -> None:
    with pytest.raises(UsageError, match="not usable"):
        configured(name, each(name, lambda _: wrong))


@pytest.mark.parametrize("name", of(bool))
def test_booleans(name: str) -> None:
    for value in (True, False):
        for change in (bool, np.bool_, np.array, jnp.asarray):
            assert configured(name, change(value)) is value
    for wrong in ("false", "true", "", 0, 1, 1.0, None, np.int64(0), np.str_("no"), []):
        line = f"{name} is not usable; got .*; allowed: true or false"
        with pytest.raises(UsageError, match=line):
            configured(name, wrong)


@pytest.mark.parametrize("name", ["seeds", "task_weights", "load", "freeze"])
def test_many_values(name: str) -> None:
    value = value_of(name)
    array = np.array(value)
    for series in (list(value), iter(value), (one for one in value), array, list(array)):
        assert configured(name, series) == value
    for wrong in (value[0], {"a": 1}, None, set(value), itertools.repeat(value[0])):
        with pytest.raises(UsageError):
            configured(name, wrong)


def test_seeds_from_ranges() -> None:
    for seeds in (range(3), np.arange(3), jnp.arange(3), np.arange(3, dtype=np.uint8)):
        assert configured("seeds", seeds) == (0, 1, 2)
    with pytest.raises(UsageError, match="too many values"):
        configured("seeds", range(10**12))


@pytest.mark.parametrize("name", of(str))
def test_texts(name: str) -> None:
    assert configured(name, np.str_("runs/a")) == "runs/a"
    assert configured(name, Path("runs/a")) == "runs/a"
    for wrong in (b"runs/a", 3, ["runs/a"]):
        with pytest.raises(UsageError):
            configured(name, wrong)


@pytest.mark.parametrize(
    "name", [k for k, kind in KINDS.items() if typing.get_origin(kind) is typing.Literal]
)
def test_choices(name: str) -> None:
    value = value_of(name)
    assert type(configured(name, np.str_(value))) is str
    for wrong in (np.array([value, value]), None, 1, b"adamw", f"{value}x"):
        with pytest.raises(UsageError, match="is unknown"):
            configured(name, wrong)


def test_what_is_plain_already_stays() -> None:
    for value in (None, True, 3, 0.5, "a", range(3), b"a", len, int):
        assert plain_value(value) is value
    nested = {"a": [np.int64(1), {"b": Path("c")}], "d": np.eye(1)}
    assert plain_value(nested) == {"a": [1, {"b": "c"}], "d": [[1.0]]}
