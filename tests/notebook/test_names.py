"""Verbs of the command line have the same names in Python; the notebook of examples runs."""

import ast
import dataclasses
import inspect
import keyword
from pathlib import Path
from typing import Any, Final

import pytest

import grokscope as gs
from grokscope.cli import report, reproduce
from grokscope.cli.command_line import VERBS

NOTEBOOK: Final = Path(__file__).parents[2] / "examples" / "notebook.py"
LONGEST: Final = 30


def test_verbs_and_functions_have_the_same_names() -> None:
    modules, others = {"errors", "edits", "measures"}, {"load_run", "explain_table", "over_time"}
    functions = {name for name in gs.__all__ if name.islower()} - modules - others
    twins = {f"{verb}_" if keyword.iskeyword(verb) else verb for verb in VERBS}
    assert twins <= functions
    assert all(callable(getattr(gs, name)) for name in twins)
    assert sorted(gs.__all__) == list(gs.__all__)


@pytest.mark.parametrize(
    ("verb", "kind", "only_there"),
    [
        ("report", report.Report, set()),
        (
            "reproduce",
            reproduce.Reproduce,
            {"list", "where", "dry_run", "quiet", "lock", "nice"},
        ),
    ],
)
def test_options_have_the_same_names(verb: str, kind: Any, only_there: set[str]) -> None:
    options = {field.name for field in dataclasses.fields(kind)} - only_there
    assert options == set(inspect.signature(getattr(gs, verb)).parameters) - {"engine", "workers"}


def test_the_notebook_of_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs, with less training, and what it ends with shows itself."""
    text = NOTEBOOK.read_text()
    assert len(text.splitlines()) <= LONGEST
    settings = 'preset="quick", steps=1500'
    assert settings in text
    small = 'preset="quick", quiet=True, steps=100, p=23, d_model=16, heads=2, d_mlp=16'
    monkeypatch.chdir(tmp_path)
    shown, known = [], {}
    for cell in text.replace(settings, small).split("# %%"):
        parts = ast.parse(cell).body
        last = parts[-1]
        assert isinstance(last, ast.Expr)
        exec(compile(ast.Module(parts[:-1], []), str(NOTEBOOK), "exec"), known)
        shown.append(eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), known))
    kinds = [type(value).__name__ for value in shown]
    figures = ["NoneType", "Figure", "NamedArray", "Figure"]
    assert kinds == ["str", *figures, "NamedArray", "dict", "Explanation"]
