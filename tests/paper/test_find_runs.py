"""Cells find their runs, whatever the folders are called."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.paper.plan import Cell, SourceRun, find_runs

MakeRun = Callable[..., RunFolder]
MakeWanted = Callable[..., Cell]


@pytest.fixture
def wanted(config_of: Callable[..., RunConfig]) -> MakeWanted:
    """A cell: `wanted("x + y", train_fraction=0.5)`."""

    def make(*operations: str, **settings: Any) -> Cell:
        return Cell(config_of(*operations, **settings), {"operation": ", ".join(operations)})

    return make


def test_length_of_training_and_spelling_do_not_matter(
    make_run: MakeRun, wanted: MakeWanted, tmp_path: Path
) -> None:
    run = make_run("x+y", name="odd name", steps=700, stop_margin=3)
    (found,) = find_runs([wanted("x + y", steps=90_000)], [tmp_path])
    assert found is not None
    assert found.folder.path == run.path


def test_the_order_of_parts_does_not_matter(
    make_run: MakeRun, wanted: MakeWanted, tmp_path: Path
) -> None:
    make_run("x + y", freeze=("mlp", "embedding"))
    assert find_runs([wanted("x + y", freeze=("embedding", "mlp"))], [tmp_path]) != [None]


def test_other_settings_make_another_cell(
    make_run: MakeRun, wanted: MakeWanted, tmp_path: Path
) -> None:
    make_run("x + y")
    others: list[dict[str, Any]] = [
        {"p": 13},
        {"train_fraction": 0.5},
        {"seeds": (1,)},
        {"weight_decay": 0.5},
        {"freeze": ("embedding",)},
        {"eta": 0.9},
        {"eval_every": 7},
    ]
    cells = [wanted("x - y"), wanted("x + y", "x*y"), *(wanted("x + y", **o) for o in others)]
    assert find_runs(cells, [tmp_path]) == [None] * len(cells)
    transferred = dataclasses.replace(wanted("x + y"), source=SourceRun("x*y", 10, 0))
    assert find_runs([transferred], [tmp_path]) != [None]  # nothing is loaded from that source


def test_what_was_taken_over_and_from_which_operation_matters_not_its_path(
    make_run: MakeRun, config_of: Callable[..., RunConfig], tmp_path: Path
) -> None:
    parts: dict[str, Any] = {"load": ("embedding",), "freeze": ("embedding",)}
    run = make_run("x - y", source="/elsewhere", source_step=10, **parts)
    taken = {"seed": 0, "source_seed": 0, "step": 10, "sha256": ""}
    record = {"operation": "x+y", "checkpoints": [taken]}
    run.write_manifest(dataclasses.replace(run.manifest, transfer=record))

    def cell(source: str, *operations: str, step: int = 10, **settings: Any) -> Cell:
        config = config_of(*operations, source="here", **settings)
        return Cell(config, {"operation": "x - y"}, SourceRun(source, step, 0))

    cells = [
        cell("x + y", "x - y", **parts),
        cell("x*y", "x - y", **parts),
        cell("x + y", "x - y", step=0, **parts),
        cell("x + y", "x - y", load=("embedding",)),
        Cell(config_of("x - y", freeze=("embedding",)), {"operation": "x - y"}),
    ]
    found = find_runs(cells, [tmp_path])
    assert [f is not None for f in found] == [True, False, False, False, False]


def test_each_seed_of_a_run_is_a_cell(
    make_run: MakeRun, wanted: MakeWanted, tmp_path: Path
) -> None:
    make_run("x*y", seeds=(0, 2))
    cells = [wanted("x*y", seeds=(seed,)) for seed in (0, 1, 2)]
    found = find_runs(cells, [tmp_path])
    assert [f and f.seed for f in found] == [0, None, 2]


def test_the_run_that_is_farthest_is_taken(
    make_run: MakeRun, wanted: MakeWanted, tmp_path: Path
) -> None:
    make_run("x + y", name="b", grokked_at=None)
    make_run("x + y", name="c", grokked_at=300)
    make_run("x + y", name="d", grokked_at=None)
    (found,) = find_runs([wanted("x + y")], [tmp_path])
    assert found is not None
    assert found.folder.path.name == "c"


def test_damaged_and_missing_folders_are_passed_over(
    make_run: MakeRun, wanted: MakeWanted, tmp_path: Path
) -> None:
    (make_run("x + y").path / "manifest.json").write_text("{")
    assert find_runs([wanted("x + y")], [tmp_path, tmp_path / "nothing"]) == [None]
