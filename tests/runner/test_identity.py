"""Whether it is the same run has one answer, for a resumed run as for one of a sweep."""

from typing import Any

import pytest

from grokscope.config.run import RunConfig, configure
from grokscope.disk.manifest import Manifest
from grokscope.runner.identity import cell_key, first_difference, identity


def config(*expressions: str, **settings: Any) -> RunConfig:
    return configure(expressions or ("x + y",), **settings)


def manifest(stored: RunConfig) -> Manifest:
    machine = {"device": "cpu", "jaxlib": "0", "run_axis": "map", "settings": {}}
    return Manifest.new(stored.to_json(), "x + y", **machine)


SAME = [
    config("x+y"),
    config(steps=7),
    config(checkpoint_every=3),
    config(source="/run/", load=("mlp", "embedding"), freeze=("mlp", "embedding")),
]
WITH_SOURCE = config(source="/run", load=("embedding", "mlp"), freeze=("embedding", "mlp"))
STORED = [config(), config(), config(), WITH_SOURCE]
OTHER: list[tuple[RunConfig, tuple[str, Any, Any]]] = [
    (config("x*y", p=59), ("operation", "x*y", "x + y")),
    (config("x + y", "x*y"), ("operation", "x + y, x*y", "x + y")),
    (config(p=59), ("p", 59, 97)),
    (config(seeds=(0, 1)), ("seeds", "0, 1", "0")),
    (config(source="/run", load=("mlp",)), ("--from", "/run", None)),
    (config(stop=False), ("stop", False, True)),
]


@pytest.mark.parametrize(("asked", "stored"), [*zip(SAME, STORED, strict=True)])
def test_the_same(asked: RunConfig, stored: RunConfig) -> None:
    assert first_difference(asked, manifest(stored)) is None
    assert identity(asked) == identity(stored)


@pytest.mark.parametrize(("asked", "difference"), OTHER)
def test_another(asked: RunConfig, difference: tuple[str, Any, Any]) -> None:
    assert first_difference(asked, manifest(config())) == difference
    assert identity(asked) != identity(config())


def test_a_cell_is_filled_by_runs_of_any_length_and_any_place_of_the_source() -> None:
    source = ("x + y", 500, 0)
    one = config(source="/a", load=("mlp",), steps=10, seeds=(0, 1))
    other = config(source="/b", load=("mlp",), steps=20, stop=False, seeds=(1,))
    assert cell_key(one, 1, source) == cell_key(other, 1, source)
    assert cell_key(one, 1, source) != cell_key(one, 0, source)
    assert cell_key(one, 1, source) != cell_key(one, 1, ("x*y", 500, 0))
    assert cell_key(config(), 0, None) != cell_key(config(eval_every=10), 0, None)
