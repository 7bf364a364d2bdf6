"""Figures of what a network has learned."""

import itertools
import re
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grokscope.disk.folder import RunFolder
from grokscope.reports.figures import Figure, network_figures, read_network
from grokscope.reports.figures.circles import circle_panel
from grokscope.reports.figures.figure import Layout, ticks
from grokscope.reports.figures.spectra import _label_heights
from grokscope.reports.record import read_runs

MakeRun = Callable[..., RunFolder]
RowsOf = Callable[[dict, str], list[dict]]


def figures(run: RunFolder) -> dict[str, Figure]:
    (record,) = read_runs([run.path])
    found = network_figures(record, read_network(record))
    return {figure.name: figure for figure in found}


def chart(figure: Figure) -> dict:
    assert figure.chart is not None
    return figure.chart


def circle_embedding(p: int, k: int) -> np.ndarray:
    """One perfect circle of radius 3 in the first two dimensions, and an operator token."""
    angle = 2 * np.pi * k * np.arange(p) / p
    table = np.zeros((p + 1, 8), np.float32)
    table[:p, :2] = 3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return table


def test_a_circle_is_drawn_as_one_with_its_residues_in_order(make_run: MakeRun) -> None:
    run = make_run(p=11, weights={"W_E": circle_embedding(11, 4)})
    drawn = chart(figures(run)["circles"])
    assert drawn["concat"][0]["title"] == "k = 4, 100% of the squared norm"
    name = drawn["concat"][0]["layer"][0]["data"]["name"]
    rows = drawn["datasets"][name]
    assert [row["residue"] for row in rows] == list(range(11))
    assert [row["turn"] for row in rows] == [4 * x % 11 for x in range(11)]
    for row in rows:
        angle = 2 * np.pi * row["turn"] / 11
        assert_allclose(
            [row["x"], row["y"]], 3 * np.array([np.cos(angle), np.sin(angle)]), atol=2e-3
        )
    assert rows[0]["label"] == 1


@pytest.mark.parametrize(("p", "k", "noise"), [(97, 17, 1.0), (97, 1, 0.05), (31, 5, 0.3)])
def test_labels_of_a_circle_touch_neither_points_nor_one_another(
    p: int, k: int, noise: float, rows_of: RowsOf
) -> None:
    angle = 2 * np.pi * k * np.arange(p) / p
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = points + noise * np.random.default_rng(0).normal(size=points.shape)
    panel = circle_panel(points, k * np.arange(p) % p, p, "", "k·x mod p")
    domain = panel["layer"][0]["encoding"]["x"]["scale"]["domain"]
    pixel = (domain[1] - domain[0]) / 230  # of the smallest panel
    rows = rows_of(panel, "residue")
    named = [row for row in rows if row["label"]]
    assert 4 < len(named) <= 11
    for i, row in enumerate(named):
        wide, high = 3 * len(str(row["residue"])) * pixel, 5 * pixel
        for other in rows:
            across, up = abs(row["lx"] - other["x"]), abs(row["ly"] - other["y"])
            assert across > wide + 3 * pixel or up > high + 3 * pixel
        for other in named[:i]:
            beside = 3 * len(str(other["residue"])) * pixel
            across, up = abs(row["lx"] - other["lx"]), abs(row["ly"] - other["ly"])
            assert across > wide + beside or up > 2 * high


def test_labels_of_keys_that_are_neighbours_stand_above_one_another() -> None:
    shares = np.full(48, 0.001)
    shares[[15, 16, 17, 40]] = 0.2, 0.21, 0.01, 0.02
    heights = _label_heights(shares, [16, 17, 18, 41], 0.25)
    line = 11 / 180 * 0.25
    places = sorted(heights[k] for k in (16, 17, 18))
    assert all(b - a > 0.99 * line for a, b in itertools.pairwise(places))
    assert min(places) >= 0.21  # no label lies on the bar beside its own
    assert heights[41] == 0.02


