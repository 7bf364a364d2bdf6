import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grokscope.config.run import RunConfig
from grokscope.config.transfer import TransferConfig
from grokscope.disk.manifest import Manifest, read_manifest, write_manifest
from grokscope.errors import DiskError, RunFolderError


@pytest.fixture
def manifest(helpers: SimpleNamespace) -> Manifest:
    result = {"seed": 0, "status": "grokked", "memorised_at": 150, "grokked_at": None}
    return dataclasses.replace(helpers.new_manifest(), status="undecided", results=[result])


def rewrite(path: Path, document: dict[str, Any]) -> None:
    """Write a document with the checksum that fits it."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    checksum = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(document | {"checksum": checksum}))


def test_round_trip(tmp_path: Path, manifest: Manifest):
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest)
    assert read_manifest(path) == manifest
    assert RunConfig.from_json(read_manifest(path).config) == RunConfig(seeds=(0, 4_000_000_000))
    first = path.read_bytes()
    write_manifest(path, read_manifest(path))
    assert path.read_bytes() == first


def test_it_is_readable_json_that_begins_with_the_format(tmp_path: Path, manifest: Manifest):
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest)
    document = json.loads(path.read_text())
    first, *_, last = document
    assert (first, last) == ("format", "checksum")
    assert document["results"][0]["memorised_at"] == 150
    assert '\n  "operation": "x + y",\n' in path.read_text()


def test_a_new_manifest_says_where_and_when(manifest: Manifest):
    assert manifest.determinism.keys() == {"jaxlib", "processor", "threads", "run_axis", "settings"}
    assert manifest.determinism["jaxlib"] == "1.2.3"
    assert manifest.hardware["device"] == "cpu"
    assert manifest.times["created"].endswith("+00:00")


def test_every_flipped_bit_is_noticed(tmp_path: Path, manifest: Manifest):
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest)
    data = path.read_bytes()
    for place in range(0, len(data), 3):
        damaged = bytearray(data)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        with pytest.raises(RunFolderError):
            read_manifest(path)


def test_every_truncation_is_noticed(tmp_path: Path, manifest: Manifest):
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest)
    data = path.read_bytes().rstrip()
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        with pytest.raises(RunFolderError, match="damaged"):
            read_manifest(path)


@pytest.mark.parametrize("change", [{"status": "grokked"}, {"seeds": [1]}, {"extra": 1}])
def test_edits_by_hand_are_noticed(tmp_path: Path, manifest: Manifest, change: dict[str, Any]):
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(RunFolderError, match="damaged"):
        read_manifest(path)


@pytest.mark.parametrize("change", [{"extra": 1}, {"status": "fine"}])
def test_intact_but_of_another_shape(tmp_path: Path, manifest: Manifest, change: dict[str, Any]):
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest)
    document = json.loads(path.read_text()) | change
    del document["checksum"]
    rewrite(path, document)
    with pytest.raises(RunFolderError, match="damaged"):
        read_manifest(path)


def test_manifests_from_before_transfer_can_be_read(tmp_path: Path, manifest: Manifest):
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest)
    document = json.loads(path.read_text())
    del document["checksum"], document["transfer"], document["config"]["transfer"]
    rewrite(path, document)
    assert read_manifest(path).transfer is None
    assert RunConfig.from_json(read_manifest(path).config).transfer == TransferConfig()
    del document["times"]  # which they all had
    rewrite(path, document)
    with pytest.raises(RunFolderError, match="damaged"):
        read_manifest(path)


def test_a_newer_format_says_upgrade(tmp_path: Path):
    path = tmp_path / "manifest.json"
    path.write_text('{"format": 2, "unheard": []}')
    with pytest.raises(RunFolderError, match=r"newer grokscope \(format 2, this one reads 1\); up"):
        read_manifest(path)


@pytest.mark.parametrize("text", ["[]", "{}", "1", '{"name": "package", "version": "1"}'])
def test_foreign_files_are_named_so(tmp_path: Path, text: str):
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(RunFolderError, match="not written by grokscope"):
        read_manifest(path)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[" * 100_000, b'{"format": 1}'])
def test_rubbish_is_damaged(tmp_path: Path, data: bytes):
    path = tmp_path / "manifest.json"
    path.write_bytes(data)
    with pytest.raises(RunFolderError, match="damaged"):
        read_manifest(path)


def test_a_full_disk_keeps_the_old_one(
    tmp_path: Path, manifest: Manifest, full_disk: Callable[[str], None]
):
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest)
    full_disk("fsync")
    with pytest.raises(DiskError):
        write_manifest(path, dataclasses.replace(manifest, status="failed"))
    assert read_manifest(path) == manifest
