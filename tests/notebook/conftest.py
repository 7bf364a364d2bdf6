"""A small run, trained once, in a folder of its own, as a notebook would have it."""

import doctest
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

import grokscope as gs

TINY: Final[dict[str, Any]] = {
    "preset": "quick",
    "p": 23,
    "d_model": 16,
    "heads": 2,
    "d_mlp": 16,
    "steps": 40,
    "eval_every": 20,
    "spectra_every": 20,
    "checkpoint_every": 20,
}


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `runs/x-y-p23`, two seeds of x*y; others may be added."""
    folder = tmp_path_factory.mktemp("notebook")
    gs.train("x*y", out=folder / "runs" / "x-y-p23", seeds=(0, 1), quiet=True, **TINY)
    return folder


@pytest.fixture(scope="session")
def run(place: Path) -> gs.Run:
    """That run; only to be read."""
    return gs.load_run(place / "runs" / "x-y-p23")


@pytest.fixture(scope="session")
def net(run: gs.Run) -> gs.RunNetwork:
    """The network of its first seed, at its last checkpoint."""
    return run.network(seed=0)


@pytest.fixture
def examples(
    place: Path, run: gs.Run, net: gs.RunNetwork, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """What the examples of docstrings know, in the folder that they name."""
    monkeypatch.chdir(place)
    known = {"gs": gs, "np": np, "run": run, "net": net, "TINY": TINY}
    return known | {"NamedArray": gs.NamedArray}


@pytest.fixture(scope="session")
def options() -> int:
    """How examples are compared."""
    return doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