def test_every_recorded_spectrum_is_there_and_the_slider_starts_at_the_last(
    make_run: MakeRun, rows_of: RowsOf
) -> None:
    drawn = chart(figures(make_run())["spectra"])
    (slider,) = drawn["params"]
    assert slider["value"] == slider["bind"]["max"] == 2
    bars = rows_of(drawn, "k")
    assert {(r["i"], r["k"], r["s"]) for r in bars} == {
        (i, k, s) for i in range(3) for k in (1, 2, 3) for s in (0, 1)
    }
    for row in bars:
        expected = -1 / row["k"] if row["s"] else row["k"] + (0, 0.5, 1)[row["i"]]
        assert row["v"] == pytest.approx(expected, rel=1e-2)
    # η = 0.5 of the largest cosine, 4, and sine, 1, at the last step
    assert {r["v"] for r in rows_of(drawn, "i") if "k" not in r and r["i"] == 2} == {2.0, -0.5}


def test_maps_are_images_and_never_rows_per_pair(make_run: MakeRun, rows_of: RowsOf) -> None:
    found = figures(make_run(p=11))
    for name, panels in (("attention", 2), ("neurons", 8), ("modes", 2)):
        drawn = chart(found[name])
        assert len(drawn["concat"]) == panels
        addresses = [row["u"] for row in rows_of(drawn, "u")]
        assert len(addresses) == panels
        assert all(a.startswith("data:image/png;base64,") for a in addresses)
        assert sum(len(rows) for rows in drawn["datasets"].values()) <= 2 * panels


def test_titles_of_heads_are_their_mean_attention(make_run: MakeRun) -> None:
    weights = {"W_Q": np.zeros((2, 8, 4), np.float32)}
    drawn = chart(figures(make_run(weights=weights))["attention"])
    # without queries a head gives a third to each position
    assert [panel["title"] for panel in drawn["concat"]] == [
        f"head {h}: x 0.33, op 0.33, y 0.33" for h in (0, 1)
    ]


def test_the_caption_of_the_logits_names_the_strongest_frequencies(make_run: MakeRun) -> None:
    caption = figures(make_run(p=11))["modes"].caption
    assert "The 5 strongest pairs of frequencies, (" in caption
    share = re.search(r"hold (\d+)%", caption)
    assert share
    assert 0 < int(share[1]) <= 100


def test_an_mlp_has_no_attention_but_the_other_figures(make_run: MakeRun) -> None:
    found = figures(make_run(architecture="mlp"))
    assert found["attention"].chart is None
    assert "MLP" in found["attention"].missing
    assert all(found[name].chart for name in ("spectra", "circles", "neurons", "modes"))


def test_without_checkpoints_the_reason_is_a_line_and_the_spectra_remain(
    make_run: MakeRun,
) -> None:
    (record,) = read_runs([make_run(weights=False).path])
    network = read_network(record)
    assert isinstance(network, str)
    assert "no checkpoint of this seed" in network
    assert [figure.name for figure in network_figures(record, network)] == ["spectra"]


def test_without_spectra_the_figure_says_so(make_run: MakeRun) -> None:
    figure = figures(make_run(spectra=False))["spectra"]
    assert figure.chart is None
    assert "No spectrum" in figure.missing


@pytest.mark.parametrize(
    ("width", "expected"),
    [(1028, (4, 194)), (700, (3, 173)), (368, (1, 194)), (150, (1, 90))],
)
def test_panels_wrap_and_cells_get_whole_pixels(width: int, expected: tuple) -> None:
    layout = Layout(columns=4, least=218, axis=60, square=True, most=250, cells=97)
    assert layout.fit(width, 8) == expected


@pytest.mark.parametrize(
    ("first", "last", "most", "expected"),
    [
        (0, 96, 5, [0, 20, 40, 60, 80]),
        (0, 6, 5, [0, 2, 4, 6]),
        (2, 17, 3, [5, 10, 15]),
        (0, 0, 5, [0]),
    ],
)
def test_ticks_are_round_and_few(first: int, last: int, most: int, expected: list) -> None:
    assert ticks(first, last, most) == expected
