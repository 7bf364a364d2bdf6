"""docs/reproduction.md counts what there is, and says what is missing."""

from pathlib import Path
from typing import Any

from docs import reproduction

from grokscope.paper.experiment import load_experiment
from grokscope.paper.plan import plan
from grokscope.paper.store import CellResult, add_cells, cell_id
from grokscope.paper.summary import cell_columns


def add(folder: Path, name: str, **changed: Any) -> int:
    """Add runs of all cells of seed 0, with other settings, that grokked; return how many."""
    experiment = load_experiment(name)
    given = {"seed": (0,), **changed}
    cells = plan(experiment.with_values(**given), Path()).cells
    found = {}
    for cell in cells:
        row = {
            "cell": cell_id(cell.key),
            **cell_columns(cell),
            "status": "grokked",
            "grokked_at": 500,
            "steps": 1000,
            "best_test_accuracy": 1.0,
            "seconds": 1800,
            "max_steps": 1000,
            "commit": "123456789012",
            "processor": "here, 2 cores",
            "date": "2026-11-28",
        }
        found[row["cell"]] = CellResult([row])
    add_cells(folder, name, found)
    return len(found)


def test_an_experiment_has_the_runs_of_others(tmp_path: Path) -> None:
    """Figure 9 has the cells of Table 1 that it shares with it, under its own names."""
    n = add(tmp_path, "table-1", train_fraction=(0.3,), operation=("x*y + y", "x*y - y"))
    found = reproduction.known_results(tmp_path)
    assert found["table-1"].facts["runs"] == f"{n} of 2,352"
    assert found["figure-9"].facts["runs"] == f"{n // 2} of 126"
    alone = [row for row in found["figure-4"].rows if row["status"] == "grokked"]
    assert [(row["operation"], row.get("start")) for row in alone] == [
        ("x*y + y", None),
        ("x*y - y", None),
    ]
    assert reproduction.totals(found)["runs"] == n
    assert reproduction.totals(found)["hours"] == f"{n / 2:.1f}"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    experiment = load_experiment("figure-10")
    add(tmp_path, "figure-10", p=59, train_fraction=(0.7,))
    text = reproduction.missing(experiment, reproduction.known_results(tmp_path)["figure-10"])
    assert "**a small version alone**" in text
    assert "p 59; r 0.7; seed 0" in text
    add(tmp_path, "figure-10", train_fraction=(0.3,))
    text = reproduction.missing(experiment, reproduction.known_results(tmp_path)["figure-10"])
    assert text == "missing: no run at r 0.5, 0.7; seed 1, 2"


def test_cells_that_rest_on_one_seed_are_counted(tmp_path: Path) -> None:
    add(tmp_path, "figure-a13")
    found = reproduction.totals(reproduction.known_results(tmp_path))
    assert found["single"] == found["agree"] > 0
    add(tmp_path, "figure-a13", seed=(0, 1))
    found = reproduction.totals(reproduction.known_results(tmp_path))
    assert found["single"] == 0 < found["agree"]
