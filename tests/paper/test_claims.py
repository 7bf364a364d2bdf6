"""What the paper says of a cell is found where it says something, and nowhere else."""

from typing import Any

from grokscope.paper.agreement import Claims
from grokscope.paper.experiment import load_experiment
from grokscope.paper.tables import PaperCell


def place(**columns: Any) -> dict[str, Any]:
    return {"operation": "x*y + y", "task": None, "p": 97, "train_fraction": 0.3} | columns


def test_table_a5() -> None:
    claims = Claims(load_experiment("table-a5"), "table_a5")
    assert claims.cell(place()) == PaperCell(False, 0.061)
    assert claims.cell(place(train_fraction=0.5)) == PaperCell(True)
    assert claims.cell(place(p=59)) is None
    assert claims.cell(place(operation="x^9 + y")) is None
    assert claims.cell(place(train_fraction=0.35)) is None


def test_table_1_by_start() -> None:
    claims = Claims(load_experiment("table-1"), "table_1")
    assert claims.threshold(place(start="PG-T x*y")) == (True, 0.3)
    assert claims.threshold(place(start="PG-E x + y")) == (True, None)
    assert claims.threshold(place(start="from scratch")) == (True, 0.5)
    assert claims.threshold(place(operation="x + y", start="PG-E x + y")) == (False, None)
    assert claims.threshold(place(start="PG-T x*y", p=59)) == (False, None)
    assert claims.cell(place(start="PG-E x*y")) == PaperCell(False)
    assert claims.cell(place(start="PG-E x*y", train_fraction=0.4)) == PaperCell(True)
    assert claims.cell(place(start="from scratch")) == PaperCell(False, 0.061)


def test_what_the_paper_did_not_try_is_not_compared() -> None:
    claims = Claims(load_experiment("table-1"), "table_1")
    for r in (0.2, 0.95):
        assert claims.cell(place(start="PG-T x*y", train_fraction=r)) is None
    says = [{"operation": "x + y", "grokked": True}]
    claims = Claims(load_experiment("figure-a13").with_values(p=7, train_fraction=(0.3, 0.5)), says)
    assert claims.cell(place(operation="x + y")) == PaperCell(True)
    assert claims.cell(place(operation="x + y", p=7)) is None
    assert claims.cell(place(operation="x + y", train_fraction=0.5)) is None


def test_a_start_of_its_own_is_not_compared_with_training_from_scratch() -> None:
    claims = Claims(load_experiment("figure-a13"), "table_a5")
    assert claims.cell(place(operation="x + y", start="random embedding, frozen")) is None
    assert claims.cell(place(operation="x + y", start="from scratch")) == PaperCell(True)


def test_statements_are_of_whole_mixtures() -> None:
    says = [{"operation": "x + y, x - y", "train_fraction": 0.3, "grokked": False}]
    claims = Claims(load_experiment("figure-10"), says)
    cell = place(operation="x + y, x - y")
    assert claims.cell(cell) == PaperCell(False)
    assert claims.cell({**cell, "task": "x + y"}) is None
    assert claims.cell({**cell, "train_fraction": 0.5}) is None
