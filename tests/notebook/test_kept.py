"""What is kept of the same weights is read, not explained again."""

import shutil
from pathlib import Path
from typing import Any

import pytest

import grokscope as gs
from grokscope.explanation import of_run


@pytest.fixture
def mine(run: gs.Run, tmp_path: Path) -> gs.Run:
    """A copy of the run that may be changed."""
    mine = shutil.copytree(run.path, tmp_path / "mine")
    (mine / "explanation.json").unlink(missing_ok=True)
    return gs.load_run(mine)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds that are explained from now on."""
    seeds: list[int] = []
    explain = of_run.explain_network

    def counted(*args: Any, **options: Any) -> Any:
        seeds.append(options["seed"])
        return explain(*args, **options)

    monkeypatch.setattr(of_run, "explain_network", counted)
    return seeds


def test_a_run_is_explained_once(mine: gs.Run, made: list[int]) -> None:
    first = mine.explain(quiet=True)
    assert made == [0, 1]
    again = gs.explain(mine, quiet=True)
    assert made == [0, 1]
    assert [e.to_json() for e in again] == [e.to_json() for e in first]
    assert again.table.equals(first.table)
    assert [e.seed for e in gs.explain(mine, seeds=[1], quiet=True)] == [1]
    assert made == [0, 1]
    mine.explain(seeds=[1], fresh=True, quiet=True)
    assert made == [0, 1, 1]


def test_other_questions_are_answered_anew(mine: gs.Run, made: list[int]) -> None:
    mine.explain(seeds=[0], quiet=True)
    mine.explain(seeds=[0], by="x + y", quiet=True)
    mine.explain(seeds=[0], step=20, quiet=True)
    assert made == [0, 0, 0]
    mine.explain(seeds=[0], quiet=True)
    assert made == [0, 0, 0]  # the control and the other step did not take its place


def test_other_weights_are_explained_anew(mine: gs.Run, made: list[int]) -> None:
    mine.explain(seeds=[0], quiet=True)
    there = mine.path / "checkpoints" / "seed-0" / "step-0000040.safetensors"
    tensors, meta = mine.folder.load_checkpoint(0)
    there.unlink()
    axes = gs.load_run(mine.path).network(seed=1).weights
    names = {name: array.axes for name, array in axes.items()}
    doubled = {name: 2 * W for name, W in tensors.items()}
    mine.folder.save_checkpoint(0, 40, doubled, names, meta)
    mine.explain(seeds=[0], quiet=True)
    assert made == [0, 0]
