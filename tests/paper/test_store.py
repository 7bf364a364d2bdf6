"""Results add up: from any machine, in any order, without the runs, to the same bytes."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.errors import RunFolderError, UsageError
from grokscope.paper.experiment import Request, load_experiment
from grokscope.paper.plan import plan
from grokscope.paper.results import column_numbers, shown_results
from grokscope.paper.store import CellResult, add_cells, better_of, cell_id, read_cells
from grokscope.paper.summary import cell_columns
from grokscope.paper.table_text import from_csv, to_csv

ROWS = [
    {"operation": "x + y", "r": 0.3, "n": 3, "grokked_at": None, "ok": True, "loss": 1.25e-7},
    {"operation": "x*y, x - y", "r": 0.35, "n": 12345678, "ok": False, "nan": float("nan")},
]


def result(cell: str = "c1", seed: int = 0, at: Any = None, **more: Any) -> CellResult:
    row = {
        "cell": cell,
        "operation": "x + y",
        "task": None,
        "p": 7,
        "train_fraction": 0.5,
        "seed": seed,
        "status": "undecided" if at is None else "grokked",
        "memorised_at": 100,
        "grokked_at": at,
        "steps": 1000 if at is None else at + 500,
        "best_test_accuracy": 0.123456789 if at is None else 1.0,
        "processor": "here, 2 cores",
        "commit": "123456789012",
        "max_steps": 1000,
    }
    return CellResult([row | more], {"curves": [{"step": 0, "value": 0.5}]})


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_rows_come_back_as_they_were() -> None:
    first, second = from_csv(to_csv(ROWS).encode())
    assert {k: first[k] for k in ROWS[0]} == ROWS[0]
    assert second["n"] == 12345678
    assert second["grokked_at"] is None
    assert column_numbers([first, second], "nan") == []
    assert column_numbers([first, second], "r") == [0.3, 0.35]
    # a digest or a commit may look like a number
    assert from_csv(to_csv([{"cell": "123e45678901"}]).encode()) == [{"cell": "123e45678901"}]
    with pytest.raises(UsageError):
        to_csv([{"operation": "12"}])


def test_what_was_added_is_there(tmp_path: Path) -> None:
    mixture = result("c2", operation="x + y, x*y")
    mixture.rows.extend(mixture.rows[0] | {"task": task} for task in ("x + y", "x*y"))
    assert add_cells(tmp_path, "figure-10", {"c2": mixture, "c1": result()}) == []
    found = read_cells(tmp_path, "figure-10")
    assert list(found) == ["c1", "c2"]
    assert [row["task"] for row in found["c2"].rows] == [None, "x + y", "x*y"]
    assert found["c1"].series == result().series
    assert found["c1"].rows[0]["commit"] == "123456789012"
    assert read_cells(tmp_path, "table-a5") == {}


RESULTS = [result(f"c{seed}", seed, at) for seed, at in ((0, None), (1, 500), (2, 750))]


@given(order=st.permutations(RESULTS), cut=st.integers(0, 3))
def test_the_order_in_which_machines_add_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, order: list[CellResult], cut: int
) -> None:
    folders = [tmp_path_factory.mktemp("results") for _ in range(2)]
    add_cells(folders[0], "a", {r.rows[0]["cell"]: r for r in RESULTS})
    for part in (order[:cut], order[cut:], order[:1]):
        assert add_cells(folders[1], "a", {r.rows[0]["cell"]: r for r in part}) == []
    assert files(folders[0]) == files(folders[1])


def test_lines_merged_from_two_files_are_read_and_tidied_up(tmp_path: Path) -> None:
    parts = []
    for name, some in (("a", RESULTS[:2]), ("b", RESULTS[1:])):
        add_cells(tmp_path / name, "e", {r.rows[0]["cell"]: r for r in some})
        parts.append((tmp_path / name / "e.csv").read_text().splitlines())
    merged = tmp_path / "merged"
    add_cells(merged, "e", {r.rows[0]["cell"]: r for r in RESULTS})
    whole = files(merged)
    # what a union of lines gives
    text = "\n".join([*parts[0], *parts[1][1:]]) + "\n"
    (merged / "e.csv").write_text(text)
    assert len(read_cells(merged, "e")) == 3
    add_cells(merged, "e", {})
    assert files(merged) == whole


def test_the_one_that_is_farther_stays() -> None:
    longer = result(steps=2000)
    ranked = [result(status="interrupted"), result(), longer, result(at=5000)]
    for worse, better in itertools.combinations(ranked, 2):
        for kept, more in ((worse, better), (better, worse)):
            found, clashes = better_of({"c": kept}, {"c": more})
            assert found["c"] is better
            assert clashes == []


def test_a_clash_is_named_and_the_first_stays(tmp_path: Path) -> None:
    add_cells(tmp_path, "e", {"c1": result(at=500)})
    before = files(tmp_path)
    # the same again is none, though it was rounded when it was written
    assert add_cells(tmp_path, "e", {"c1": result(at=500)}) == []
    # nor is a run that was not stopped after it had grokked
    assert add_cells(tmp_path, "e", {"c1": result(at=500, steps=9000)}) == []
    (line,) = add_cells(tmp_path, "e", {"c1": result(at=550, processor="there, 8 cores")})
    assert line == (
        "computed twice: operation x + y, p 7, train_fraction 0.5, seed 0:"
        " kept grokked at 500 after 1000 steps (here, 2 cores, 123456789012);"
        " left out grokked at 550 after 1050 steps (there, 8 cores, 123456789012)"
    )
    assert files(tmp_path) == before


def test_runs_that_go_on_are_not_kept(tmp_path: Path) -> None:
    for status in ("running", "interrupted", "failed"):
        assert add_cells(tmp_path, "e", {"c1": result(status=status)}) == []
    assert files(tmp_path) == {}


def test_damaged_results_are_refused_and_stay(tmp_path: Path) -> None:
    add_cells(tmp_path, "e", {"c1": result()})
    for damage in (b"\xff\xfe", b"operation,p\nx + y,7\n"):
        (tmp_path / "e.csv").write_bytes(damage)
        with pytest.raises(RunFolderError, match="cannot be read"):
            add_cells(tmp_path, "e", {"c2": result("c2", 1)})
        assert (tmp_path / "e.csv").read_bytes() == damage
    # an operation of a mixture is never taken for one of another run
    stray = [*result().rows, result("c2", task="x + y").rows[0]]
    (tmp_path / "e.csv").write_text(to_csv(stray))
    with pytest.raises(RunFolderError, match="does not follow its run"):
        read_cells(tmp_path, "e")
    add_cells(tmp_path / "other", "e", {"c1": result()})
    (tmp_path / "other" / "e" / "c1.json.gz").write_bytes(b"no gzip")
    with pytest.raises(RunFolderError, match="cannot be read"):
        read_cells(tmp_path / "other", "e")


def test_the_same_place_with_other_weights_is_told_apart() -> None:
    experiment = Request(only=("2*x + 3*y",), seeds=(0,), fractions=(0.3,)).apply(
        load_experiment("table-1")
    )
    cells = [c for c in plan(experiment, Path()).cells if c.labels["start"] == "PG-E x + y"]
    place = {"operation": "2*x + 3*y", "start": "PG-E x + y", "train_fraction": 0.3, "p": 97}
    made = {"date": "2026-01-01", "source_steps": 10_000}
    own = cell_id(cells[0].key)
    kept = {
        own: result(own, **place | made),
        "other": result("other", **place | made | {"source_steps": 3_000}),
    }
    results = shown_results(experiment, kept, cells)
    assert results.facts["runs"] == "1 of 1, and 1 more"
    starts = [row["start"] for row in results.rows]
    assert starts == ["PG-E x + y at step 10,000", "PG-E x + y at step 3,000"]
    (row,) = shown_results(experiment, kept, cells, Request()).rows
    assert row["start"] == "PG-E x + y"


def test_a_page_shows_fewer_points_where_there_are_many_curves() -> None:
    experiment = Request(seeds=tuple(range(400))).apply(load_experiment("figure-3"))
    cells = plan(experiment, Path()).cells
    wave = [{"measure": "m", "task": None, "step": i, "value": i % 7} for i in range(180)]
    made = {"date": "2026-01-01"}
    kept = {
        cell_id(cell.key): CellResult(
            result(cell_id(cell.key), cell.seed, **made).rows, {"curves": wave}
        )
        for cell in cells
    }
    points = shown_results(experiment, kept, cells).long_table("curves")
    assert {row["row"] for row in points} == set(range(1200))
    assert len(points) <= 14 * 1200
    few = dict(itertools.islice(kept.items(), 3))
    assert len(shown_results(experiment, few, cells).long_table("curves")) == 3 * 180


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("table-a5", Request(seeds=(0,), fractions=(0.3, 0.4), steps=10_000)),
        ("figure-a18", Request(p=59, steps=10_000)),
        ("figure-3", Request(only=("x + y", "x*y"), seeds=(1, 2))),
        ("figure-2", Request(small=True)),
        ("figure-10", Request(fractions=(0.5,))),
        ("figure-4", Request()),
    ],
)
def test_the_commands_of_a_page_are_found_in_its_rows(name: str, request_: Request) -> None:
    experiment = request_.apply(load_experiment(name))
    kept = {}
    for cell in plan(experiment, Path()).cells:
        own = cell_id(cell.key)
        made = {
            "max_steps": cell.config.schedule.steps,
            "source_steps": None if cell.source is None else cell.source.step,
            "date": "2026-01-01",
        }
        kept[own] = result(own, **cell_columns(cell), **made)
    *others, command = shown_results(load_experiment(name), kept, ()).facts["commands"]
    assert command == f"grokscope reproduce {name}{request_.words}"
    # only without other weights is a small version known by its settings alone
    assert len(others) == (1 if request_.small else 0)
