"""Every public name has an example in its docstring, and the examples run."""

import doctest
import importlib
import inspect
from typing import Any, Final

import pytest

import grokscope as gs

MODULES: Final = (
    "arrays",
    "edits",
    "exchange",
    "explain",
    "network",
    "run",
    "run_network",
    "plots",
    "verbs",
)
OUTSIDE: Final = ("Callbacks", "ClaimId", "explore", "measure", "structure")
"""Public names of other rooms."""


def found() -> dict[str, doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    homes = [importlib.import_module(f"grokscope.notebook.{name}") for name in MODULES]
    tests = [test for home in homes for test in finder.find(home)]
    for name in OUTSIDE:
        call = inspect.unwrap(getattr(gs, name))
        tests += finder.find(call, name, module=inspect.getmodule(call))
    return {test.name: test for test in tests if test.examples}


TESTS: Final = found()


@pytest.mark.parametrize("name", TESTS)
def test_example(name: str, examples: dict[str, Any], options: int) -> None:
    test = TESTS[name]
    test.globs = examples
    outcome = doctest.DocTestRunner(optionflags=options).run(test)
    assert outcome.failed == 0


def test_every_public_name_has_one() -> None:
    names = {name.rpartition(".")[2] for name in TESTS}
    public = {name for name in gs.__all__ if not inspect.ismodule(getattr(gs, name))}
    assert public - names - {"RunFolder", "basis", "spectrum"} == set()
