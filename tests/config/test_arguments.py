"""Arguments of the public functions: what fits their types is taken, the rest is one line."""

import inspect
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import pytest

import grokscope as gs
from grokscope.config.arguments import plain_arguments
from grokscope.errors import UsageError
from grokscope.runner.progress import Callbacks

CALLBACKS = Callbacks()


@plain_arguments
def example(
    *texts: str,
    path: str | Path | None = None,
    whole: int | None = None,
    number: float = 0.5,
    switch: bool = True,
    seeds: Sequence[int] | None = None,
    units: int | Sequence[int] | None = None,
    step: int | Literal["last"] = "last",
    place: Literal["embedding", "readout"] = "embedding",
    tables: Sequence[str] = (),
    callbacks: Callbacks | None = None,
    other: Any = None,
    **rest: Any,
) -> dict[str, Any]:
    """Return the arguments."""
    return locals()


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("path", "a/b", Path("a/b")),
        ("path", SimpleNamespace(path=Path("a/b")), Path("a/b")),
        ("path", None, None),
        ("whole", np.int64(3), 3),
        ("whole", 3e0, 3),
        ("whole", None, None),
        ("number", np.float32(0.25), 0.25),
        ("number", 1, 1.0),
        ("switch", np.bool_(False), False),
        ("seeds", np.arange(2), (0, 1)),
        ("seeds", (i for i in range(2)), (0, 1)),
        ("seeds", range(2), (0, 1)),
        ("units", 7, 7),
        ("units", np.int64(7), 7),
        ("units", range(2), (0, 1)),
        ("units", np.arange(2), (0, 1)),
        ("units", None, None),
        ("step", "last", "last"),
        ("step", 50.0, 50),
        ("place", "readout", "readout"),
        ("tables", "W_E", ("W_E",)),
        ("tables", ["W_E", np.str_("W_L")], ("W_E", "W_L")),
        ("callbacks", None, None),
        ("callbacks", CALLBACKS, CALLBACKS),
        ("other", np.int64, np.int64),
        ("more", b"left", b"left"),
    ],
)
def test_what_is_taken(name: str, value: Any, found: Any) -> None:
    given = example("x", **{name: value})
    taken = given["rest"][name] if name == "more" else given[name]
    assert taken == found
    assert type(taken) is type(found)


@pytest.mark.parametrize(
    ("name", "wrong", "allowed"),
    [
        *(("path", wrong, "a path") for wrong in (3, b"a", np.eye(2), True)),
        *(("whole", wrong, "a whole number") for wrong in ("3", 1.5, True, np.nan, [1], 1j)),
        *(("number", wrong, "a number") for wrong in ("0.5", False, [0.5], None)),
        *(("switch", wrong, "true or false") for wrong in ("false", 0, None)),
        *(("seeds", wrong, "a whole number") for wrong in (0, "01", [0.5], {0})),
        *(("units", wrong, "a whole number") for wrong in ("7", 1.5, [0.5], {0}, True)),
        *(("step", wrong, "a whole number or last") for wrong in ("first", 0.5, None, [50])),
        *(("place", wrong, "embedding or readout") for wrong in ("W_E", 3, None)),
        *(("callbacks", wrong, "progress.Callbacks") for wrong in (3, print, Callbacks)),
        *(("tables", wrong, "a text") for wrong in (3, [3], b"W_E")),
    ],
)
def test_what_is_refused(name: str, wrong: Any, allowed: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is not usable; .*{allowed}") as caught:
        example(**{name: wrong})
    assert str(caught.value).isprintable()


def test_names_and_signature_stay() -> None:
    assert example.__name__ == "example"
    assert list(inspect.signature(example).parameters)[:2] == ["texts", "path"]


@pytest.mark.parametrize(
    "call",
    [gs.train, gs.sweep, gs.explain, gs.measure, gs.structure, gs.report, gs.reproduce],
    ids=lambda call: call.__name__,
)
def test_every_public_function_is_covered(call: Callable[..., Any]) -> None:
    first = next(iter(inspect.signature(call).parameters))
    for name, hint in typing.get_type_hints(call).items():
        if hint in (bool, int) or int in typing.get_args(hint):
            given = {} if call is gs.train else {first: "x + y"}
            with pytest.raises(UsageError, match=f"{name} is not usable"):
                call(**given, **{name: "3"})
