"""A page about several runs: what differs, curves over one another, and links to each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grokscope.disk.explanations import write_documents
from grokscope.disk.folder import RunFolder
from grokscope.errors import RunFolderError
from grokscope.reports import write_figures, write_report
from grokscope.reports.compared import Comparison, expected, jaccard, shared_keys
from grokscope.reports.comparison import comparison_finding, comparison_story, comparison_title
from grokscope.reports.figures.ended import ended_figure, measures_at_the_end
from grokscope.reports.figures.figure import Figure
from grokscope.reports.figures.several_runs import chosen_keys_figure, overlaid_figures
from grokscope.reports.record import read_runs

MakeRun = Callable[..., RunFolder]
DECAYS = (0.1, 1.0)


def explanation(run: RunFolder, seed: int, keys: tuple[int, ...]) -> dict[str, Any]:
    """What `explain` would keep of the last checkpoint of a run of x + y mod 7."""
    found = {"key_frequencies": list(keys), "spectrum": [0.5, 0.3, 0.2]}
    return {
        "seed": seed,
        "step": run.checkpoint_steps(seed)[-1],
        "operation": "x + y",
        "p": 7,
        "verdict": "explained",
        "structure": {"n": 7, "group": "Z_7"},
        "causal": {},
        "claims": [],
        "embedding": found,
        "readout": found,
    }


@pytest.fixture
def sweep(make_run: MakeRun, tmp_path: Path) -> Path:
    """Two weight decays and two seeds: the seed chooses the key; one is undecided."""
    for decay in DECAYS:
        for seed in (0, 1):
            at = None if (decay, seed) == (0.1, 1) else 600
            run = make_run(
                f"sweep/runs/r-{decay}-{seed}",
                grokked_at={seed: at},
                optimizer={"weight_decay": decay},
            )
            write_documents(run, [explanation(run, seed, (1,) if seed else (2, 3))])
    (tmp_path / "sweep" / "sweep.toml").touch()
    return tmp_path / "sweep"


def compared(*runs: Path) -> Comparison:
    return Comparison(read_runs(list(runs)))


def charts(page: Path) -> list[dict[str, Any]]:
    text = page.read_text("utf-8").split('id="data">')[1].split("</script>")[0]
    return json.loads(text)["charts"]


def test_a_sweep_is_compared_in_its_own_page(sweep: Path) -> None:
    column = '<th scope="col">page</th>'
    assert column not in write_report([sweep]).read_text("utf-8")  # no run has one
    (sweep / "runs" / "r-0.1-0" / "report.html").write_text("its own page")
    page = write_report([sweep])
    assert column in page.read_text("utf-8")
    assert page == sweep / "report.html"
    text = page.read_text("utf-8")
    assert "<h1>x + y modulo 7: weight decay 0.1 and 1, seed 0 and 1</h1>" in text
    assert 'href="runs/r-0.1-0/report.html"' in text
    assert text.count('">report</a>') == 1
    names = sorted(chart["name"] for chart in charts(page))
    assert names == [
        "against",
        "against-measures",
        "chosen",
        "compared-accuracy",
        "compared-loss",
        "compared-measures",
        "compared-norms",
    ]
    assert (
        "4 runs of x + y modulo 7 differ in weight decay and seed: with weight decay 0.1 1 of 2"
        " grokked at step 600, 1 undecided; with weight decay 1 2 of 2 grokked at step 600." in text
    )
    assert "figures of each network are left out on a page of more than 3 runs" in text
    assert len(page.read_bytes()) < 3_000_000


def test_curves_lie_over_one_another_coloured_by_what_differs(sweep: Path) -> None:
    accuracy = overlaid_figures(compared(sweep))[0]
    assert accuracy.chart is not None
    test, train = accuracy.chart["concat"]
    assert (test["title"], train["title"]) == ("test accuracy", "train accuracy")
    rows = accuracy.chart["datasets"][test["layer"][0]["data"]["name"]]
    assert {row["line"] for row in rows} == {
        f"weight decay {decay:g}, seed {seed}" for decay in DECAYS for seed in (0, 1)
    }
    assert {row["by"] for row in rows} == {"0.1", "1"}


def test_many_lines_become_medians(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grokscope.reports.figures.several_runs.MOST_LINES", 3)
    figure = overlaid_figures(compared(sweep))[0]
    assert figure.chart is not None
    rows = next(iter(figure.chart["datasets"].values()))
    assert {row["line"] for row in rows} == {"0.1", "1"}
    assert "the median over the runs of equal settings" in figure.caption


def test_an_undecided_run_is_marked_at_its_last_step(sweep: Path) -> None:
    figure = ended_figure(compared(sweep))
    assert figure.chart is not None
    rows = figure.chart["datasets"][figure.chart["concat"][0]["layer"][0]["data"]["name"]]
    found = {row["run"]: (row["x"], row["value"], row["ended"]) for row in rows}
    assert found["weight decay 0.1, seed 1"] == ("0.1", 1000, "undecided")
    assert found["weight decay 1, seed 1"] == ("1", 600, "grokked")


def marks(figure: Figure, panel: int) -> list[dict[str, Any]]:
    assert figure.chart is not None
    return figure.chart["datasets"][figure.chart["concat"][panel]["layer"][0]["data"]["name"]]


@pytest.fixture
def two_operations(make_run: MakeRun) -> list[Path]:
    """Addition and multiplication at two training fractions, alike in all else."""
    return [
        make_run(
            f"{name}-{decay}", expressions=(text,), optimizer={"weight_decay": decay}, matched=True
        ).path
        for name, text in (("plus", "x + y"), ("times", "x*y"))
        for decay in DECAYS
    ]


def test_marks_of_equal_networks_do_not_hide_one_another(two_operations: list[Path]) -> None:
    """All grokked at 600, with the same numbers: each has a place of its own in its column."""
    found = compared(*two_operations)
    figure = ended_figure(found)
    for drawn in (figure, *measures_at_the_end(found)):
        assert drawn.chart is not None
        for panel in range(len(drawn.chart["concat"])):
            places = [(row["x"], row["beside"]) for row in marks(drawn, panel)]
            assert len(set(places)) == len(places)
            assert all(-1 < beside < 1 for _, beside in places)
    assert {row["by"] for row in marks(figure, 0)} == {"x + y", "x*y"}


def test_the_basis_that_fits_comes_first_and_both_are_named(
    two_operations: list[Path], sweep: Path
) -> None:
    found = {figure.name: figure for figure in overlaid_figures(compared(*two_operations))}
    names = list(found)
    assert names.index("compared-measures-matched") + 1 == names.index("compared-measures")
    assert "in the basis that fits the operation" in found["compared-measures-matched"].title
    assert "in the additive basis" in found["compared-measures"].title
    chart = found["compared-measures-matched"].chart
    assert chart is not None
    assert [panel["title"] for panel in chart["concat"]][:2] == [
        "x + y · KFS of W_E",
        "x + y · KFS of W_L",
    ]
    last = measures_at_the_end(compared(*two_operations))
    assert [figure.title for figure in last] == [
        "Last measures in the basis that fits the operation, by weight decay",
        "Last measures in the additive basis, by weight decay",
    ]
    # addition alone: the additive basis is what fits, and stands alone
    alone = {figure.name: figure.title for figure in overlaid_figures(compared(sweep))}
    assert "compared-measures-matched" not in alone
    assert alone["compared-measures"] == "Fourier progress measures, run by run"


def test_a_mixture_has_a_line_per_operation_in_the_basis_that_fits(make_run: MakeRun) -> None:
    both = make_run("both", expressions=("x + y", "x*y"), operation="x + y, x*y", matched=True)
    alone = make_run("times", expressions=("x*y",), matched=True)
    figures = {f.name: f for f in overlaid_figures(compared(both.path, alone.path))}
    lines = {row["line"] for row in marks(figures["compared-measures-matched"], 0)}
    assert lines == {"x + y, x*y, x + y", "x + y, x*y, x*y", "x*y"}


def test_a_random_table_has_no_panel_in_the_basis_that_fits(make_run: MakeRun) -> None:
    times = [
        make_run(
            f"times-{decay}", expressions=("x*y",), optimizer={"weight_decay": decay}, matched=True
        )
        for decay in DECAYS
    ]
    drawn = make_run("random", expressions=("random",))
    figures = overlaid_figures(compared(*(run.path for run in times), drawn.path))
    titles = {f.name: [p["title"] for p in (f.chart or {})["concat"]] for f in figures}
    assert all(title.startswith("x*y") for title in titles["compared-measures-matched"])
    assert any(title.startswith("random") for title in titles["compared-measures"])


def test_many_names_below_an_axis_are_all_there(make_run: MakeRun) -> None:
    texts = ("x + y", "x - y", "x*y", "x^2 + x*y + y^2", "x + 3*y")
    runs = [make_run(f"run-{i}", expressions=(text,)).path for i, text in enumerate(texts)]
    figure = ended_figure(compared(*runs))
    svg = figure.svg()
    assert figure.chart is not None
    assert all(svg.count(f">{text}</text>") == len(figure.chart["concat"]) for text in texts)


def test_operations_are_never_counted_together(
    two_operations: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = compared(*two_operations)
    assert found.grouped_by == ["operation", "weight_decay"]
    (table,) = comparison_story(found, tmp_path / "page.html").sections[0].tables
    assert table.caption == "By operation and weight decay"
    assert [row[:3] for row in table.rows] == [
        ["x + y", "0.1", "1"],
        ["x + y", "1", "1"],
        ["x*y", "0.1", "1"],
        ["x*y", "1", "1"],
    ]
    monkeypatch.setattr("grokscope.reports.figures.several_runs.MOST_LINES", 3)
    medians = {row["line"] for row in marks(overlaid_figures(found)[0], 0)}
    assert medians == {"x + y, 0.1", "x + y, 1"}


def test_many_operations_are_named_up_to_four(make_run: MakeRun) -> None:
    texts = ("x + y", "x - y", "x*y", "2*x + y", "x + 3*y")
    runs = [make_run(f"run-{i}", expressions=(text,)).path for i, text in enumerate(texts)]
    assert comparison_title(compared(*runs[:2])) == "x + y and x - y modulo 7, compared"
    assert comparison_title(compared(*runs)) == (
        "2*x + y, x + 3*y, x + y and 2 other operations modulo 7, compared"
    )


def test_the_keys_have_a_panel_per_seed_and_a_row_per_decay(sweep: Path) -> None:
    figure = chosen_keys_figure(compared(sweep))
    assert figure.chart is not None
    assert [panel["title"] for panel in figure.chart["concat"]] == ["seed 0", "seed 1"]
    rows = figure.chart["datasets"][figure.chart["concat"][0]["layer"][0]["data"]["name"]]
    assert sorted((row["y"], row["k"], row["share"]) for row in rows) == [
        ("0.1", 2, 0.3),
        ("0.1", 3, 0.2),
        ("1", 2, 0.3),
        ("1", 3, 0.2),
    ]


def test_the_seed_chooses_and_the_decay_does_not(sweep: Path) -> None:
    by = {found.name: found for found in shared_keys(compared(sweep))}
    assert (by["weight_decay"].share, by["weight_decay"].n) == (1.0, 2)
    assert (by["seed"].share, by["seed"].n) == (0.0, 2)
    # sets of 1 and of 2 among 3: a third of draws shares nothing, the others one of two
    assert by["seed"].chance == pytest.approx(1 / 3)


def test_shared_keys_by_chance() -> None:
    assert jaccard({1, 2, 3}, {2, 3, 4}) == 0.5
    rng = np.random.default_rng(0)
    drawn = [
        jaccard(rng.permutation(15)[:4].tolist(), rng.permutation(15)[:6].tolist())
        for _ in range(4000)
    ]
    assert expected(4, 6, 15) == pytest.approx(np.mean(drawn), abs=0.01)


def test_operations_moduli_mixtures_and_broken_runs_together(
    make_run: MakeRun, tmp_path: Path
) -> None:
    diverged = [{"seed": 0, "status": "diverged", "diverged_at": 300}]
    runs = [
        make_run("add"),
        make_run("mul", expressions=("x*y",), p=11, grokked_at={0: None, 1: 500}),
        make_run("both", expressions=("x + y", "x*y"), operation="x + y, x*y"),
        make_run("broken", status="diverged", grokked_at={0: None}, results=diverged),
        make_run("begun", metrics=False, spectra=False, weights=False, status="running"),
        make_run("damaged"),
    ]
    (runs[-1].path / "manifest.json").write_text("{")
    page = write_report([run.path for run in runs], tmp_path / "page.html")
    text = page.read_text("utf-8")
    assert "<h1>x + y, (x + y, x*y) and x*y modulo 7 and 11: " in text
    assert "1 diverged" in text
    assert "Left out: damaged: " in text
    assert "networks have not been explained at their last checkpoint" in text
    assert {chart["name"] for chart in charts(page)} >= {"against", "compared-accuracy"}


def test_a_run_that_is_named_twice_is_one_run(make_run: MakeRun) -> None:
    run = make_run()
    assert write_report([run.path, str(run.path), run]) == run.path / "report.html"
    assert "compared" not in (run.path / "report.html").read_text("utf-8").split("<main>")[0]


def test_equal_settings_are_told_by_name(make_run: MakeRun) -> None:
    found = compared(make_run("first").path, make_run("second").path)
    assert comparison_title(found) == "x + y modulo 7, compared"
    assert comparison_finding(found) == (
        "2 runs of x + y modulo 7 have the same settings: 2 of 2 grokked at step 600."
    )
    assert [found.label(network) for network in found.networks] == ["run first", "run second"]


def test_when_no_run_can_be_read_it_is_one_line(make_run: MakeRun) -> None:
    runs = [make_run(name).path for name in ("a", "b")]
    for run in runs:
        (run / "manifest.json").write_text("{")
    with pytest.raises(RunFolderError, match="none of these runs can be read"):
        write_report(runs)


def test_figures_of_a_comparison_are_files(sweep: Path, tmp_path: Path) -> None:
    paths = write_figures([sweep], tmp_path / "figures", ["svg"])
    assert [path.name for path in paths] == [
        "1-against.svg",
        "2-compared-accuracy.svg",
        "3-compared-loss.svg",
        "4-compared-measures.svg",
        "5-compared-norms.svg",
        "6-against-measures.svg",
        "7-chosen.svg",
    ]
