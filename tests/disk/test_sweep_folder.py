"""The folder of a sweep, and the index that is made from its runs."""

import dataclasses
import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grokscope.config.run import configure
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.disk.sweep_folder import (
    SweepFolder,
    build_index,
    forget_failure,
    record_failure,
    to_parquet,
)
from grokscope.errors import RunFolderError, UsageError

FIXED = ["name", "operation", "p", "train_fraction", "seed"]
LAST = [
    "status",
    "memorised_at",
    "grokked_at",
    "diverged_at",
    "steps",
    "train_accuracy",
    "test_accuracy",
    "unleaked_accuracy",
    "training_seconds",
    "error",
]


def run(
    path: Path, *, ended: bool = True, rows: Any = ((0, 50, 0.25), (0, 100, 0.5)), **settings: Any
) -> RunFolder:
    """A run whose metrics have one part per step."""
    config = configure(("x",), **settings).to_json()
    folder = RunFolder.create(
        path, Manifest.new(config, "x", device="cpu", jaxlib="1", run_axis="map")
    )
    for seed, step, value in rows:
        row = [{"seed": seed, "step": step, "measure": "test_accuracy", "value": value}]
        table = pa.Table.from_pylist(row, schema=METRIC_SCHEMA)
        folder.append(table, SPECTRA_SCHEMA.empty_table(), step)
    if ended:
        results = [
            {
                "seed": seed,
                "status": "grokked",
                "memorised_at": 10,
                "grokked_at": 50,
                "diverged_at": None,
                "steps": 100,
            }
            for seed in config["seeds"]
        ]
        manifest = dataclasses.replace(folder.manifest, status="grokked", results=results)
        folder.write_manifest(manifest)
    return folder


def rows_of(path: Path) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in build_index(path).to_pylist()}


def test_settings_that_differ_have_a_column(tmp_path: Path) -> None:
    run(tmp_path / "a", weight_decay=1.0, freeze=("mlp",), steps=100)
    run(tmp_path / "b", weight_decay=0.5, batch_size=5, steps=200, p=59, seeds=(3,))
    table = build_index(tmp_path)
    differing = ["batch_size", "freeze", "max_steps", "weight_decay"]
    assert table.schema.names == [*FIXED, *differing, *LAST]
    a, b = table.to_pylist()
    assert (a["batch_size"], b["batch_size"]) == (None, 5)
    assert (a["freeze"], b["freeze"]) == ("mlp", "")
    assert (a["max_steps"], b["max_steps"], b["p"], b["seed"]) == (100, 200, 59, 3)
    assert (a["status"], a["memorised_at"], a["grokked_at"], a["steps"]) == ("grokked", 10, 50, 100)
    assert (a["test_accuracy"], a["train_accuracy"]) == (0.5, None)


def test_plain_folders_with_several_seeds_have_a_row_each(tmp_path: Path) -> None:
    run(tmp_path / "a", seeds=(0, 7), rows=((0, 50, 0.1), (7, 50, 0.2), (7, 100, 0.3)))
    found = [(row["seed"], row["test_accuracy"]) for row in build_index(tmp_path).to_pylist()]
    assert found == [(0, 0.1), (7, 0.3)]


def test_open_failed_and_damaged_runs(tmp_path: Path) -> None:
    folder = SweepFolder.create(tmp_path)
    folder.write_spec("")
    run(folder.runs / "open", ended=False)
    busy = run(folder.runs / "busy", ended=False)
    run(folder.runs / "broke", ended=False)
    damaged = run(folder.runs / "damaged").path / "manifest.json"
    damaged.write_text(damaged.read_text()[:-9])
    (part, *_) = (run(folder.runs / "cut", rows=((0, 50, 0.1),)).path / "metrics").iterdir()
    part.write_bytes(part.read_bytes()[:-1])
    run(folder.runs / ".adopting-x")
    (folder.runs / "notes").mkdir()
    record_failure(tmp_path, "broke", "out of memory")
    record_failure(tmp_path, "never", "no such thing")
    with busy.lock():
        found = rows_of(tmp_path)
    assert {name: row["status"] for name, row in found.items()} == {
        "open": "interrupted",
        "busy": "running",
        "broke": "failed",
        "damaged": "failed",
        "cut": "failed",
        "never": "failed",
    }
    assert found["broke"]["error"] == "out of memory"
    assert found["broke"]["test_accuracy"] == 0.5
    assert found["never"]["error"] == "no such thing"
    assert "is damaged" in found["damaged"]["error"]
    assert "is damaged" in found["cut"]["error"]


def test_an_empty_sweep_has_all_columns(tmp_path: Path) -> None:
    folder = SweepFolder.create(tmp_path / "new")
    folder.write_spec("x")
    assert folder.index().schema.names == [*FIXED, *LAST]
    assert pq.read_table(folder.write_index()).num_rows == 0
    assert SweepFolder.open(folder.path).spec_text == "x"


def test_equal_indexes_have_equal_bytes(tmp_path: Path) -> None:
    run(tmp_path / "a")
    first, second = (to_parquet(build_index(tmp_path)) for _ in range(2))
    assert first == second
    assert pq.read_table(io.BytesIO(first)).equals(build_index(tmp_path))


def test_failures(tmp_path: Path) -> None:
    folder = SweepFolder.create(tmp_path)
    assert folder.failures == {}
    forget_failure(tmp_path, "a")
    record_failure(tmp_path, "a", "η is wrong")
    record_failure(tmp_path, "b", "b")
    (tmp_path / "failures" / "c.json").write_text("{")
    unreadable = "failed, and the record of it cannot be read"
    assert folder.failures == {"a": "η is wrong", "b": "b", "c": unreadable}
    forget_failure(tmp_path, "b")
    assert list(folder.failures) == ["a", "c"]


def test_folders_that_are_no_sweep(tmp_path: Path) -> None:
    run(tmp_path / "run")
    with pytest.raises(RunFolderError, match="is not empty and not a sweep"):
        SweepFolder.create(tmp_path)
    with pytest.raises(RunFolderError, match="is not a sweep"):
        SweepFolder.open(tmp_path)
    with pytest.raises(RunFolderError, match="cannot read the folder"):
        build_index(tmp_path / "missing")


def test_a_path_that_is_no_text(tmp_path: Path, helpers: SimpleNamespace):
    """The index shows its bytes as escapes; a description cannot hold it."""
    name = os.fsdecode(b"bad\xff")
    RunFolder.create(tmp_path / name, helpers.new_manifest(transfer={"source": f"/{name}"}))
    assert RunFolder.open(tmp_path / name).manifest.config["transfer"]["source"] == f"/{name}"
    rows = build_index(tmp_path).to_pylist()
    assert {row["name"] for row in rows} == {"bad\\udcff"}
    with pytest.raises(UsageError, match="cannot hold a path that is not UTF-8"):
        SweepFolder.create(tmp_path / "sweep").write_spec(f'source = "{name}"')
