"""Every verb and option explains itself, and every example in the help is a command."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from grokscope.cli.command_line import VERBS, help_text, parse, verb_class
from grokscope.cli.options import Takes
from grokscope.config.run import PRESETS


def test_help(cli: Any, snapshot: Any) -> None:
    for words in ([], ["-h"], ["--help"]):
        outcome = cli(*words)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out == help_text() + "\n"
    assert help_text() == snapshot


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb(verb: str, cli: Any, snapshot: Any) -> None:
    outcome = cli(verb, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == snapshot
    assert cli(verb, "-h") == outcome
    lines = outcome.out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("Example: ")) <= 100


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_documented(verb: str, cli: Any) -> None:
    text, takes = cli(verb, "--help").out, Takes.of(verb, verb_class(verb))
    words = " ".join(text.split())
    for option in (takes.plain, *takes.options.values()):
        assert re.match(r"\S+ \S.*\.( \(default: .*\))?$", option.about), option.name
        assert f" {option.shown} {option.about} " in f"{words} ", option.name
    for name in takes.options:
        assert re.search(rf" {name}[, \n]", text) or verb == "train", name


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_examples_can_be_parsed(verb: str, cli: Any) -> None:
    text = cli(*filter(None, [verb]), "--help").out
    examples = re.findall(r"^Example: grokscope (.*)$", text, re.MULTILINE)
    assert examples
    for example in examples:
        words = shlex.split(example)
        assert type(parse(words)) is verb_class(words[0])
        assert verb in ("", words[0])


def test_help_of_a_preset_shows_its_values(cli: Any) -> None:
    text = cli("train", "--preset", "quick", "--help").out
    assert f"(default: {PRESETS['quick'].task.p})" in text


def test_narrow_terminals(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = cli("train", "--help").out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("Example: ")) <= 60


def test_version(cli: Any) -> None:
    assert re.fullmatch(r"grokscope \d+\.\d+\.\d+\n", cli("--version").out)


def test_help_leaves_nothing(cli: Any, tmp_path: Path) -> None:
    for verb in VERBS:
        cli(verb, "--help")
    assert not list(tmp_path.iterdir())
