from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from grokscope.disk.folder import RunFolder
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.errors import UsageError
from grokscope.reports import write_figures

MakeRun = Callable[..., RunFolder]


def test_every_figure_becomes_a_file_of_each_format(make_run: MakeRun, tmp_path: Path) -> None:
    paths = write_figures([make_run().path], tmp_path / "new" / "figures")
    stems = [
        "1-accuracy",
        "2-loss",
        "3-measures",
        "4-norms",
        "5-bases",
        "6-neurons-matched",
        "7-attention",
        "8-spectra",
        "9-circles",
        "10-neurons",
        "11-modes",
    ]
    assert [path.name for path in paths] == [f"{s}.{k}" for s in stems for k in ("svg", "png")]
    for path in paths:
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG")
        else:
            root = ElementTree.fromstring(path.read_text("utf-8"))
            assert root.tag.endswith("svg")
            assert len(list(root.iter())) > 50


def test_no_figure_is_written_twice(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(expressions=("x*y",))
    where = {"matrix": "W_E", "basis": "matched"}
    rows = [{"seed": 0, "step": s, "measure": "kfs", "value": 0.3, **where} for s in (0, 1000)]
    run.append(pa.Table.from_pylist(rows, schema=METRIC_SCHEMA), SPECTRA_SCHEMA.empty_table(), 1000)
    names = [path.stem.partition("-")[2] for path in write_figures(run, tmp_path, ["svg"])]
    assert "measures-matched" in names
    assert len(names) == len(set(names))


def test_several_runs_have_files_of_their_own(make_run: MakeRun, tmp_path: Path) -> None:
    runs = [make_run("a", weights=False).path, make_run("b", weights=False).path]
    paths = write_figures(runs, tmp_path, formats=["svg"])
    # nothing was explained, so that there is no figure of chosen frequencies
    assert [path.name for path in paths[6:]] == ["7-spectra-1-x+y.svg", "8-spectra-2-x+y.svg"]
    assert ">b</text>" in paths[0].read_text("utf-8")


def test_another_format_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such format of figures; got 'pdf'"):
        write_figures([make_run().path], tmp_path, formats=["pdf"])
