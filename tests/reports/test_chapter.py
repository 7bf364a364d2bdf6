"""The chapter "Which algorithm": words, claims, figures, and what it says where it has none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from grokscope.disk.explanations import EXPLANATION_NAME, RULES
from grokscope.disk.folder import RunFolder
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.explanation.store import read_explanations, read_or_explain
from grokscope.reports.explained import (
    Explained,
    explanation_section,
    read_all_explained,
    read_explained,
    verdict_sentence,
)
from grokscope.reports.figures import Figure, explanation_figures, network_figures, read_network
from grokscope.reports.page import render
from grokscope.reports.record import RunRecord, read_runs

MakeRun = Callable[..., RunFolder]
RowsOf = Callable[[dict, str], list[dict]]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
NAMES = ["bases", "neurons-matched", "ablation", "shapes", "measures-matched"]


def told(run: RunFolder) -> dict[str, Any]:
    return explanation_section(read_explained(record_of(run)), [])


def record_of(run: RunFolder) -> RunRecord:
    (record,) = read_runs([run.path])
    return record


def figures(run: RunFolder) -> dict[str, Figure]:
    record = record_of(run)
    found = explanation_figures(record, read_network(record), read_explained(record))
    return {figure.name: figure for figure in found}


def learned(run: RunFolder) -> dict[str, Figure]:
    """The figures of what a network has learned, as the page has them."""
    record = record_of(run)
    found = network_figures(record, read_network(record), 1, read_all_explained(record))
    return {figure.name: figure for figure in found}


def chart(figure: Figure) -> dict:
    assert figure.chart is not None, figure.missing
    return figure.chart


def test_the_words_of_a_network_that_was_built_by_formula(clock_run: RunFolder) -> None:
    words = told(clock_run)
    assert (
        words["headline"]
        == "x*y mod 23, seed 0, step 1,000: explained (clock, by keys; neuron by neuron)"
    )
    text = " ".join(words["sentences"])
    for said in (
        "x*y is multiplication mod 23",
        "W_E lays the residues out by 3 frequencies of log(x) in Z_22",
        "every key is a circle",
        "3 numbers",
    ):
        assert said in text
    claims = {claim["name"]: claim for claim in words["claims"]}
    assert claims["embedding keep"]["value"] == "1.000"
    assert claims["embedding keep"]["verdict"] == "holds"
    assert claims["embedding keys"]["n"] == "1,000"
    assert float(claims["embedding keys"]["control"]) < 0.6
    assert words["needed"] == 16
    short = verdict_sentence(read_explained(record_of(clock_run))).text
    assert short == (
        "The algorithm is explained (clock, by keys; neuron by neuron): x*y is multiplication mod"
        " 23, on 3 families of key frequencies."
    )


def test_all_figures_of_an_explained_run(clock_run: RunFolder, rows_of: RowsOf) -> None:
    found = figures(clock_run)
    assert list(found) == [name for name in NAMES if name != "neurons-matched"]
    assert found["measures-matched"].missing.startswith("The measures were not recorded")
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


def test_residues_lie_on_the_circle_of_the_logarithm(clock_run: RunFolder) -> None:
    drawn = chart(learned(clock_run)["circles-matched"])
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
    drawn = chart(learned(clock_run)["neurons-matched"])
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
    drawn = chart(figures(run)["measures-matched"])
    assert [panel["title"] for panel in drawn["concat"]] == ["KFS of W_E", "KFS of W_L"]
    fits = [r["value"] for r in rows_of(drawn, "series") if r["series"] == "basis that fits"]
    assert set(fits) == {0.3}
    assert len({r["value"] for r in rows_of(drawn, "series")}) > 1
    # the other figures show the additive basis, as before
    assert 0.3 not in record_of(run).curves[("ffs", "W_E")][0].values


def test_without_a_structure_the_search_is_told_and_no_figure_drawn(make_run: MakeRun) -> None:
    run = make_run(expressions=("random",), p=11)
    words = told(run)
    assert "none found in" in words["sentences"][0]
    assert [claim["name"] for claim in words["claims"]] == ["grokked", "structure"]
    assert figures(run) == {}
    short = verdict_sentence(read_explained(record_of(run))).text
    assert short.startswith("The algorithm is not explained: random")
    assert "Which algorithm" in render([record_of(run)])


def test_a_network_that_did_not_grok_is_not_explained(make_run: MakeRun) -> None:
    run = make_run(grokked_at={0: None}, p=11)
    assert told(run)["headline"].endswith(": not explained")
    grokked = next(c for c in told(run)["claims"] if c["name"] == "grokked")
    assert grokked["verdict"] == "fails"
    found = figures(run)
    # its coordinate is x itself, so the circles would be those of the embedding's own figure
    assert list(found) == NAMES
    assert list(learned(run))[:2] == ["spectra", "circles"]
    assert len(chart(found["bases"])["concat"]) == 2


def test_an_mlp_and_a_mixture_have_a_chapter(make_run: MakeRun) -> None:
    for name, options in {
        "mlp": {"architecture": "mlp"},
        "mixture": {"expressions": ("x*y", "x + y"), "operation": "x*y, x + y"},
    }.items():
        run = make_run(name, p=11, **options)
        assert told(run)["headline"].startswith("x*y" if name == "mixture" else "x + y")
        assert chart(figures(run)["bases"])
        page = render([record_of(run)])
        assert ("one operation of the mixture" in page) == (name == "mixture")


def test_the_basis_that_fits_comes_first_where_it_is_another(clock_run: RunFolder) -> None:
    found = learned(clock_run)
    assert list(found) == [
        "spectra-matched",
        "circles-matched",
        "neurons-matched",
        "spectra",
        "circles",
        "attention",
        "neurons",
        "modes",
    ]
    titles = [found[name].title for name in ("circles-matched", "circles", "attention")]
    assert titles[0].endswith(", in the basis that fits")
    assert titles[1].endswith(", in the additive basis")
    assert "basis" not in titles[2]


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
    # of x*y alone the basis is another; its neurons see its own operator token
    assert [figure.name for figure in network_figures(record, read_network(record), 1, found)][
        :4
    ] == ["spectra-matched", "circles-matched", "neurons-matched", "spectra"]
    page = render([record])
    for operation in shares:
        assert f"<h2>Which algorithm: {operation}</h2>" in page
        assert page.count(f"{operation} mod 11, seed 0, step 1,000: ") == 1
    assert "is older than this" not in page


def test_without_a_network_the_chapter_says_why(make_run: MakeRun) -> None:
    run = make_run(weights=False)
    assert "no checkpoint of this seed" in told(run)["why_not"]
    assert figures(run) == {}
    page = render([record_of(run)])
    assert "It cannot be said: " in page
    assert "Which algorithm it found cannot be said: " in page


def test_weights_that_are_not_finite_are_a_sentence(make_run: MakeRun) -> None:
    broken = {"W_E": np.full((8, 8), np.nan, np.float32)}
    run = make_run(weights=broken)
    assert told(run)["why_not"].startswith("W_E holds numbers that are not finite")
    assert figures(run) == {}
    page = render([record_of(run)])
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
    assert "x + y mod 11, seed 5" in told(run)["headline"]
    page = render([record_of(run)])
    assert "Seed 5, the first of 2 that has not diverged, at its last checkpoint" in page
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
    assert "makes it anew" in page
    found = read_explained(record_of(run))
    assert isinstance(found, Explained)
    assert found.structure is None


def test_what_a_report_had_to_explain_is_kept(make_run: MakeRun) -> None:
    run = make_run()
    assert read_explanations(run) == []
    made = read_explained(record_of(run))
    assert isinstance(made, Explained)
    assert read_explanations(run) == [made.explanation]


def test_a_chapter_that_does_not_fit_says_so(clock_run: RunFolder) -> None:
    words = explanation_section(read_explained(record_of(clock_run)), None)
    assert words["left_out"]
    assert words["figures"] == []
