"""Every wrong command gives one clear line and exit code 2, and leaves nothing behind."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from tests.cli.wrong_commands import COMMANDS, OPERATIONS


def contents(folder: Path) -> dict[str, str]:
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    folders = {str(path): "" for path in folder.rglob("*") if path.is_dir()}
    return folders | {str(p): hashlib.sha256(data).hexdigest() for p, data in files.items()}


def assert_one_line(text: str) -> None:
    assert text.endswith("\n")
    assert text[:-1].isprintable()  # also: no second line
    assert "Traceback" not in text
    assert len(text) < 400
    assert re.search(r"(; |: )", text), "says what, and what to do"


def refuse(cli: Any, folder: Path, words: tuple[str, ...], snapshot: Any) -> None:
    before = contents(folder)
    outcome = cli(*words)
    assert outcome.err == snapshot
    assert (outcome.code, outcome.out) == (2, "")
    assert_one_line(outcome.err)
    assert contents(folder) == before


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation(name: str, cli: Any, tmp_path: Path, snapshot: Any) -> None:
    refuse(cli, tmp_path, ("train", OPERATIONS[name], "--p", "7"), snapshot)


@pytest.mark.parametrize("name", COMMANDS)
def test_command(
    name: str, cli: Any, museum: Path, monkeypatch: pytest.MonkeyPatch, snapshot: Any
) -> None:
    monkeypatch.chdir(museum)  # itself, not a copy: a command that changes it fails
    refuse(cli, museum, COMMANDS[name], snapshot)
