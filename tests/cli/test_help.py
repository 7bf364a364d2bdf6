"""Every verb and option explains itself, and every example in the help is a command."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from grokscope.cli.arguments import VERBS, help_text, parse
from grokscope.cli.words import known_to
from grokscope.config.run import PRESETS


def kind_of(verb: str) -> Any:
    return getattr(__import__(f"grokscope.cli.{verb}", fromlist=[verb]), verb.capitalize())


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
    assert max(map(len, re.findall(r"^[ │╭].*", outcome.out, re.MULTILINE))) <= 100


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_documented(verb: str, cli: Any) -> None:
    text = re.sub(r"[│\s]+", " ", cli(verb, "--help").out)
    assert VERBS[verb]
    for name in known_to(kind_of(verb), verb).options:
        # the name, what it takes in capitals or braces, and then a sentence
        described = rf"{name}(, --no-\S+)? (\[?\{{.*?\}}[^A-Z`]*|[^a-z`]*)[A-Z`]\S* [a-zη`]"
        assert re.search(described, text) or f", {name} " in text, name


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_examples_can_be_parsed(verb: str, cli: Any) -> None:
    text = cli(*filter(None, [verb]), "--help").out
    examples = re.findall(r"^Example: grokscope (.*)$", text, re.MULTILINE)
    assert examples
    for example in examples:
        words = shlex.split(example)
        assert type(parse(words)) is kind_of(words[0])
        assert verb in ("", words[0])


def test_help_of_a_preset_shows_its_values(cli: Any) -> None:
    text = cli("train", "--preset", "quick", "--help").out
    assert f"(default: {PRESETS['quick'].task.p})" in text


def test_narrow_terminals(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    boxes = re.findall(r"^[ │╭].*", cli("train", "--help").out, re.MULTILINE)
    assert max(map(len, boxes)) <= 60


def test_version(cli: Any) -> None:
    assert re.fullmatch(r"grokscope \d+\.\d+\.\d+\n", cli("--version").out)


def test_help_leaves_nothing(cli: Any, tmp_path: Path) -> None:
    for verb in VERBS:
        cli(verb, "--help")
    assert not list(tmp_path.iterdir())
