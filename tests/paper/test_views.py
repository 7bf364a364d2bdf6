"""Every experiment's page, drawn from results that nothing computed."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import altair as alt
import pytest

from grokscope.paper.agreement import State
from grokscope.paper.block import Table, TableCell, ViewData
from grokscope.paper.experiment import Experiment, Request, View, experiments, load_experiment
from grokscope.paper.page import agreement_states, blocks_of, render_page, write_paper_page
from grokscope.paper.results import Results
from grokscope.paper.views import VIEWS
from grokscope.paper.views.tables import draw_ends
from grokscope.reports.figures.figure import Figure

FACTS = {"commands": [], "runs": ""}
Fake = Callable[..., Results]
NAMES = list(experiments())


def of(name: str) -> Experiment:
    return Request(seeds=(0, 1, 2)).apply(load_experiment(name))


def test_every_kind_of_view_is_used_and_known() -> None:
    used = {view.kind for name in NAMES for view in load_experiment(name).views}
    assert used == set(VIEWS)


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_valid_and_tables_are_whole(name: str, fake: Fake) -> None:
    experiment = of(name)
    blocks = blocks_of(experiment, fake(experiment, run=True))
    assert blocks
    for block in blocks:
        if isinstance(block, Figure):
            assert block.caption
            alt.ConcatChart.from_dict(block.chart or {}, validate=True)
        else:
            assert {len(row) for row in block.rows} == {len(block.header)}


@pytest.mark.parametrize(
    "name", [name for name in NAMES if load_experiment(name).kind == "training"]
)
def test_without_runs_nothing_is_shown_but_that(name: str, fake: Fake) -> None:
    experiment = of(name)
    results = fake(experiment, run=False)
    blocks = blocks_of(experiment, results)
    for block in blocks:
        if isinstance(block, Figure) and block.chart is not None:
            assert block.name == "map"
            rows = [row for rows in block.chart["datasets"].values() for row in rows]
            assert {row["kind"] for row in rows} == {"not run"}
        elif isinstance(block, Table):
            texts = {cell.text for row in block.rows for cell in row[1:]}
            assert texts <= {"not run", ""} or _paper_column(block)
    assert set(agreement_states(blocks)) <= {State.NOT_RUN}


def _paper_column(table: Table) -> bool:
    """Whether all that stands besides "not run" is in a column of the paper's numbers."""
    return all(
        cell.text in ("not run", "") or name.endswith("paper")
        for row in table.rows
        for name, cell in zip(table.header[1:], row[1:], strict=True)
    )


def test_the_page_of_a_small_version_says_so_in_every_section(fake: Fake) -> None:
    experiment = of("figure-8")
    results = fake(experiment, run=True)
    small = dataclasses.replace(results, facts=results.facts | {"small": "p 59"})
    page = render_page(experiment, small)
    assert "Small version: p 59" in page
    assert page.count("small version</span>") == len(experiment.views)
    assert "Small version" not in render_page(experiment, results)


def test_the_page_holds_the_protocol_and_the_commands(fake: Fake, tmp_path: Path) -> None:
    experiment = of("table-a5")
    path = write_paper_page(experiment, fake(experiment, run=True), tmp_path)
    text = path.read_text("utf-8")
    assert "102²" in text
    assert "grokscope reproduce x" in text
    assert "default-src 'none'" in text


def test_texts_of_results_are_escaped(fake: Fake) -> None:
    experiment = of("figure-a13")
    results = fake(experiment, run=True)
    hostile = "</script><script>alert(1)</script>"
    rows = [row | {"start": hostile} for row in results.rows]
    page = render_page(experiment, dataclasses.replace(results, rows=rows))
    assert hostile not in page


def test_tables_in_markdown_have_as_many_columns(fake: Fake) -> None:
    experiment = of("table-a5")
    (table,) = [
        b for b in blocks_of(experiment, fake(experiment, run=True)) if isinstance(b, Table)
    ]
    lines = table.markdown().splitlines()
    assert {line.count("|") for line in lines} == {len(table.header) + 1}
    assert r"x\*y" in lines[4]


