"""What takes a while says so: named where it is done, shown where somebody watches."""

import contextlib
import io
import math
import sys
import time
import types

import pytest
from rich.console import Console

from grokscope.progress import SlowLines, doing, in_words, part_of, showing


def test_nobody_watches() -> None:
    doing("something")  # and nothing happens


def test_lines_of_a_pipe_say_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlowLines, "pauses", (0.0, 60.0))
    file = io.StringIO()
    with showing(console=Console(file=file, width=30)), part_of("x + y, seed 0"):
        doing("finding keys above permuted tables")
        while "\n" not in file.getvalue():
            time.sleep(0.001)
    assert file.getvalue() == "x + y, seed 0: finding keys above permuted tables … 0:00\n"


def test_a_part_of_a_part_stands_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlowLines, "pauses", (0.0, 60.0))
    file = io.StringIO()
    console = Console(file=file, width=60)
    with showing(console=console), part_of("run 2 of 18"), part_of("x + y, seed 0"):
        doing("finding keys")
        while "\n" not in file.getvalue():
            time.sleep(0.001)
    assert file.getvalue() == "run 2 of 18: x + y, seed 0: finding keys … 0:00\n"


def test_what_is_over_soon_is_not_said_in_a_pipe() -> None:
    file = io.StringIO()
    with showing(console=Console(file=file)):
        doing("something short")
    assert file.getvalue() == ""


def test_a_terminal_has_one_line_that_goes_away() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=60)
    with showing(console=console):
        doing("first")
        with showing(console=Console(file=io.StringIO())):  # the outer one shows it
            doing("second [b]")
    text = file.getvalue()
    assert "first … 0:00" in text
    assert "second [b] … 0:00" in text
    assert text.endswith("\x1b[1A\x1b[2K")  # up, and the line is erased


def test_a_notebook_has_one_line_that_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("grokscope.progress._NotebookLine.pauses", (0.0, 0.01))
    outputs: list[dict[str, str]] = []
    updates = []

    class Handle:
        def display(self, content: dict[str, str], *, raw: bool) -> None:
            assert raw
            outputs.append(content)

        def update(self, content: dict[str, str], *, raw: bool) -> None:
            assert raw
            outputs[-1] = content
            updates.append(content)

    display = types.ModuleType("IPython.display")
    monkeypatch.setattr(display, "DisplayHandle", Handle, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    with showing(console=Console(force_jupyter=True)):
        doing("compiling")
        while len(updates) < 2:
            time.sleep(0.001)
        assert outputs == [{"text/plain": "compiling … 0:00"}]
    assert outputs == [{}]
    assert capsys.readouterr() == ("", "")


def test_a_notebook_shows_nothing_of_what_is_over_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython.display", None)  # importing it would fail
    with showing(console=Console(force_jupyter=True)):
        doing("something short")


@pytest.mark.parametrize("forced", [True, False])
def test_quiet_is_quiet_also_inside(
    forced: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(SlowLines, "pauses", (0.0, 60.0))
    console = Console(stderr=True, force_terminal=forced)
    with showing(quiet=True, console=console), showing(console=console):
        doing("something")
        time.sleep(0.02)
    assert capsys.readouterr().err == ""


def test_an_error_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlowLines, "pauses", (0.0, 0.001))
    file = io.StringIO()
    with contextlib.suppress(ZeroDivisionError), showing(console=Console(file=file)):
        doing("something")
        _ = 1 / 0
    time.sleep(0.01)
    said = file.getvalue()
    time.sleep(0.02)
    assert file.getvalue() == said
    doing("nobody sees this")
    assert file.getvalue() == said


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0:00"),
        (59.4, "0:59"),
        (65, "1:05"),
        (7389, "2:03:09"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
