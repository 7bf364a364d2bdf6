"""What a cell says of its seeds."""

from typing import Any

from grokscope.paper.agreement import State
from grokscope.paper.block import outcome_cell, paper_percent
from grokscope.paper.tables import PaperCell

GROK, FAIL = PaperCell(True), PaperCell(False, 0.061)


def run(status: str, at: int | None = None, **more: Any) -> dict[str, Any]:
    return {
        "status": status,
        "grokked_at": at,
        "steps": 10_000,
        "best_test_accuracy": 0.034,
        "test_accuracy": 0.03,
        "unleaked_accuracy": 0.03,
    } | more


def test_seeds_that_grokked() -> None:
    found = outcome_cell([run("grokked", 3200), run("grokked", 5150), run("grokked", 4400)], GROK)
    assert (found.text, found.state) == ("✓ grok 4,400", State.AGREES)
    assert found.note == "3,200–5,150, n = 3; paper grok"


def test_undecided_beside_either() -> None:
    found = outcome_cell([run("undecided")], GROK)
    assert (found.text, found.state) == ("… 3.4%", State.UNDECIDED)
    assert found.note == "undecided at 10,000; paper grok"
    found = outcome_cell([run("undecided")], FAIL)
    assert (found.text, found.state) == ("≈ 3.4%", State.CONSISTENT)
    assert found.note == "undecided at 10,000; paper 6.1%"


def test_leaked_pairs_are_told_apart() -> None:
    found = outcome_cell([run("undecided", test_accuracy=0.79, unleaked_accuracy=0.005)], FAIL)
    assert "unleaked 0.5%" in found.note


def test_seeds_that_differ_runs_that_go_on_and_runs_that_failed() -> None:
    found = outcome_cell([run("grokked", 3200), run("undecided")], GROK)
    assert (found.text, found.state) == ("± 1 of 2 grok", State.MIXED)
    assert "so far at 10,000" in outcome_cell([run("running")], GROK).note
    assert outcome_cell([run("diverged")], GROK).text == "✗ diverged"
    assert outcome_cell([{"status": "failed"}], GROK).text == "✗ failed"


def test_not_run_and_no_number() -> None:
    found = outcome_cell([{"status": "not run"}], GROK)
    assert (found.text, found.state, found.note) == ("not run", State.NOT_RUN, "paper grok")
    assert outcome_cell([run("grokked", 100)], None).state is State.NO_NUMBER


def test_percent_never_rounds_up_to_all() -> None:
    assert [paper_percent(v) for v in (0, 0.00972, 0.45, 0.99999, 1)] == [
        "0%",
        "0.972%",
        "45%",
        "99.999%",
        "100%",
    ]
