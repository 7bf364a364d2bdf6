"""Results hold what the runs hold, and say what there is not."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from grokscope.disk.sweep_folder import RUNS_NAME
from grokscope.paper.experiment import Request, Source, load_experiment
from grokscope.paper.plan import SOURCES_NAME, SourceRun, plan
from grokscope.paper.results import shown_results
from grokscope.paper.run import summarise
from grokscope.paper.store import cell_id
from grokscope.runner.loop import train_run
from grokscope.sweeps.job import job_of


def test_nothing_run_is_said_so_and_no_number_is_made_up(tmp_path: Path) -> None:
    request = Request(seeds=(0,))
    experiment = request.apply(load_experiment("figure-3"))
    planned = plan(experiment, tmp_path)
    found = summarise(experiment, planned, [tmp_path])
    assert found == {}
    broken = job_of(planned.cells[0].config).name
    results = shown_results(experiment, found, planned.cells, request, failed=[broken])
    assert [row["status"] for row in results.rows] == ["failed", "not run", "not run"]
    numbers = {"grokked_at", "test_accuracy", "ffs_W_E"}
    assert not any(numbers & row.keys() for row in results.rows)
    assert results.facts["runs"] == "none of 3"
    assert results.series == {}


def test_a_run_that_cannot_be_read_is_named_and_spares_the_others(tmp_path: Path) -> None:
    request = Request(only=("x + y", "x*y"), seeds=(0,), p=5, steps=10)
    experiment = request.apply(load_experiment("figure-3"))
    planned = plan(experiment, tmp_path)
    for cell in planned.cells:
        train_run(cell.config, tmp_path / job_of(cell.config).name)
    broken = next((tmp_path / job_of(planned.cells[0].config).name / "metrics").iterdir())
    broken.write_bytes(b"")
    lines: list[str] = []
    found = summarise(experiment, planned, [tmp_path], lines.append)
    results = shown_results(experiment, found, planned.cells, request)
    assert [row["status"] for row in results.rows] == ["failed", "undecided"]
    assert {row["row"] for rows in results.series.values() for row in rows} == {1}
    good = results.rows[1]
    assert good["max_steps"] == 10
    assert good["cell"] == cell_id(planned.cells[1].key)
    (line,) = lines
    assert line.startswith("failed: ")
    assert "is damaged" in line
    (tmp_path / job_of(planned.cells[1].config).name / "manifest.json").write_text("{}")
    lines.clear()
    found = summarise(experiment, planned, [tmp_path], lines.append)
    assert [result.rows[0]["status"] for result in found.values()] == ["failed"]
    assert lines[0].startswith("passed over: ")


def test_the_sources_that_were_used_say_whether_they_had_grokked(tmp_path: Path) -> None:
    experiment = Request(only=("x + y",), seeds=(0,)).apply(load_experiment("figure-2"))
    sources = {"add": Source("x + y", 50), "sub": Source("x - y", 50), "mul": Source("x*y", 50)}
    short = dataclasses.replace(experiment.with_values(p=5, steps=10), sources=sources)
    planned = plan(short, tmp_path)

    def said() -> str | None:
        found = summarise(short, planned, [tmp_path])
        return shown_results(short, found, planned.cells).facts["sources"]

    assert said() is None
    (donor,) = [s for s in planned.sources if s.labels["operation"] == "x*y"]
    place = tmp_path / SOURCES_NAME / RUNS_NAME / job_of(donor.config).name
    train_run(donor.config, place)
    taker = next(cell for cell in planned.cells if cell.source == SourceRun("x*y", 50, 0))
    train_run(taker.config, tmp_path / "taker")
    assert said() == "x*y, seed 0: undecided, taken at 50"
    shutil.rmtree(place)
    assert said() == "x*y, seed 0: step 50, its own run is not here"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(), None),
        (Request(p=7, fractions=(0.3, 0.5)), "p 7, train fraction 0.5"),
        (Request(small=True), None),
    ],
)
def test_what_the_paper_did_not_try_is_said(request_: Request, words: str | None) -> None:
    experiment = request_.apply(load_experiment("figure-a13"))
    cells = plan(experiment, Path()).cells
    assert shown_results(experiment, {}, cells, request_).facts["beyond"] == words
