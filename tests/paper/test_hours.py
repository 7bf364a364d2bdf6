"""Training in the hours that there are: what comes first, what is known already, what is shared."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from tests.paper.conftest import record

from grokscope.errors import RunInterruptedError, UsageError
from grokscope.paper import hours
from grokscope.paper.experiment import Request, experiments, load_experiment
from grokscope.paper.hours import Campaign, Part, parts_in_order
from grokscope.paper.plan import plan
from grokscope.paper.store import cell_id, read_cells
from grokscope.sweeps.batch import Batch, Outcome, run_batch
from grokscope.sweeps.job import job_of
from grokscope.sweeps.sweep import SweepCallbacks

NAMES = list(experiments())


class Here:
    """An engine that trains in this process, and remembers what it trained."""

    name, slots, memory_mib = "here", 1, None

    def __init__(self) -> None:
        self.trained: list[str] = []

    def run(
        self,
        batches: Sequence[Batch],
        folder: Path,
        *,
        watch: Callable[[], bool] | None = None,
    ) -> list[Outcome]:
        found: list[Outcome] = []
        for batch in batches:
            if watch is not None and watch():
                break
            found += run_batch(batch, folder)
            self.trained += [job.name for job in batch.jobs]
        return found


def tiny(name: str, *only: str, steps: int = 10) -> Part:
    return Part(name, Request(only, (0,), p=5, steps=steps))


def cells_of(part: Part) -> set[str]:
    experiment = part.request.apply(load_experiment(part.name))
    return {cell_id(cell.key) for cell in plan(experiment, Path()).cells}


def view() -> Any:
    return nullcontext(SweepCallbacks())


def test_the_smallest_versions_come_first_and_nothing_is_left_out() -> None:
    parts = list(parts_in_order())
    trained = [name for name in NAMES if load_experiment(name).kind == "training"]
    labels = len(NAMES) - len(trained)
    assert [part.name for part in parts[labels : len(NAMES)]] == trained
    assert all(part.request.small for part in parts[labels : len(NAMES)])
    first = parts[len(NAMES) : len(NAMES) + 3 * len(trained)]
    assert [part.request.seeds for part in first] == [
        (seed,) for seed in (0, 1, 2) for _ in trained
    ]
    # up to here one training fraction of each, the smallest
    assert all(len(part.request.fractions) == 1 for part in first)
    for name in trained:
        mine = [part for part in parts if part.name == name]
        whole = cells_of(Part(name, Request()))
        limited = [part for part in mine if part.request.steps == 10_000]
        assert set().union(*map(cells_of, limited)) == whole
        # undecided runs go on to the paper's steps
        assert mine[-1].request == Request()
    assert not any(part.request.steps is None for part in parts_in_order(500) if _trains(part))


def _trains(part: Part) -> bool:
    return load_experiment(part.name).kind == "training" and not part.request.small


def test_both_sides_of_each_threshold_come_before_the_rest() -> None:
    requests = [part.request for part in parts_in_order() if part.request.only]
    around = {request.only[0]: request.fractions for request in requests}
    assert around["x + y"] == (0.3,)
    assert around["2*x + y"] == (0.4, 0.5)
    assert around["x^3 + x*y^2 + y"] == (0.8, 0.9)
    assert len(around) == 35


def test_what_is_kept_is_not_trained_again(tmp_path: Path) -> None:
    parts = [tiny("figure-3", "x + y", "x*y"), tiny("figure-3", "x*y", "x - y")]
    engine, results = Here(), tmp_path / "results"
    Campaign(tmp_path / "one", results, (), pytest.fail).train(parts, engine, view)
    assert len(engine.trained) == 3
    assert len(read_cells(results, "figure-3")) == 3
    # another machine, which has the results and no run
    other = Here()
    campaign = Campaign(tmp_path / "two", results, (), pytest.fail)
    assert [(n, jobs) for _, n, jobs in campaign.left(parts)] == [(2, []), (2, [])]
    campaign.train(parts, other, view)
    assert other.trained == []
    # with more steps, the undecided ones are trained
    longer = [tiny("figure-3", "x + y", steps=20)]
    assert [[steps for _, steps in jobs] for _, _, jobs in campaign.left(longer)] == [[20]]
    campaign.train(longer, other, view)
    assert len(other.trained) == 1
    steps = sorted(result.rows[0]["steps"] for result in read_cells(results, "figure-3").values())
    assert steps == [10, 10, 20]
    assert "none of 9, and 3 more" in campaign.write_page("figure-3").read_text("utf-8")
    assert "none of 231" in campaign.write_page("figure-4").read_text("utf-8")


def test_when_the_time_is_up_what_was_done_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, results, started = Here(), tmp_path / "results", time.monotonic()
    # every run takes an hour
    monkeypatch.setattr(time, "monotonic", lambda: started + 3600 * len(engine.trained))
    parts = [tiny("figure-3", op) for op in ("x + y", "x*y", "x - y")]
    campaign = Campaign(tmp_path / "out", results, (), pytest.fail)
    campaign.train(parts, engine, view, hours=1.5)
    assert len(engine.trained) == 2
    assert len(read_cells(results, "figure-3")) == 2
    campaign.train(parts, engine, view, hours=1.5)
    assert len(read_cells(results, "figure-3")) == 3


def test_an_interruption_ends_it_after_keeping_what_was_done(tmp_path: Path) -> None:
    class Interrupted(Here):
        def run(self, *arguments: Any, **more: Any) -> list[Outcome]:
            super().run(*arguments, **more)
            raise RunInterruptedError("interrupted")

    parts = [tiny("figure-3", "x + y"), tiny("figure-3", "x*y")]
    with pytest.raises(RunInterruptedError):
        Campaign(tmp_path, tmp_path / "results", (), pytest.fail).train(parts, Interrupted(), view)
    assert len(read_cells(tmp_path / "results", "figure-3")) == 1


def test_a_run_of_one_experiment_counts_for_all_that_have_it(tmp_path: Path) -> None:
    request = Request(("x + y",), (0,), (0.3,), steps=10_000)
    (cell,) = plan(request.apply(load_experiment("table-a5")), tmp_path).cells
    record(tmp_path / "cells" / "runs" / job_of(cell.config).name, cell.config)
    Campaign(tmp_path, tmp_path / "results", (), lambda _: None).share()
    found = [name for name in NAMES if cell_id(cell.key) in read_cells(tmp_path / "results", name)]
    assert {"table-a5", "figure-3", "figure-a16"} <= set(found)
    assert "figure-6" not in found


def test_all_pages_are_written_from_what_is_kept_and_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hours, "experiments", lambda: {"figure-3": "", "figure-a23": ""})
    request = Request(("x + y",), (0,), (0.3,), steps=10_000)
    (cell,) = plan(request.apply(load_experiment("figure-3")), tmp_path).cells
    record(tmp_path / "cells" / "runs" / job_of(cell.config).name, cell.config)
    campaign = Campaign(tmp_path, tmp_path / "results", (), lambda _: None)
    pages = hours.reproduce("all", Request(), campaign, None, view)
    assert [page.name for page in pages] == ["figure-3.html", "figure-a23.html"]
    assert "1 of 9" in pages[0].read_text("utf-8")
    before = {page: page.read_text("utf-8") for page in pages}
    alone = Campaign(tmp_path / "other", tmp_path / "results", (), pytest.fail)
    for page in hours.reproduce("all", Request(), alone, None, view, page=True):
        assert page.read_text("utf-8") == before[tmp_path / page.name]
    with pytest.raises(UsageError, match="an order of their own"):
        hours.reproduce("all", Request(seeds=(0,)), alone, None, view)
    with pytest.raises(UsageError, match="hours is not usable"):
        hours.reproduce("figure-3", Request(), alone, None, view, hours=0)
