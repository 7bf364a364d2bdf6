"""A run gives its numbers, its figures and its networks, and shows itself."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import grokscope as gs
from grokscope.errors import RunFolderError, UsageError
from grokscope.notebook.shown import Table


def test_numbers_are_frames_arrow_and_named_arrays(run: gs.Run) -> None:
    assert isinstance(run.metrics(), pd.DataFrame)
    assert isinstance(run.metrics(as_arrow=True), pa.Table)
    assert run.spectra().columns[-2:].tolist() == ["cos_norm", "sin_norm"]
    rows = run.metrics()
    mine = rows[(rows.measure == "kfs") & (rows.matrix == "W_E") & (rows.basis == "matched")]
    curve = run.curve("kfs", "W_E", basis="matched")
    assert curve.axes == ("seed", "step")
    assert curve.coordinates == {"seed": [0, 1], "step": [0, 20, 40]}
    assert curve.at(seed=1).values.tolist() == mine[mine.seed == 1].value.tolist()
    assert run.steps.tolist() == [0, 20, 40]
    assert run.checkpoint_steps() == [0, 20, 40]


def test_a_number_that_was_not_recorded_is_named_with_those_that_were(run: gs.Run) -> None:
    with pytest.raises(UsageError, match=r"in the matched basis; got .gini of W_U.; allowed"):
        run.curve("gini", "W_U", basis="matched")
    with pytest.raises(RunFolderError, match="no checkpoint at this step"):
        run.network(step=7)
    with pytest.raises(UsageError, match="no such seed"):
        run.plot.circles(seed=5)
    with pytest.raises(UsageError, match="allowed: 0, 20, 40"):
        run.plot.spectrum("W_E", step=5)
    other: Any = "fourier"
    with pytest.raises(UsageError, match=r"basis is not usable; .*allowed: additive or matched"):
        run.plot.measures(basis=other)


def test_every_figure_is_drawn(run: gs.Run) -> None:
    plot = run.plot
    names = repr(plot).partition(": ")[2].split(", ")
    assert len(names) == 9
    for name in names:
        assert getattr(plot, name)().chart is not None, name
    drawn = plot.spectrum("W_L", step=20, seed=1).spec
    assert len(drawn["concat"]) == 1
    assert "W_L" in json.dumps(drawn)
    assert "W_E at" not in json.dumps(drawn)


def test_a_figure_shows_itself_and_is_saved(run: gs.Run, tmp_path: Path) -> None:
    figure = run.plot.loss()
    bundle = figure._repr_mimebundle_()
    assert bundle["application/vnd.vegalite.v5+json"]["title"]["text"] == figure.title
    assert bundle["text/plain"].startswith("Loss on training and test pairs. ")
    starts = {"svg": b"<svg", "png": b"\x89PNG", "html": b"<!DOCTYPE html>"}
    for end, start in starts.items():
        assert figure.save(tmp_path / f"a.{end}").read_bytes().startswith(start)
    assert b"https://cdn" not in (tmp_path / "a.html").read_bytes()
    with pytest.raises(UsageError, match=r"allowed: \.svg, \.png, \.html"):
        figure.save(tmp_path / "a.pdf")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self.found.append(tag)


def test_a_run_is_a_small_table_with_curves(run: gs.Run) -> None:
    assert repr(run).splitlines()[1].split() == (
        ["seed", "status", "memorised", "at", "grokked", "at", "steps", "train", "test"]
    )
    assert len(repr(run).splitlines()) == 4
    tags = Tags()
    tags.feed(run._repr_html_())
    assert tags.found.count("svg") == 2
    assert tags.found.count("polyline") == 4
    assert tags.found.count("tr") == 3


def test_tables_escape_and_do_not_flood() -> None:
    table = Table("<script>", ("name",), [(f"<b>{i}",) for i in range(1000)])
    assert "<script>" not in table.html()
    assert "<b>0" not in table.html()
    assert table.text().splitlines()[-1] == "… and 950 more"
    assert len(table.text().splitlines()) == 53
    curve = np.array([0.0, np.nan, 1.0])
    drawn = Table("t", ("name",), [("a",)], [[curve]], "accuracy").html()
    assert 'points="0.0,36.0 180.0,0.0"' in drawn


def test_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="is not a run folder"):
        gs.load_run(tmp_path)


def test_runs_and_structures_show_themselves(place: Path) -> None:
    found = gs.runs(place / "runs")
    assert "x-y-p23" in repr(found)
    assert gs.load_run(found[0]).operation == found[0].operation
    assert repr(gs.structure("x*y", p=23).best) == "x*y is multiplication mod 23."
