"""Figures over training time."""

import json
from collections.abc import Callable

import altair as alt
import numpy as np
import pytest

from grokscope.disk.folder import RunFolder
from grokscope.reports.figures import Figure, network_figures, progress_figures, read_network
from grokscope.reports.figures.over_time import accuracy, grouped, loss, norms
from grokscope.reports.record import RunRecord, read_runs

MakeRun = Callable[..., RunFolder]
RowsOf = Callable[[dict, str], list[dict]]


def figures_over_time(record: RunRecord) -> list[Figure]:
    return [accuracy(record), loss(record), *progress_figures(record), norms(record)]


def charts(run: RunFolder) -> dict[str, dict]:
    (record,) = read_runs([run.path])
    return {figure.name: figure.chart for figure in figures_over_time(record) if figure.chart}


def line(rows: list[dict], series: str) -> list[tuple[int, float]]:
    return sorted(
        (r["step"], r["value"])
        for r in rows
        if r.get("series") == series and "high" not in r and "seed" not in r
    )


def test_one_seed_is_one_line_per_side(make_run: MakeRun, rows_of: RowsOf) -> None:
    rows = rows_of(charts(make_run())["accuracy"], "value")
    assert {row["series"] for row in rows} == {"train", "test", "test, unleaked only"}
    expected = [(step, 1.0 if step >= 600 else 0.25) for step in range(0, 1001, 50)]
    assert line(rows, "test") == expected
    assert not any("seed" in row or "high" in row for row in rows)


def test_an_operation_without_leaks_has_no_unleaked_line(
    make_run: MakeRun, rows_of: RowsOf
) -> None:
    rows = rows_of(charts(make_run(expressions=("x - y",)))["accuracy"], "value")
    assert {row["series"] for row in rows} == {"train", "test"}


def test_the_moments_are_marked_in_every_figure(make_run: MakeRun, rows_of: RowsOf) -> None:
    drawn = charts(make_run(grokked_at={0: 600, 3: None}))
    assert drawn.keys() == {"accuracy", "loss", "measures", "norms"}
    for chart in drawn.values():
        marks = {(r["moment"], r["seed"], r["step"]) for r in rows_of(chart, "moment")}
        assert marks == {("memorised", 0, 100), ("memorised", 3, 100), ("grokked", 0, 600)}


def test_several_seeds_have_a_median_a_band_and_a_thin_line_each(
    make_run: MakeRun, rows_of: RowsOf
) -> None:
    rows = rows_of(charts(make_run(grokked_at={0: 600, 1: 400, 2: None}))["accuracy"], "value")
    test = [row for row in rows if row["series"] == "test"]
    at_500 = [row for row in test if row["step"] == 500]
    assert {r["seed"]: r["value"] for r in at_500 if "seed" in r} == {0: 0.25, 1: 1.0, 2: 0.25}
    assert [(r["value"], r["high"]) for r in at_500 if "high" in r] == [(0.25, 1.0)]
    assert (500, 0.25) in line(rows, "test")
    assert (600, 1.0) in line(rows, "test")


def test_zeros_and_undefined_losses_do_not_reach_the_logarithmic_axis(
    make_run: MakeRun, rows_of: RowsOf
) -> None:
    run = make_run()
    record = read_runs([run.path])[0]
    curve = record.curves[("train_loss", None)][0]
    curve.values[-3:] = [0.0, np.nan, np.inf]
    (figure,) = [f for f in figures_over_time(record) if f.name == "loss"]
    assert figure.chart is not None
    shown = line(rows_of(figure.chart, "value"), "train")
    assert [step for step, _ in shown] == list(range(0, 851, 50))
    low, high = figure.chart["concat"][0]["layer"][1]["encoding"]["y"]["scale"]["domain"]
    assert 0 < low < min(v for _, v in shown)
    assert high > 20


@pytest.mark.parametrize(("key", "at_end"), [("FFS", {"W_E": 0.2, "W_L": 0.4})])
def test_measures_have_a_panel_each(
    make_run: MakeRun, rows_of: RowsOf, key: str, at_end: dict
) -> None:
    chart = charts(make_run())["measures"]
    assert [p["title"].split(":")[0] for p in chart["concat"]] == ["FFS", "FCR"]
    panel = next(p for p in chart["concat"] if p["title"].startswith(key))
    names = [layer["data"]["name"] for layer in panel["layer"]]
    rows = rows_of({"datasets": {n: chart["datasets"][n] for n in names}}, "value")
    assert {r["series"]: r["value"] for r in rows if r["step"] == 1000} == pytest.approx(at_end)


def test_norms_of_layers_are_told_apart() -> None:
    found = grouped(["W_E", "W_K.0", "W_K.1", "W_Q.0", "W_Q.1", "W_U", "W_in.0", "W_out.0"])
    assert found == {
        "embedding and unembedding": ["W_E", "W_U"],
        "attention, layer 0": ["W_Q.0", "W_K.0"],
        "attention, layer 1": ["W_Q.1", "W_K.1"],
        "neurons, layer 0": ["W_in.0", "W_out.0"],
    }


def test_all_figures_share_their_time_axis(make_run: MakeRun) -> None:
    for chart in charts(make_run(optimizer={"batch_size": 4})).values():
        axes = [layer["encoding"]["x"] for p in chart["concat"] for layer in p["layer"]]
        assert {tuple(axis["scale"]["domain"]) for axis in axes} == {(0, 1000)}
        assert {axis["title"] for axis in axes} == {"step (updates)"}


def test_long_curves_are_thinned(make_run: MakeRun, rows_of: RowsOf) -> None:
    record = read_runs([make_run().path])[0]
    steps = np.arange(0, 1_000_000, 50)
    for key, seeds in record.curves.items():
        value = seeds[0].values[0]
        record.curves[key] = {0: seeds[0]._replace(steps=steps, values=np.full(20_000, value))}
    for figure in figures_over_time(record):
        assert figure.chart is not None
        assert len(rows_of(figure.chart, "value")) < 3000


def test_every_figure_is_vega_lite(shared_run: RunFolder) -> None:
    (record,) = read_runs([shared_run.path])
    figures = [*figures_over_time(record), *network_figures(record, read_network(record))]
    assert len(figures) == 9
    for figure in figures:
        alt.ConcatChart.from_dict(figure.chart or {}, validate=True)


def test_infinite_values_are_left_out(make_run: MakeRun) -> None:
    record = read_runs([make_run(grokked_at={0: 600, 1: 600}).path])[0]
    record.curves[("l2_norm", "W_E")][0].values[5] = np.inf
    for figure in figures_over_time(record):
        json.dumps(figure.chart, allow_nan=False)
