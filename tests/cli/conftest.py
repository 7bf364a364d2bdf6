"""The command line, run in an empty folder, or in one that holds a run and many broken files."""

import io
import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import safetensors.numpy
from tests.disk.torch_writer import Name, torch_zip

from grokscope.cli import main
from grokscope.config.run import PRESETS
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA

ODD_NAME = "<script>\n\x1b[31m\x07"


@dataclass(frozen=True)
class Outcome:
    """What a command left on the terminal."""

    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs one command in `tmp_path`, in this process, on a terminal of 100 columns."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str) -> Outcome:
        capsys.readouterr()
        try:
            code = main(words)
        except SystemExit as stop:  # after the help of a verb
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def museum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run and one specimen of everything that can be wrong with files."""
    folder = tmp_path_factory.mktemp("museum")
    _tables(folder)
    _runs(folder)
    return folder


@pytest.fixture
def specimens(museum: Path, tmp_path: Path) -> Path:
    """`tmp_path`, filled with a copy of the museum."""
    shutil.copytree(museum, tmp_path, dirs_exist_ok=True)
    return tmp_path


def _tables(folder: Path) -> None:
    table = np.random.default_rng(0).normal(size=(11, 4))
    np.save(folder / "table.npy", table)
    np.save(folder / "vector.npy", table[0])
    np.save(folder / "infinite.npy", np.where(table > 1, np.inf, table))
    np.save(folder / "pickled.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (folder / "bare-pickle.npy").write_bytes(pickle.dumps({"a": 1}))
    np.savez(folder / "only-objects.npz", bad=np.array([print], dtype=object))
    np.savez(folder / "square.npz", W_E=np.ones((12, 11)), W_U=np.ones((11, 11)))
    np.savez(folder / "two.npz", W_E=np.ones((12, 3)), fc=np.ones((14, 3)))
    np.savez(folder / "inside.npz", W_in=np.ones((11, 3)), embed=np.ones((11, 5)))
    (folder / "text.npy").write_text("0 1 2\n3 4 5\n")
    (folder / "empty.npy").touch()
    (folder / "table.csv").write_text("0,1\n")
    whole = safetensors.numpy.save({"W_E": table})
    (folder / "cut.safetensors").write_bytes(whole[:-9])
    (folder / "huge-header.safetensors").write_bytes(b"\xff" * 16)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w") as archive:
        archive.writestr("table.npy", b"\x93NUMPY\x01\x00not a header")
    (folder / "broken.npz").write_bytes(bomb.getvalue())
    (folder / "spec.toml").write_text("[fixed]\noperation = 'x + y'\n")
    (folder / "wrong.toml").write_text("[fixed]\noperation = 'x + y'\nfrobnicate = 1\n")
    (folder / "utf-16.toml").write_text("[fixed]\noperation = 'x + y'\n", "utf-16")
    (folder / "text-for-boolean.toml").write_text("[fixed]\noperation = 'x'\nstop = 'false'\n")
    (folder / "seeds.toml").write_text("[axes]\noperation = ['x + y']\nseeds = [0, 1]\n")
    (folder / "outside.toml").write_text("p = 7\n[fixed]\noperation = 'x + y'\n")
    for name in ("model.pt", "model.h5", "model.pickle"):
        (folder / name).touch()
    (folder / "module.pt").write_bytes(torch_zip(Name("__main__.Transformer")))
    (folder / "cut.pt").write_bytes(torch_zip({"p": 97})[:-1])
    (folder / "old.pt").write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C, 2))
    (folder / "folder.npy").mkdir()
    (folder / "file").touch()


def _runs(folder: Path) -> None:
    _run(folder / "run")
    _run(folder / "no-metrics", rows=False)
    _run(folder / "no-config", task={"q": 11})
    _run(folder / "[red]<script>alert(1)")
    flipped = _run(folder / "flipped-manifest").path / "manifest.json"
    flipped.write_text(flipped.read_text().replace('"p": 59', '"p": 13'))
    (part,) = (_run(folder / "flipped-part").path / "metrics").iterdir()
    part.write_bytes(part.read_bytes()[:-1] + b"\0")
    newer = _run(folder / "newer").path / "manifest.json"
    newer.write_text(newer.read_text().replace('"format": 1', '"format": 2'))
    cut = _run(folder / "cut-state")
    cut.save_state(0, {"weights": np.zeros(3)}, {})
    state = cut.path / "state" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-1])
    for name in ("empty", "foreign", ODD_NAME):
        (folder / name).mkdir()
    (folder / "foreign" / "notes.txt").write_text("mine")


def _run(path: Path, *, rows: bool = True, **changes: object) -> RunFolder:
    config = PRESETS["quick"].to_json() | changes
    manifest = Manifest.new(config, "x + y", device="cpu", jaxlib="1.2.3", run_axis="map")
    run = RunFolder.create(path, manifest)
    values = [{"seed": 0, "step": 0, "measure": "test_accuracy", "value": 0.5}] if rows else []
    metrics = pa.Table.from_pylist(values, schema=METRIC_SCHEMA)
    run.append(metrics, SPECTRA_SCHEMA.empty_table(), 0)
    return run
