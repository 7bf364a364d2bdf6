"""The word for a claim follows from its runs, and the page from results/."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from docs import checks, findings
from docs.evidence import Check, Evidence, Group, Word, check_each, read_evidence, word_of

from grokscope.paper.store import CellResult, add_cells

ROOT = Path(__file__).parents[2]
PAPER = 97


def test_the_page_says_what_the_results_say() -> None:
    text = (ROOT / "docs" / "findings.md").read_text()
    assert text == findings.page(), "run `make reproduction`"


@pytest.mark.parametrize(
    ("held", "tested", "papers", "missing", "word"),
    [
        (3, 3, 3, 0, Word.REPRODUCED),
        (3, 3, 2, 0, Word.IN_PART),
        (3, 3, 3, 1, Word.IN_PART),
        (2, 3, 3, 0, Word.IN_PART),
        (1, 1, 1, 0, Word.IN_PART),
        (1, 3, 3, 0, Word.NOT_REPRODUCED),
        (0, 3, 0, 0, Word.NOT_REPRODUCED),
        (0, 2, 2, 0, Word.UNDECIDED),
        (0, 0, 0, 5, Word.UNDECIDED),
    ],
)
def test_each_word(held: int, tested: int, papers: int, missing: int, word: Word) -> None:
    assert word_of([Check("it falls", held, tested, papers, missing)]) is word


def test_all_checks_of_a_claim_count() -> None:
    whole, never = Check("a", 3, 3, 3), Check("b", 0, 3, 3)
    assert word_of([whole, whole]) is Word.REPRODUCED
    assert word_of([whole, never]) is Word.IN_PART
    assert word_of([whole, Check("c", 0, 0, 0)]) is Word.IN_PART
    assert word_of([never, never]) is Word.NOT_REPRODUCED
    assert word_of([]) is Word.UNDECIDED


def test_labels_are_judged_by_their_test() -> None:
    assert findings.labels_word(0.2, complete=True) is Word.REPRODUCED
    assert findings.labels_word(0.01, complete=True) is Word.NOT_REPRODUCED
    assert findings.labels_word(0.01, complete=False) is Word.UNDECIDED


def test_a_check_says_what_it_rests_on() -> None:
    assert str(Check("it falls", 0, 0, 0)) == "it falls: no run can tell"
    assert "one run, an anecdote" in str(Check("it falls", 1, 1, 1))
    text = str(Check("it falls", 4, 5, 3, 2))
    assert text == "it falls: 4 of 5 (3 at the paper's p; 2 settings missing)"


def test_runs_that_cannot_tell_are_missing() -> None:
    found = check_each("it groks", [(True, PAPER), (None, PAPER), (False, 59)], settings=3)
    assert (found.held, found.tested, found.papers, found.missing) == (1, 2, 1, 1)


def run(status: str = "grokked", **more: Any) -> dict[str, Any]:
    """Return a row as results/ keeps it."""
    at = 1000 if status == "grokked" else None
    row = {
        "cell": "c0",
        "operation": "x + y",
        "task": None,
        "p": PAPER,
        "train_fraction": 0.3,
        "seed": 0,
        "status": status,
        "grokked_at": at,
        "steps": 1500,
        "best_test_accuracy": 1.0,
        "unleaked_accuracy": 1.0,
        "max_steps": 10_000,
    }
    for name in ("ffs_W_E", "ffs_W_L", "fcr_W_E", "fcr_W_L"):
        row |= {f"{name}_first": 0.95, name: 0.9}
    return row | more


def known(*rows: dict[str, Any]) -> Evidence:
    """Return evidence of runs from scratch, without groups."""
    return Evidence({str(i): CellResult([{"start": None, **row}]) for i, row in enumerate(rows)})


def test_a_fall_is_asked_of_what_grokked_and_its_absence_of_what_did_not() -> None:
    e = known(
        run(ffs_W_E=0.1),
        run(),
        run("undecided", operation="x^2 - y", fcr_W_E=0.5),
        run("undecided", operation="x^2 + y", fcr_W_E=0.5),
    )
    falls, only = checks.falls_where_it_groks(e), checks.falls_only_there(e)
    assert (falls.held, falls.tested) == (1, 2)
    # x^2 + y groks in the paper at r = 0.3, so that its run may be on its way
    assert (only.held, only.tested) == (0, 1)


def test_table_a5_is_compared_cell_by_cell_and_undecided_runs_say_nothing() -> None:
    e = known(
        run(),
        run("undecided", operation="x*y"),
        run(operation="x^2 - y"),
        run(operation="x^2 - y", p=59),
    )
    found = checks.as_table_a5(e, ("x + y", "x*y", "x^2 - y"))
    assert (found.held, found.tested, found.missing) == (1, 2, 19)


def test_later_is_known_of_a_run_that_went_on_for_longer() -> None:
    add = run(grokked_at=1000)
    slow = run("undecided", operation="x - y", steps=2000, seed=1)
    short = run("undecided", operation="x - y", steps=500, seed=2)
    found = checks.slower(known(add, slow, short, run(operation="x - y", grokked_at=900, seed=3)))
    assert (found.held, found.tested) == (1, 2)


def test_parts_help_where_it_groks_sooner_than_from_scratch() -> None:
    whole = run(start="from scratch")
    assert checks.helps(run(grokked_at=500), whole) is True
    assert checks.helps(run("undecided", steps=2000), whole) is False
    assert checks.helps(run("undecided", steps=500), whole) is None
    e = known(
        whole,
        run(start="PG-E x + y", grokked_at=500),
        run(start="PG-E x*y", grokked_at=500),
        run("undecided", start="PG-T x*y", steps=2000),
    )
    own, others = checks.helped_by_parts(e)
    assert [(c.held, c.tested) for c in (own, others)] == [(1, 1), (1, 1)]


def test_bias_is_to_what_both_tables_favour() -> None:
    assert checks.bias({"W_E": 1.0, "W_L": 0.95}) == "cosines"
    assert checks.bias({"W_E": 0.0, "W_L": 0.1}) == "sines"
    assert checks.bias({"W_E": 1.0, "W_L": 0.1}) == "neither"


def test_spectra_losses_and_thresholds_are_read_from_long_tables() -> None:
    series = {
        "spectra": [
            {"matrix": matrix, "k": k, "cos": 2.0, "sin": 1.0}
            for matrix in ("W_E", "W_L")
            for k in (1, 2)
        ],
        "losses": [
            {"part": "restricted_loss", "side": "train", "loss": 5.0},
            {"part": "train_loss", "side": "train", "loss": 1e-3},
        ],
        "frequencies": [
            {"place": "class axis", "k": 1, "key": True, "loss": 9.0},
            {"place": "class axis", "k": 2, "key": False, "loss": 0.5},
        ],
        "etas": [
            {"matrix": "W_E", "eta": 0.5, "step": step, "value": value}
            for step, value in ((0, 1.0), (500, 0.2))
        ],
    }
    rows = {op: {"start": None, **run(operation=op)} for op in checks.ELEMENTARY}
    e = Evidence({op: CellResult([row], series) for op, row in rows.items()})
    assert checks.biased(e, "cosines", "x*y").held == 1
    assert [c.held for c in checks.keys_alone(e)] == [1, 0]
    assert [c.held for c in checks.dependent_frequencies(e)] == [1, 0]
    eta = checks.whatever_eta(e)
    assert (eta.held, eta.tested) == (2, 3)


def test_an_operation_that_is_later_in_a_mixture_was_not_sped_up() -> None:
    mixture = {**run(operation="x + y, x*y"), "start": None}
    parts = [mixture | {"task": "x + y", "grokked_at": 2000}, mixture | {"task": "x*y"}]
    e = known(run(), run(operation="x*y", grokked_at=3000))
    later = Evidence({**e.cells, "m": CellResult([mixture, *parts])})
    found = checks.sped_up(later, "x + y, x*y")
    assert (found.held, found.tested) == (0, 1)
    sooner = Evidence({**e.cells, "m": CellResult([mixture, parts[1]])})
    assert checks.sped_up(sooner, "x + y, x*y").held == 1


def test_measures_of_a_page_and_of_results_are_not_added_up(tmp_path: Path) -> None:
    add_cells(tmp_path, "figure-3", {"c0": CellResult([run()], {"spectra": [{"k": 1}]})})
    add_cells(tmp_path, "figure-a16", {"c0": CellResult([run()], {"etas": [{"k": 2}]})})
    page = tmp_path / "numbers.md"
    names = ("FFS of W_E", "FFS of W_L", "FCR of W_E", "FCR of W_L")
    ends = "\n".join(f"| x + y, r = 0.3 | {n} | 0.20 (0.10 to 0.30; n = 2) |" for n in names)
    leads = "\n".join(f"| x + y, r = 0.3 | {n} | +50 (+0 to +100; n = 1) |" for n in names)
    page.write_text(
        "| runs | grokked at step |\n|---|---|\n| x + y, r = 0.3 | 900 (800 to 1000; n = 2) |\n"
        "| x + y, r = 0.1 | undecided at 5000 steps |\n\n"
        f"| runs | measure | at the end |\n|---|---|---|\n{ends}\n\n"
        f"| runs | measure | leads by (steps) |\n|---|---|---|\n{leads}\n"
    )
    e = read_evidence(tmp_path, {page: PAPER})
    (group,) = e.of("x + y")
    assert group == Group(
        "x + y",
        PAPER,
        0.3,
        2,
        dict.fromkeys(group.fell, 1),
        dict.fromkeys(group.ends, (0.2, 0.1, 0.3)),
    )
    check = e.falls("it falls", "ffs_W_E", "x + y", "x*y")
    assert (check.held, check.tested, check.missing) == (1, 2, 1)
    assert set(e.cells["c0"].series) == {"spectra", "etas"}
    assert group.end("ffs_W_E") == "0.20 (0.10 to 0.30)"
    packed = (tmp_path / "figure-3" / "c0.json.gz").read_bytes()
    assert json.loads(gzip.decompress(packed)) == {"spectra": {"k": [1]}}


def test_results_that_are_added_change_the_page(tmp_path: Path) -> None:
    before = findings.page(tmp_path)
    assert "all three grok on a frozen random embedding | **undecided**" in before.lower()
    more = {
        f"c{seed}-{i}": CellResult(
            [run(cell=f"c{seed}-{i}", operation=op, seed=seed, start=checks.RANDOM)]
        )
        for seed in range(3)
        for i, op in enumerate(checks.ELEMENTARY)
    }
    add_cells(tmp_path, "figure-a13", more)
    after = findings.page(tmp_path)
    assert "all three grok on a frozen random embedding | **reproduced**" in after.lower()
