"""Results go to the disk and come back as they were."""

from pathlib import Path

import pytest

from grokscope.errors import RunFolderError, UsageError
from grokscope.paper.results import Results, column_numbers, read_results, write_results

ROWS = [
    {"operation": "x + y", "r": 0.3, "n": 3, "grokked_at": None, "ok": True, "loss": 1.25e-7},
    {"operation": "x*y, x - y", "r": 0.35, "n": 12345678, "ok": False, "nan": float("nan")},
]


def test_round_trip(tmp_path: Path) -> None:
    kept = Results({"experiment": "table-a5"}, ROWS, {"curves": [{"step": 0, "value": 0.5}]})
    paths = write_results(tmp_path, "table-a5", kept)
    assert {p.name for p in paths} == {"table-a5.csv", "table-a5.json", "table-a5.curves.csv"}
    found = read_results(tmp_path, "table-a5")
    assert found.manifest == kept.manifest
    first, second = found.rows
    assert {k: first[k] for k in ROWS[0]} == ROWS[0]
    assert second["n"] == 12345678
    assert second["grokked_at"] is None
    assert column_numbers(found.rows, "nan") == []
    assert column_numbers(found.rows, "r") == [0.3, 0.35]
    assert found.long_table("curves") == [{"step": 0, "value": 0.5}]
    assert found.long_table("spectra") == []


def test_a_text_that_looks_like_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_results(tmp_path, "a", Results({}, [{"operation": "12"}]))


def test_missing_and_damaged_results(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no results of table-1"):
        read_results(tmp_path, "table-1")
    (tmp_path / "table-1.json").write_text("{")
    with pytest.raises(RunFolderError, match="damaged"):
        read_results(tmp_path, "table-1")
