"""What errors say to type is spelled for whoever reads them: a command line, or Python."""

import re
from pathlib import Path
from typing import Final

import pytest

import grokscope as gs
from grokscope.errors import UsageError
from grokscope.spelling import in_python

SOURCE: Final = Path(gs.__file__).parent


@pytest.mark.parametrize(
    ("typed", "python"),
    [
        ("choose another --out", "choose another out"),
        ("add --resume, or choose another --out", "add resume=True, or choose another out"),
        ("--no-lock goes on without", "lock=False goes on without"),
        ("name it with --p P", "name it with p=P"),
        ("--p, --axis and --table choose", "p, axis and tables choose"),
        ("choose: --table 'W_U' --axis 0 (its rows)", "choose: tables='W_U', axis=0 (its rows)"),
        ("--from needs --load, the parts", "source needs load, the parts"),
        ("a smaller --learning-rate", "a smaller learning_rate"),
        ("write --out FILE.safetensors", "write out=FILE.safetensors"),
        ("say how many: --set heads=4", "say how many: settings={'heads': 4}"),
        ("export with --format torch", "export with form torch"),
        ('use --operation "x*y" --by "x + y"', 'use operation="x*y", by="x + y"'),
        (
            "go on with: grokscope train --resume --out 'my runs/a'",
            "go on with: gs.load_run('my runs/a').resume()",
        ),
        ("go on with: grokscope sweep sweeps/a", "go on with: gs.sweep('sweeps/a')"),
        ('grokscope train "x + y" makes one', 'gs.train("x + y") makes one'),
        ("`grokscope runs DIR` lists them", "`gs.runs(DIR)` lists them"),
        ("grokscope sweep SPEC.toml makes one", "gs.sweep('SPEC.toml') makes one"),
        ("grokscope sweep trains them", "gs.sweep trains them"),
        ("files go to grokscope import", "files go to gs.import_"),
        # what only a command line has
        ("see grokscope train --help", "see grokscope train --help"),
        ("grokscope reproduce --list shows all", "grokscope reproduce --list shows all"),
        ("the fraction 0.3--0.5 of x--y", "the fraction 0.3--0.5 of x--y"),
    ],
)
def test_options_and_commands(typed: str, python: str) -> None:
    assert in_python(typed) == python


def test_an_error_is_spelled_for_python_and_keeps_the_line_of_the_command_line() -> None:
    error = UsageError("this is taken", next_step="choose another --out")
    assert str(error) == "this is taken; choose another out"
    assert error.line == "this is taken; choose another --out"
    assert str(UsageError("no operation", got="x --y")) == "no operation; got 'x --y'"


def test_no_message_has_two_spellings() -> None:
    """Neither is written by hand beside the other, below the command line."""
    texts = {path: path.read_text("utf-8") for path in SOURCE.rglob("*.py")}
    both = [path.name for path, text in texts.items() if re.search(r"\(in Python ", text)]
    assert both == []
