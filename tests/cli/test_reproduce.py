"""grokscope reproduce: what it lists, refuses and writes."""

import csv
import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from grokscope.paper.experiment import experiments
from grokscope.sweeps.estimate import Estimate, Shape, Times
from grokscope.sweeps.job import Job


def test_list_has_every_name_and_title(cli: Any) -> None:
    outcome = cli("reproduce", "--list")
    assert (outcome.code, outcome.err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in outcome.out.splitlines())
    assert lines == experiments()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("figure-99",),
        ("table-a5", "--only", "x^9"),
        ("table-a5", "--fractions", "2", "--dry-run"),
        ("table-a5", "--engine", "abacus", "--fractions", "0.3"),
        ("table-a5", "--no-train", "--runs", "nowhere"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(words: tuple[str, ...], cli: Any) -> None:
    outcome = cli("reproduce", *words)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("grokscope: ")
    assert outcome.err.count("\n") == 1


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give a time without measuring, and return how many jobs each was asked about."""
    asked: list[int] = []

    def estimate(jobs: Sequence[tuple[Job, int]], _workers: int) -> Estimate:
        asked.append(len(jobs))
        times = Times(0.5, 9.0, 4.0, 1.0)
        shapes = [Shape(job.config, (steps,), times, measured=True) for job, steps in jobs]
        return Estimate(shapes, 2, 3661.0)

    monkeypatch.setattr("grokscope.sweeps.estimate.estimate", estimate)
    return asked


TIME: Final = "at most 1:01:01 with 2 workers, if every run takes all its steps\n"


def test_dry_run_counts_says_the_time_and_writes_nothing(
    cli: Any, tmp_path: Path, hours: list[int]
) -> None:
    outcome = cli("reproduce", "table-a5", "--dry-run")
    assert outcome.out == f"table-a5: 735 runs, 735 left to train\n{TIME}"
    outcome = cli("reproduce", "figure-2", "--small", "--dry-run")
    # two of them to take weights from
    assert outcome.out == f"figure-2: 12 runs, 12 left to train\n{TIME}"
    assert hours == [735, 12]
    assert cli("reproduce", "figure-a23", "--dry-run").code == 0
    assert not list(tmp_path.iterdir())


def test_all_small_versions_are_planned_with_a_time_for_each(
    cli: Any, tmp_path: Path, hours: list[int]
) -> None:
    outcome = cli("reproduce", "all", "--small", "--dry-run", "--steps", "20")
    assert outcome.code == 0
    *parts, total = outcome.out.splitlines(keepends=True)
    assert total == TIME
    found = [re.fullmatch(PART, line) for line in parts]
    assert all(found)
    assert sum(int(match[1]) for match in found if match) == hours[0]
    assert len(parts) == len({line.split()[0] for line in parts}) > 5
    refused = cli("reproduce", "all", "--small", "--p", "7", "--dry-run")
    assert refused.code == 2
    assert "a number of steps, and their small versions" in refused.err
    assert not list(tmp_path.iterdir())


PART: Final = r"[\w-]+ --steps 20 --small: \d+ runs?, (\d+) left to train, at most [\d:]+\n"


def test_known_results_are_only_read(cli: Any, tmp_path: Path) -> None:
    words = ("--only", "x + y", "--fractions", "0.5", "--p", "31", "--seeds", "0")
    theirs = ("reproduce", "figure-a23", *words, "--out", "theirs", "--results", "results")
    assert cli(*theirs).code == 0
    before = (tmp_path / "results" / "figure-a23.csv").read_bytes()
    mine = ("reproduce", "figure-a23", "--only", "x*y", *words[2:], "--out", "mine")
    done = cli(*mine, "--known", "results")
    assert "results: mine/summary" in done.out
    assert (tmp_path / "results" / "figure-a23.csv").read_bytes() == before
    assert "x*y" in (tmp_path / "mine" / "summary" / "figure-a23.csv").read_text()
    page = cli("reproduce", "figure-a23", "--out", "mine", "--known", "results", "--page")
    assert page.code == 0
    assert 'reproduce figure-a23 --only "x + y"' in html.unescape(
        (tmp_path / "mine" / "figure-a23.html").read_text()
    )
    missing = cli("reproduce", "figure-a23", "--known", "nowhere", "--page")
    assert missing.code == 2


@pytest.mark.usefixtures("hours")
def test_dry_run_counts_runs_of_other_folders_as_done(cli: Any) -> None:
    words = ("--only", "x + y", "--p", "7", "--fractions", "0.5", "--seeds", "0", "--steps", "20")
    run = ("--p", "7", "--train-fraction", "0.5", "--seeds", "0", "--steps", "20", "--no-report")
    assert cli("train", "x + y", *run, "--checkpoint-every", "100000", "--out", "mine/a").code == 0
    outcome = cli("reproduce", "table-a5", *words, "--dry-run")
    assert outcome.out == f"table-a5: 1 run, 1 left to train\n{TIME}"
    outcome = cli("reproduce", "table-a5", *words, "--dry-run", "--runs", "mine")
    assert outcome.out == "table-a5: 1 run, 0 left to train\n"


def test_labels_are_counted_and_the_page_is_written(cli: Any, tmp_path: Path) -> None:
    words = ("--only", "x + y", "--fractions", "0.5", "--seeds", "0", "1", "--p", "31")
    outcome = cli("reproduce", "figure-a23", *words, "--out", "here", "--results", "results")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "page: here/figure-a23.html"
    with (tmp_path / "results" / "figure-a23.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["operation"], row["seeds"], row["labels"]) == ("x + y", "2", "31")
    assert row["command"] == '--only "x + y" --seeds 0 1 --fractions 0.5 --p 31'
    # kept results alone give the page again, and of all there is
    page = tmp_path / "here" / "figure-a23.html"
    before = page.read_text()
    page.unlink()
    alone = ("reproduce", "figure-a23", "--out", "here", "--results", "results", "--page")
    assert cli(*alone, *words).code == 0
    assert page.read_text() == before
    assert cli(*alone).code == 0
    assert 'reproduce figure-a23 --only "x + y"' in html.unescape(page.read_text())


def test_without_training_the_page_says_not_run(cli: Any, tmp_path: Path) -> None:
    words = ("--only", "x + y", "--seeds", "0", "--no-train")
    outcome = cli("reproduce", "table-a5", *words)
    assert outcome.code == 0
    page = (tmp_path / "sweeps" / "paper" / "table-a5.html").read_text()
    assert "none of 7" in page
    assert page.count("not run<br><small>paper grok") == 7
