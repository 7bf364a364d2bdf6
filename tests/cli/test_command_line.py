"""How a command line is read: order, signs, commas, negations."""

from pathlib import Path
from typing import Any

import pytest

from grokscope.cli.command_line import parse
from grokscope.cli.measure import Measure
from grokscope.cli.runs import Runs
from grokscope.cli.train import Train
from grokscope.config.run import PRESETS, TaskConfig
from grokscope.config.transfer import TransferConfig
from grokscope.errors import UsageError


def train(*words: str) -> Any:
    verb = parse(["train", *words])
    assert isinstance(verb, Train)
    return verb


def operations(*words: str) -> list[str]:
    return [text.strip() for text in train(*words).expressions]


@pytest.mark.parametrize("text", ["-x+y", "-x + y", "-3*x", "-(x*y)", "-x"])
def test_an_operation_may_begin_with_a_minus(text: str) -> None:
    assert operations(text, "--p", "11") == [text]
    assert operations("--p", "11", text) == [text]
    assert operations("x + y", text, "--quiet") == ["x + y", text]
    assert operations("--quiet", text) == [text]
    assert train(text, "--p", "11").config.task.p == 11


def test_negative_numbers_are_values() -> None:
    with pytest.raises(Exception, match="the modulus p is not usable; got -5"):
        train("x", "--p", "-5")


def test_options_in_any_order_and_spelling() -> None:
    wanted = train("x*y", "--train-fraction", "0.5", "--seeds", "3", "4", "--quiet")
    assert wanted == train("--quiet", "--train_fraction=0.5", "x*y", "--seeds=3,4")
    assert wanted.config.task == TaskConfig(("x*y",), train_fraction=0.5)
    assert wanted.config.seeds == (3, 4)


@pytest.mark.parametrize("text", ["1e4", "10000.0", "+1E+4", "10_000", " 10000 "])
def test_whole_numbers_may_be_written_as_others(text: str) -> None:
    assert train("x", "--steps", text).config.schedule.steps == 10_000
    assert train("x", "--seeds", "1e0", "2").config.seeds == (1, 2)


def test_a_star_that_became_the_names_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b", "a b", ".hidden"):
        (tmp_path / name).touch()
    for verb in ("train", "structure"):
        with pytest.raises(UsageError) as caught:
            parse([verb, "x", "a b", "b", "y", "--p", "31"])
        assert caught.value.line.endswith(f'write grokscope {verb} "x * y" --p 31')
    with pytest.raises(UsageError) as caught:
        parse(["train", "3", "a b", "b", "x", "+", "y"])
    assert caught.value.line.endswith('write grokscope train "3 * x + y"')
    assert operations("x + y", "x - y") == ["x + y", "x - y"]


def test_lists_take_commas_or_blanks() -> None:
    for words in (["--freeze", "mlp,embedding"], ["--freeze", "mlp", "embedding"]):
        assert train("x", *words).config.optimizer.freeze == ("mlp", "embedding")


def test_an_option_may_be_called_otherwise_than_its_field() -> None:
    words = ("x", "--load", "mlp,attention", "--source-step=7", "--from")
    expected = TransferConfig("runs/a b", ("mlp", "attention"), source_step=7)
    assert train(*words, "runs/a b").config.transfer == expected
    assert train("--from=-a", "--load", "mlp", "--quiet", "x").config.transfer.source == "-a"
    with pytest.raises(UsageError, match="there is no such option; got '--source'"):
        train("x", "--source", "a")


def test_switches_can_be_turned_off_and_on() -> None:
    assert train("x").config.schedule.stop
    assert not train("x", "--no-stop").config.schedule.stop
    assert train("x", "--stop").config.schedule.stop
    assert not train("x", "--no-report").report


def test_presets() -> None:
    assert train("x + y", "--preset", "quick").config == PRESETS["quick"]
    assert train("x + y").config == PRESETS["paper"]
    assert train("x", "--p", "29", "--preset=quick").config.task.p == 29


def test_names_of_files_may_begin_with_a_minus_or_hold_an_equals_sign() -> None:
    assert parse(["measure", "-t.npy"]) == Measure(Path("-t.npy"))
    assert parse(["runs", "a=b"]) == Runs(Path("a=b"))
    assert train("x", "--out", "-dir").out == Path("-dir")
    assert train("x", "--out=a=b c").out == Path("a=b c")
