"""`gs.train` takes a source in any form that a user has at hand."""

from pathlib import Path
from types import SimpleNamespace

import pytest

import grokscope as gs
from grokscope.config import TransferConfig
from grokscope.experiments import api
from grokscope.experiments.run import Run
from grokscope.runs.folder import RunFolder
from grokscope.runs.manifest import Manifest


def test_a_source_is_a_run_a_folder_or_a_path(
    helpers: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[TransferConfig] = []
    monkeypatch.setattr(api, "train_run", lambda config, *_, **__: seen.append(config.transfer))
    document = helpers.tiny().to_json()
    manifest = Manifest.new(document, "x + y", device="cpu", jaxlib="1", run_axis="map")
    folder = RunFolder(Path("runs/a"), manifest)
    here = str(Path("runs/a").absolute())  # of a run it holds wherever the program goes
    for form, text in (
        (Run(folder, []), here), (folder, here), ("runs/a", "runs/a"), (Path("runs/a"), "runs/a"),
    ):  # fmt: skip
        gs.train("x*y", out=tmp_path, source=form, load=["embedding"])
        assert seen.pop() == TransferConfig(text, ("embedding",))
