"""A misspelt argument of a verb or a method is named, with the one that was meant."""

import inspect
from collections.abc import Iterator
from typing import Any, Final

import pytest

import grokscope as gs
from grokscope.errors import ArgumentsError, UsageError

GS: Final[Any] = gs
"""Without its types, which would refuse the same calls earlier."""


@pytest.mark.parametrize(
    ("verb", "given", "line"),
    [
        ("train", {"pp": 7}, r"unknown setting; got 'pp'"),
        ("explain", {"runs": "a", "sedes": [0]}, "has no such argument; got 'sedes'.*mean seeds"),
        ("load_run", {"pth": "a"}, "load_run has no such argument; got 'pth'.*mean path"),
        ("runs", {"foldr": "a"}, "runs has no such argument.*mean folder"),
        ("spectrum", {"table": [[1.0]], "bass": 1}, "spectrum has no such argument.*mean basis"),
        ("basis", {"operation": "x*y", "modulus": 7}, "basis has no such argument.*mean p"),
        ("report", {}, "report: missing a required argument: 'runs'; allowed: runs, out, figures"),
        ("measure", {"path": "a", "tabels": "b"}, "measure has no such argument.*mean tables"),
        ("export", {"run": "a", "out": "b", "format": "torch"}, "export has no such argument"),
        ("Network", {"logits": None, "W_e": None}, "has no such argument; got 'W_e'.*mean W_E"),
    ],
)
def test_verbs(verb: str, given: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError, match=line) as caught:
        getattr(GS, verb)(**given) if verb != "train" else GS.train("x + y", **given)
    assert str(caught.value).isprintable()


def test_it_is_a_type_error_as_from_any_function(run: Any, net: Any) -> None:
    for call, meant in (
        (lambda: run.curve("ffs", matrx="W_E"), "matrix"),
        (lambda: run.resume(step=10), "steps"),
        (lambda: run.explain(efort=None), "effort"),
        (lambda: net.logits([3, 4], edit={}), "edits"),
        (lambda: net.accuracy(opertion=0), "operation"),
        (lambda: GS.edits.zero(units=3, axes="x"), "axis"),
    ):
        with pytest.raises(TypeError, match=f"did you mean {meant}"):
            call()
    with pytest.raises(ArgumentsError, match="too many positional arguments"):
        GS.structure("x", 7, 8)


def with_arguments() -> Iterator[tuple[str, Any]]:
    """Yield every public function and method that takes arguments."""
    for name in gs.__all__:
        found = getattr(gs, name)
        if inspect.isfunction(found):
            yield name, found
        if inspect.isclass(found) and found.__module__.startswith("grokscope.notebook"):
            for method, function in inspect.getmembers(found, inspect.isfunction):
                if not method.startswith("_") and len(inspect.signature(function).parameters) > 1:
                    yield f"{name}.{method}", function


def test_every_public_function_names_what_was_meant() -> None:
    forwards = {"Run.explain", "Run.over_time"}  # to those of `gs`
    arrays = {name for name, _ in with_arguments() if name.startswith("NamedArray.")}
    without = {name for name, function in with_arguments() if not hasattr(function, "__wrapped__")}
    assert without - arrays == forwards
