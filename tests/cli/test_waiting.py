"""Every verb that may take a while says with a clock what it does; see `grokscope.progress`."""

import shlex
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from grokscope.cli.command_line import VERBS

TINY: Final = """--p 7 --architecture mlp --d-model 8 --d-embedding 4 --train-fraction 0.8
--steps 20 --eval-every 10"""
COMMANDS: Final = {
    "measure": "measure table.npy --p 7",
    "structure": 'structure "x*y" --p 7',
    "explain": "explain table.npy --operation x+y --p 7",
    "report": "report run",
    "runs": "runs runs",
    "export": "export run --format safetensors --out plain.safetensors",
    "import": "import plain.safetensors --operation x+y --p 7",
    "validate": "validate .",
    "reproduce": 'reproduce figure-a23 --only "x + y" --fractions 0.5 --seeds 0 --p 7',
}
"""One of each; train, sweep and explore show more than a line, and have tests of their own."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Shows nothing, and keeps what would be shown with a clock."""
    found: list[str] = []
    monkeypatch.setattr("grokscope.progress.SlowLines.show", lambda _, what: found.append(what))
    return found


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_clock_stands_beside_what_is_done(
    verb: str, cli: Any, told: list[str], tmp_path: Path
) -> None:
    np.save(tmp_path / "table.npy", np.random.default_rng(0).normal(size=(7, 3)))
    assert cli("train", "x + y", *shlex.split(TINY), "--out", "run", "--quiet").code == 0
    (tmp_path / "runs").mkdir()
    (tmp_path / "run" / "known.json").write_text('{"verdicts": ["not explained"]}')
    if verb == "import":
        cli(*shlex.split(COMMANDS["export"]))
    told.clear()
    cli(*shlex.split(COMMANDS[verb]))
    assert told
    assert all(what and what == what.strip() for what in told)


def test_no_verb_is_forgotten() -> None:
    assert {*COMMANDS, "train", "sweep", "explore"} == set(VERBS)
