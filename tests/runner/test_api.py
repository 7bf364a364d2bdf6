"""`gs.train` takes a source in any form that a user has at hand."""

from pathlib import Path
from types import SimpleNamespace

import pytest

import grokscope as gs
from grokscope.config.transfer import TransferConfig
from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.runner import train
from grokscope.runner.check import Checked


def test_a_source_is_a_run_a_folder_or_a_path(
    helpers: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[TransferConfig] = []
    document = helpers.tiny().to_json()
    manifest = Manifest.new(document, "x + y", device="cpu", jaxlib="1", run_axis="map")
    folder = RunFolder(Path("runs/a"), manifest)
    made = RunFolder.create(tmp_path / "made", manifest)

    def train_checked(checked: Checked, *_: object, **__: object) -> RunFolder:
        seen.append(checked.config.transfer)
        return made

    monkeypatch.setattr(train, "train_checked", train_checked)
    here = str(Path("runs/a").absolute())  # of a run it holds wherever the program goes
    for form, text in (
        (folder, here),
        ("runs/a", "runs/a"),
        (Path("runs/a"), "runs/a"),
    ):
        gs.train("x*y", out=tmp_path, source=form, load=["embedding"])
        assert seen.pop() == TransferConfig(text, ("embedding",))
