"""Networks that nothing trained, and runs of them on the disk."""

import functools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.explanation.build import build_clock as clock_by_formula
from tests.explanation.clock_runs import write
from tests.explanation.networks import Make, make, network_in_basis, pass_of, structure_of

from grokscope.disk.folder import RunFolder
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.tasks.structure import Structure


@pytest.fixture(scope="session")
def network() -> Make:
    """The function `make`, for tests, which cannot import this file."""
    return make


@pytest.fixture(scope="session")
def one_pass() -> Callable[..., SimpleNamespace]:
    """The function `pass_of`."""
    return pass_of


@pytest.fixture(scope="session")
def build_clock() -> Make:
    """A network built by formula: `build_clock(structure, keys, grid=32, pizza=False)`."""
    return functools.partial(clock_by_formula, make)


@pytest.fixture(scope="session")
def known_structure() -> Callable[[str, int], Structure]:
    """The function `structure_of`."""
    return structure_of


@pytest.fixture(scope="session")
def in_basis() -> Callable[..., NetworkInBasis]:
    """The function `network_in_basis`."""
    return network_in_basis


@pytest.fixture(scope="session")
def clock_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of x + y with one seed that grokked at step 200, which tests may read."""
    return write(tmp_path_factory.mktemp("inspection") / "run", "x + y", (0,), True)


@pytest.fixture
def make_clock_run(tmp_path: Path) -> Callable[..., RunFolder]:
    """Write a run: `make_clock_run(operation="x + y", seeds=(0,), grokked=True)`."""

    def make(
        operation: str = "x + y", seeds: tuple[int, ...] = (0,), grokked: bool = True, **_: Any
    ) -> RunFolder:
        return write(tmp_path / "run", operation, seeds, grokked)

    return make
