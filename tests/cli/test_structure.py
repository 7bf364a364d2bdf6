"""grokscope structure: the page, the document, and the same from Python."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import grokscope as gs
from grokscope.errors import UsageError


@pytest.mark.parametrize(
    "words",
    [
        ("x*y + x + y",),
        ("-x^2 - y", "--p", "59"),
        ("x/y", "--p", "13"),
        ("(2*x + 3*y)^2", "--p", "12"),
        ("x^2 + x*y + y^2",),
        ("x^3 + x*y^2 + y", "--p", "6"),
        ("random",),
        ("x*y", "--p", "2"),
        ("x^2",),
        ("7",),
    ],
)
def test_page(words: tuple[str, ...], cli: Any, snapshot: Any) -> None:
    outcome = cli("structure", *words)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == snapshot
    assert max(map(len, outcome.out.splitlines())) <= 100


@pytest.mark.parametrize("operation", ["x*y + y", "x^2 + x*y + y^2", "random", "x", "-y - x"])
def test_document(operation: str, cli: Any) -> None:
    outcome = cli("structure", operation, "--p", "23", "--json")
    document = json.loads(outcome.out)
    search = gs.structure(operation, p=23)
    assert outcome.out.count("\n") == 1
    assert document == {"operation": search.operation, "p": 23, **search.to_json()}


def test_from_python() -> None:
    search = gs.structure("x*y + y")
    assert search.best is not None
    assert (search.best.group, search.best.characters) == ("Z_96", 2)
    assert search.sentence == "x*y + y is multiplication of x + 1 and y mod 97"
    with pytest.raises(UsageError, match="the modulus p is not usable"):
        gs.structure("x + y", p=1)


def test_nothing_heavy_is_loaded(tmp_path: Path) -> None:
    code = """
import sys
from grokscope.cli import main
code = main(sys.argv[1:])
print(code, [name for name in ("jax", "equinox", "flint") if name in sys.modules])
"""
    for words, end in (
        (["structure", "x^^2"], "2 []"),
        (["structure", "x + y", "--p", "1"], "2 []"),
        (["structure", "x/y"], "0 []"),
        (["structure", "x + y"], "0 ['flint']"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.stdout.splitlines()[-1] == end
    assert not list(tmp_path.iterdir())
