"""Algorithm and evidence: words, claims, figures, and what is said where there are none."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from grokscope.disk.explanations import EXPLANATION_NAME, RULES
from grokscope.disk.folder import RunFolder
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.explanation.store import read_explanations, read_or_explain
from grokscope.reports.algorithm import algorithm_in_a_clause, network_sections
from grokscope.reports.explained import Explained, read_all_explained, read_explained
from grokscope.reports.figures import Figure, read_network
from grokscope.reports.figures.over_time import progress_in_two_bases
from grokscope.reports.page import render
from grokscope.reports.record import RunRecord, read_runs
from grokscope.reports.section import Section

MakeRun = Callable[..., RunFolder]
RowsOf = Callable[[dict, str], list[dict]]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
ADDITIVE = ["attention", "spectra", "circles", "neurons", "modes"]


def sections(run: RunFolder) -> dict[str, Section]:
    record = record_of(run)
    found = network_sections(record, read_network(record), read_all_explained(record))
    return {section.title: section for section in found}


def words(run: RunFolder) -> str:
    return " ".join(s.text for section in sections(run).values() for s in section.sentences)


def claims(run: RunFolder) -> dict[str, dict[str, str]]:
    told = sections(run)["Evidence"].claims
    assert told is not None
    return {claim["name"]: claim for claim in told.rows}


def clause(run: RunFolder) -> str:
    record = record_of(run)
    return algorithm_in_a_clause(record, read_all_explained(record))


def record_of(run: RunFolder) -> RunRecord:
    (record,) = read_runs([run.path])
    return record


def figures(run: RunFolder, title: str = "Algorithm") -> dict[str, Figure]:
    found = sections(run).get(title)
    return {figure.name: figure for figure in found.figures} if found else {}


def chart(figure: Figure) -> dict:
    assert figure.chart is not None, figure.missing
    return figure.chart


def test_the_words_of_a_network_that_was_built_by_formula(clock_run: RunFolder) -> None:
    text = words(clock_run)
    assert text.startswith(
        "x*y mod 23, seed 0, step 1,000: explained (clock, by keys; neuron by neuron)."
    )
    for said in (
        "x*y is multiplication mod 23",
        "W_E lays the residues out by 3 frequencies of log(x) in Z_22",
        "every key is a circle",
        "3 numbers",
    ):
        assert said in text
    found = claims(clock_run)
    assert found["embedding keep"]["value"] == "1.000"
    assert found["embedding keep"]["verdict"] == "holds"
    assert found["embedding keys"]["n"] == "1,000"
    assert float(found["embedding keys"]["control"]) < 0.6
    told = sections(clock_run)["Evidence"].claims
    assert told is not None
    assert told.needed == 16
    assert clause(clock_run) == (
        "the algorithm is explained (clock, by keys; neuron by neuron): x*y is multiplication mod"
        " 23, on 3 families of key frequencies"
    )


def test_all_figures_of_an_explained_run(clock_run: RunFolder, rows_of: RowsOf) -> None:
    fits = ["bases", "spectra-matched", "circles-matched", "neurons-matched"]
    found = figures(clock_run) | figures(clock_run, "Evidence")
    assert list(found) == [*fits, *ADDITIVE, "ablation", "shapes"]
    titles = [panel["title"]["text"] for panel in chart(found["bases"])["concat"]]
    assert titles == [
        f"{table} in the {basis}"
        for table in ("W_E", "W_L")
        for basis in ("additive basis", "basis that fits")
    ]
    keys = {row["k"] for row in rows_of(chart(found["bases"]), "from")}
    assert keys == {1, 3, 7}
    bars = rows_of(chart(found["ablation"]), "a")
    kept = [row["a"] for row in bars if row["test"] == "keys kept"]
    assert kept == pytest.approx([1, 1, 1, 1])
    assert max(row["a"] for row in bars if row["test"] == "keys removed") < 0.1
    assert {row["shape"] for row in rows_of(chart(found["shapes"]), "shape")} == {"circle"}
    titles = [found[name].title for name in ("circles-matched", "circles", "attention")]
    assert titles[0].endswith(", in the basis that fits")
    assert titles[1].endswith(", in the additive basis")
    assert "basis" not in titles[2]


def test_residues_lie_on_the_circle_of_the_logarithm(clock_run: RunFolder) -> None:
    drawn = chart(figures(clock_run)["circles-matched"])
    assert len(drawn["concat"]) == 3
    panel = drawn["concat"][0]
    k = int(panel["title"].split(",")[0].removeprefix("k = "))
    rows = drawn["datasets"][panel["layer"][0]["data"]["name"]]
    # log 0 is undefined; 5 is the smallest primitive root mod 23
    assert sorted(row["residue"] for row in rows) == list(range(1, 23))
    assert next(row["turn"] for row in rows if row["residue"] == 5) == k
    for row in rows:
        angle = 2 * np.pi * row["turn"] / 22
        assert [row["x"], row["y"]] == pytest.approx([np.cos(angle), np.sin(angle)], abs=2e-3)


def test_neurons_are_ordered_by_their_own_frequency(clock_run: RunFolder, rows_of: RowsOf) -> None:
    drawn = chart(figures(clock_run)["neurons-matched"])
    assert len(drawn["concat"]) == 8
    assert all(row["u"].startswith("data:image/png;base64,") for row in rows_of(drawn, "u"))
    for panel in drawn["concat"]:
        assert any(f": k = {k}, " in panel["title"] for k in (1, 3, 7))
        axis = panel["layer"][0]["encoding"]["x"]
        assert axis["title"] == "k·u(x) mod 22"
        assert axis["scale"]["domain"] == [-0.5, 21.5]


def test_rows_in_the_matched_basis_are_drawn(make_run: MakeRun, rows_of: RowsOf) -> None:
    run = make_run()
    rows = [
        {
            "seed": 0,
            "step": step,
            "measure": "kfs",
            "matrix": matrix,
            "basis": "matched",
            "value": 0.3,
        }
        for step in (0, 500, 1000)
        for matrix in ("W_E", "W_L")
    ]
    run.append(pa.Table.from_pylist(rows, schema=METRIC_SCHEMA), SPECTRA_SCHEMA.empty_table(), 1000)
    drawn = chart(progress_in_two_bases(record_of(run)))
    assert [panel["title"] for panel in drawn["concat"]] == ["KFS of W_E", "KFS of W_L"]
    fits = [r["value"] for r in rows_of(drawn, "series") if r["series"] == "basis that fits"]
    assert set(fits) == {0.3}
    assert len({r["value"] for r in rows_of(drawn, "series")}) > 1
    # the other figures show the additive basis, as before
    assert 0.3 not in record_of(run).curves[("ffs", "W_E")][0].values


def test_an_older_run_without_rows_in_the_matched_basis_says_so(make_run: MakeRun) -> None:
    figure = progress_in_two_bases(record_of(make_run(expressions=("x*y",))))
    assert figure.missing.startswith("The measures were not recorded in the basis that fits")


def test_without_a_structure_the_search_is_told_and_no_figure_drawn(make_run: MakeRun) -> None:
    run = make_run(expressions=("random",), p=11)
    assert "none found in" in words(run)
    assert list(claims(run)) == ["grokked", "structure"]
    assert list(figures(run)) == ADDITIVE
    assert figures(run, "Evidence") == {}
    assert clause(run).startswith("the algorithm is not explained: random")


def test_a_network_that_did_not_grok_is_not_explained(make_run: MakeRun) -> None:
    run = make_run(grokked_at={0: None}, p=11)
    assert "step 1,000: not explained." in words(run)
    assert claims(run)["grokked"]["verdict"] == "fails"
    found = figures(run)
    # its coordinate is x itself, so the circles would be those of the embedding's own figure
    assert list(found) == ["bases", "neurons-matched", *ADDITIVE]
    assert len(chart(found["bases"])["concat"]) == 2


def test_an_mlp_and_a_mixture_have_their_sections(make_run: MakeRun) -> None:
    mlp = make_run("mlp", p=11, architecture="mlp")
    assert chart(figures(mlp)["bases"])
    mixture = make_run("mixture", p=11, expressions=("x*y", "x + y"), operation="x*y, x + y")
    assert list(sections(mixture)) == [
        "Algorithm: x*y",
        "Evidence: x*y",
        "Algorithm: x + y",
        "Evidence: x + y",
        "The network in the additive basis",
    ]
    assert "the algorithm for x*y is not explained" in clause(mixture)
    # of x*y alone the basis is another
    assert [list(figures(mixture, f"Algorithm: {name}")) for name in ("x*y", "x + y")] == [
        ["bases", "spectra-matched", "circles-matched", "neurons-matched"],
        ["bases", "neurons-matched"],
    ]


def test_every_operation_of_a_mixture_has_its_chapter_and_its_measures(make_run: MakeRun) -> None:
    run = make_run(expressions=("x + y", "x*y"), operation="x + y, x*y", p=11)
    shares = {"x + y": 0.3, "x*y": 0.6}
    rows = [
        {
            "seed": 0,
            "step": step,
            "measure": "kfs",
            "matrix": matrix,
            "basis": "matched",
            "operation": operation,
            "value": share,
        }
        for operation, share in shares.items()
        for step in (0, 500, 1000)
        for matrix in ("W_E", "W_L")
    ]
    run.append(pa.Table.from_pylist(rows, schema=METRIC_SCHEMA), SPECTRA_SCHEMA.empty_table(), 1000)
    record = record_of(run)
    found = read_all_explained(record)
    assert [e.explanation.operation for e in found if isinstance(e, Explained)] == list(shares)
    for number, share in enumerate(shares.values()):
        assert set(record.matched_curves(number)["kfs", "W_E"][0].values) == {share}
    page = render([record])
    for operation in shares:
        assert f"<h2>Algorithm: {operation}</h2>" in page
        assert page.count(f"{operation} mod 11, seed 0, step 1,000: ") == 1
    assert "is older than this" not in page


def test_without_a_network_the_section_says_why(make_run: MakeRun) -> None:
    run = make_run(weights=False)
    assert list(figures(run)) == ["spectra"]
    page = render([record_of(run)])
    assert "It cannot be said: " in page
    assert "no checkpoint of this seed" in page
    assert "the algorithm is not known" in page


def test_weights_that_are_not_finite_are_a_sentence(make_run: MakeRun) -> None:
    broken = {"W_E": np.full((8, 8), np.nan, np.float32)}
    page = render([record_of(make_run(weights=broken))])
    assert "It cannot be said: W_E holds numbers that are not finite" in page
    assert "W_E of a checkpoint is not finite" in page


def test_a_product_that_overflows_is_named_and_the_other_runs_are_shown(
    make_run: MakeRun, clock_run: RunFolder
) -> None:
    huge = {"W_U": np.full((8, 7), 1e30, np.float32)}
    rng = np.random.default_rng(0)
    huge["W_out"] = np.float32(1e30) * rng.normal(size=(10, 8)).astype(np.float32)
    run = make_run(weights=huge, status="diverged")
    page = render(read_runs([run.path, clock_run.path]))
    assert "It cannot be said: W_L holds numbers that are not finite" in page
    assert "x*y mod 23, seed 0, step 1,000: explained (clock, by keys; neuron by neuron)" in page


def test_of_several_seeds_one_that_has_not_diverged_is_shown(make_run: MakeRun) -> None:
    results = [{"seed": 3, "status": "diverged", "diverged_at": 4}, {"seed": 5}]
    moments: dict[int, int | None] = {3: None, 5: 600}
    run = make_run(grokked_at=moments, results=results, p=11)
    assert record_of(run).shown_seed == 5
    assert "x + y mod 11, seed 5" in words(run)
    assert "the algorithm of seed 5 is not explained" in clause(run)
    page = render([record_of(run)])
    assert "seed 5, the first of 2 that has not diverged, at its last checkpoint" in page
    both = [result | {"status": "diverged", "diverged_at": 4} for result in results]
    assert record_of(make_run("b", grokked_at=moments, results=both)).shown_seed == 3


def test_a_stored_explanation_is_read_and_escaped(make_run: MakeRun) -> None:
    run = make_run()
    document = read_or_explain(run, 0)[0].to_json()
    document["structure"] |= {"words": HOSTILE, "u": "x^9"}
    document["claims"][0]["statement"] = HOSTILE
    stored = {"format": 1, "rules": RULES, "explanations": [document]}
    Path(run.path / EXPLANATION_NAME).write_text(json.dumps(stored), "utf-8")
    page = render([record_of(run)])
    assert HOSTILE not in page
    assert page.count("&lt;img src=x onerror=alert(2)&gt;") >= 2
    # figures need the structure itself, and this is none that the operation has
    assert "it is made anew with" in page
    found = read_explained(record_of(run))
    assert isinstance(found, Explained)
    assert found.structure is None


def test_what_a_report_had_to_explain_is_kept(make_run: MakeRun) -> None:
    run = make_run()
    assert read_explanations(run) == []
    made = read_explained(record_of(run))
    assert isinstance(made, Explained)
    assert read_explanations(run) == [made.explanation]


def test_all_seeds_that_were_explained_are_counted(make_run: MakeRun) -> None:
    run = make_run(grokked_at={0: 600, 1: 600}, p=11)
    assert clause(run).startswith("the algorithm of seed 0 is ")
    assert "An explanation is kept of 1 of 2 seeds" in words(run)
    read_or_explain(run, 1)
    assert clause(run).startswith("of 2 networks 2 not explained; the algorithm of seed 0 is ")
    assert '<th scope="col">verdict</th>' in render([record_of(run)])
