"""The commands that messages name can be typed as they stand."""

import sys
from pathlib import Path

import pytest

from grokscope.cli import main
from grokscope.cli.command_line import as_called, program


def called(path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, on_path: bool) -> str:
    """Return `program()` where this process was called as `path`, a file under `tmp_path`."""
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [path, "train"])
    monkeypatch.setenv("PATH", str(file.parent) if on_path else "/nowhere")
    return program()


def test_a_program_that_is_not_found_by_name_is_named_by_its_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = ".venv/bin/grokscope"
    assert called(path, monkeypatch, tmp_path, on_path=False) == path
    line = "no operation; go on with: grokscope train --resume --out DIR, see grokscope --help"
    assert as_called(line) == (
        f"no operation; go on with: {path} train --resume --out DIR, see {path} --help"
    )
    # what merely holds the name stays
    assert as_called("grokscope: runs/grokscope trains") == "grokscope: runs/grokscope trains"


def test_a_program_that_is_found_by_name_is_named_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert called("bin/grokscope", monkeypatch, tmp_path, on_path=True) == "grokscope"


def test_a_path_with_a_space_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert called("my tools/grokscope", monkeypatch, tmp_path, on_path=False) == (
        "'my tools/grokscope'"
    )


def test_a_module_is_named_as_it_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/grokscope/__main__.py", "runs"])
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert as_called("see grokscope runs --help") == "see python3 -m grokscope runs --help"


def test_errors_and_help_name_the_program_as_it_was_called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    called(".venv/bin/grokscope", monkeypatch, tmp_path, on_path=False)
    assert main(["runs", "no-such-folder"]) == 2
    assert main(["train"]) == 2
    assert "for example .venv/bin/grokscope train" in capsys.readouterr().err
    assert main([]) == 0
    assert "Every verb explains itself: .venv/bin/grokscope train --help" in capsys.readouterr().out
