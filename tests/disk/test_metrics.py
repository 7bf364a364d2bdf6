import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import pytest

from grokscope.disk.metrics import (
    METRIC_SCHEMA,
    SPECTRA_SCHEMA,
    drop_parts_after,
    read_parts,
    write_part,
)
from grokscope.errors import GrokscopeError, RunFolderError


@pytest.fixture
def rows(helpers: SimpleNamespace) -> pa.Table:
    return helpers.rows_between(-1, 200)[0]


def test_parts_come_back_in_order(tmp_path: Path, helpers: SimpleNamespace):
    metrics, spectra = helpers.rows_between(-1, 1000)
    for first, last in ((500, 1000), (-1, 250), (250, 500)):
        metrics_part, spectra_part = helpers.rows_between(first, last)
        write_part(tmp_path / "metrics", metrics_part, last)
        write_part(tmp_path / "spectra", spectra_part, last)
    # NaN differs from itself; as text it does not.
    assert str(read_parts(tmp_path / "metrics", METRIC_SCHEMA).to_pylist()) == str(
        metrics.to_pylist()
    )
    assert read_parts(tmp_path / "spectra", SPECTRA_SCHEMA).to_pylist() == spectra.to_pylist()


def test_undefined_stays_nan_and_null_stays_null(tmp_path: Path, rows: pa.Table):
    write_part(tmp_path, rows, 200)
    row = read_parts(tmp_path, METRIC_SCHEMA).to_pylist()[1]
    assert math.isnan(row["value"])
    assert row["matrix"] is None


def test_no_parts_are_no_rows(tmp_path: Path):
    table = read_parts(tmp_path / "missing", METRIC_SCHEMA)
    assert table.num_rows == 0
    assert table.schema == METRIC_SCHEMA


def test_bytes_are_equal_in_every_process(tmp_path: Path, helpers: SimpleNamespace, rows: pa.Table):
    program = (
        "import sys, runpy, pathlib; from grokscope.disk.metrics import write_part\n"
        "rows = runpy.run_path(sys.argv[1])['rows_between'](-1, 200)[0]\n"
        "write_part(pathlib.Path(sys.argv[2]), rows, 200)"
    )
    for seed in ("1", "2"):
        command = [sys.executable, "-c", program, str(helpers.path), str(tmp_path / seed)]
        subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": seed}, check=True)
    part = write_part(tmp_path / "here", rows, 200)
    for seed in ("1", "2"):
        assert (tmp_path / seed / part.name).read_bytes() == part.read_bytes()


def test_every_damaged_region_is_noticed_and_named(tmp_path: Path, rows: pa.Table):
    part = write_part(tmp_path, rows, 200)
    data = part.read_bytes()
    for place in range(0, len(data), 3):
        damaged = bytearray(data)
        damaged[place] ^= 1 << (place % 8)
        part.write_bytes(damaged)
        with pytest.raises(RunFolderError, match=part.name):
            read_parts(tmp_path, METRIC_SCHEMA)
    for length in range(0, len(data), 50):
        part.write_bytes(data[:length])
        with pytest.raises(RunFolderError, match="can be read, not resumed"):
            read_parts(tmp_path, METRIC_SCHEMA)


def test_renamed_and_foreign_parts_are_noticed(tmp_path: Path, rows: pa.Table):
    part = write_part(tmp_path, rows, 200)
    copy = Path(shutil.copy(part, tmp_path / "part-1.parquet"))
    with pytest.raises(RunFolderError, match=r"part-1\.parquet"):
        read_parts(tmp_path, METRIC_SCHEMA)
    copy.unlink()
    write_part(tmp_path, pa.table({"other": [1]}), 300)
    with pytest.raises(RunFolderError, match="part-000000300"):
        read_parts(tmp_path, METRIC_SCHEMA)


def test_a_part_of_another_kind_is_noticed(tmp_path: Path):
    data = b"not parquet"
    digest = subprocess.run(["sha256sum"], input=data, capture_output=True, check=True).stdout
    (tmp_path / f"part-000000001-{digest[:12].decode()}.parquet").write_bytes(data)
    with pytest.raises(RunFolderError, match="part-000000001"):
        read_parts(tmp_path, METRIC_SCHEMA)


def test_dropping_keeps_the_parts_up_to_the_step(tmp_path: Path, rows: pa.Table):
    paths = {step: write_part(tmp_path, rows, step) for step in (0, 500, 1000, 123_456_789)}
    drop_parts_after(tmp_path, 500)
    assert sorted(tmp_path.iterdir()) == [paths[0], paths[500]]
    drop_parts_after(tmp_path, -1)
    assert list(tmp_path.iterdir()) == []


def test_other_people_can_read_it(tmp_path: Path, rows: pa.Table):
    write_part(tmp_path, rows, 200)
    query = f"SELECT count(*), max(seed) FROM '{tmp_path}/part-*.parquet'"
    assert duckdb.connect().execute(query).fetchall() == [(rows.num_rows, 4_000_000_000)]


def test_parts_from_before_mixtures_had_rows_of_their_own_are_read(
    tmp_path: Path, rows: pa.Table
) -> None:
    write_part(tmp_path, rows.drop_columns(["operation"]), 200)
    found = read_parts(tmp_path, METRIC_SCHEMA)
    assert found.schema == METRIC_SCHEMA
    assert found["operation"].null_count == rows.num_rows
    assert found["value"].to_pylist()[0] == rows["value"].to_pylist()[0]


def test_memory_that_ends_is_not_called_damage(
    tmp_path: Path, rows: pa.Table, monkeypatch: pytest.MonkeyPatch
):
    write_part(tmp_path, rows, 200)

    def full(_: object) -> None:
        raise pa.ArrowMemoryError("malloc of size 7 failed")

    monkeypatch.setattr("pyarrow.BufferReader", full)
    with pytest.raises(GrokscopeError, match="not enough memory to read") as caught:
        read_parts(tmp_path, METRIC_SCHEMA)
    assert "damaged" not in str(caught.value)


def test_the_joint_measure_of_older_runs_has_the_name_of_today(tmp_path: Path) -> None:
    named = [("ffs", "matched"), ("ffs", "additive"), ("fcr", "matched"), ("test_loss", None)]
    rows = [
        {"seed": 0, "step": 50, "measure": measure, "basis": basis, "value": 0.5}
        for measure, basis in named
    ]
    write_part(tmp_path, pa.Table.from_pylist(rows, schema=METRIC_SCHEMA), 50)
    found = read_parts(tmp_path, METRIC_SCHEMA)
    assert found.schema == METRIC_SCHEMA
    read = [(row["measure"], row["basis"]) for row in found.to_pylist()]
    assert read == [("kfs", "matched"), *named[1:]]