def threshold(r: float, statuses: tuple[str, ...]) -> TableCell:
    """Return the cell of PG-E x + y for 2*x + 3*y, which groks at 0.3 in the paper."""
    experiment = Request(only=("2*x + 3*y",), fractions=(r,)).apply(load_experiment("table-1"))
    rows = [
        {
            "operation": "2*x + 3*y",
            "task": None,
            "p": 97,
            "train_fraction": r,
            "seed": seed,
            "start": "PG-E x + y",
            "status": status,
            "steps": 1000,
        }
        for seed, status in enumerate(statuses)
    ]
    table = blocks_of(experiment, Results(FACTS, rows))[0]
    assert isinstance(table, Table)
    return table.rows[0][1]


def test_fractions_that_the_paper_did_not_try_are_shown_and_not_compared() -> None:
    assert threshold(0.3, ("grokked",)).state is State.AGREES
    beyond = threshold(0.2, ("grokked",))
    assert (beyond.state, beyond.text) == (State.NO_NUMBER, "0.2")


def test_a_threshold_of_some_seeds_says_of_how_many() -> None:
    cell = threshold(0.3, ("grokked", "grokked", "undecided"))
    assert (cell.state, cell.text) == (State.MIXED, "± 2 of 3 at 0.3")


def test_the_page_says_what_the_paper_did_not_try(fake: Fake) -> None:
    experiment = of("figure-3")
    found = fake(experiment, run=False)
    results = dataclasses.replace(found, facts={**found.facts, "beyond": "p 7"})
    assert "Not tried in the paper: p 7." in render_page(experiment, results)


@pytest.mark.parametrize("name", ["table-1", "table-a4", "table-a5"])
def test_what_differs_besides_the_axes_of_a_table_is_never_put_together(
    name: str, fake: Fake
) -> None:
    """Runs of another modulus stand apart, and the paper's numbers stand beside its own only."""
    experiment = Request(seeds=(0, 1)).apply(load_experiment(name))
    own, other = fake(experiment, run=True), fake(experiment.with_values(p=59), run=True)
    moved = {
        key: [row | {"row": row["row"] + len(own.rows)} for row in rows]
        for key, rows in other.series.items()
    }
    series = {key: own.series[key] + moved[key] for key in own.series}
    both = dataclasses.replace(own, rows=own.rows + other.rows, series=series)
    alone = blocks_of(experiment, own)
    mixed = blocks_of(experiment, both)
    assert agreement_states(mixed) == agreement_states(alone)
    for block in mixed:
        if isinstance(block, Table):
            notes = [cell.note for row in block.rows for cell in row]
            assert not any("n = 4" in note for note in notes)
    if name == "table-a4":
        (table,) = [block for block in mixed if isinstance(block, Table)]
        shown = dict(zip(table.header, table.rows[0], strict=True))
        assert shown["x + y, p = 97, paper"].text
        assert not shown["x + y, p = 59, paper"].text
    if name == "table-a5":
        assert [b.name for b in mixed if isinstance(b, Figure)][:2] == ["map-p97", "map-p59"]


def ends(says: str, *pairs: tuple[float, float]) -> TableCell:
    """Return the cell of FFS of W_E, of one seed per pair of first and last value."""
    experiment = of("figure-8")
    rows = [
        {
            "operation": "x + y",
            "task": None,
            "p": 97,
            "train_fraction": 0.3,
            "seed": seed,
            "status": "grokked",
            "ffs_W_E_first": first,
            "ffs_W_E": last,
        }
        for seed, (first, last) in enumerate(pairs)
    ]
    falls = [{"operation": "x + y", "ffs_W_E": says}]
    view = View("ends", "", {"falls": falls})
    (table,) = draw_ends(ViewData(experiment, Results(FACTS, rows), view))
    assert isinstance(table, Table)
    return table.rows[0][2]


def test_a_measure_agrees_when_every_seed_does() -> None:
    assert ends("falls", (1.0, 0.2), (1.0, 0.3)).state == State.AGREES
    assert ends("falls", (1.0, 0.2), (1.0, 0.95), (1.0, 0.1)).state == State.MIXED
    assert ends("falls", (1.0, 0.95), (1.0, 0.95)).state == State.DIFFERS
    assert ends("stays", (1.0, 0.95)).state == State.AGREES
