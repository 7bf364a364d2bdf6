"""A copy can be resumed from whatever moment it was taken at, and one attempt alone writes it."""

import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from grokscope.errors import DiskError, UsageError
from grokscope.sweeps.mirror import LostRunError, Mirror, following

fsspec = pytest.importorskip("fsspec")

FILES = {
    "metrics/part-000000010-aa.parquet": b"rows",
    "spectra/part-000000010-bb.parquet": b"norms",
    "checkpoints/seed-0/step-0000010.safetensors": b"weights",
    "state/state.safetensors": b"state 10",
    "manifest.json": b"running",
}


def put(run: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name("new").write_bytes(data)
        path.with_name("new").replace(path)


def found(run: Path) -> dict[str, bytes]:
    return {str(p.relative_to(run)): p.read_bytes() for p in run.rglob("*") if p.is_file()}


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return f"file://{tmp_path}/bucket/runs/one/"
    return f"memory://{tmp_path.name}/runs/one"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    put(tmp_path / "run", FILES)
    return tmp_path / "run"


def test_there_and_back(run: Path, url: str, tmp_path: Path) -> None:
    mirror = Mirror(run, url)
    assert not mirror.exists()
    mirror.push()
    assert mirror.exists()
    Mirror(tmp_path / "other", url).pull()
    assert found(tmp_path / "other") == FILES


def test_nothing_there_is_nothing_here(url: str, tmp_path: Path) -> None:
    Mirror(tmp_path / "other", url).pull()
    assert found(tmp_path / "other") == {}


def test_hidden_files_stay(run: Path, url: str, tmp_path: Path) -> None:
    put(run, {".lock": b"1", "metrics/.part.tmp-1": b"half"})
    Mirror(run, url).push()
    Mirror(tmp_path / "other", url).pull()
    assert found(tmp_path / "other") == FILES


class Killed(BaseException):
    """As a kill: nothing handles it."""


def recorded(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, last: int | None = None) -> list[str]:
    """Return a list that fills with what `mirror` writes and removes; `last` is not done."""
    log: list[str] = []

    def note(verb: str) -> Any:
        original = getattr(mirror, f"_{verb}")

        def call(name: str, *data: bytes) -> None:
            if len(log) == last:
                raise Killed
            log.append(f"{verb} {name}")
            original(name, *data)

        return call

    for verb in ("write", "remove"):
        monkeypatch.setattr(mirror, f"_{verb}", note(verb))
    return log


def test_only_what_is_new_goes_and_what_is_gone_goes_too(
    run: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = Mirror(run, url)
    log = recorded(mirror, monkeypatch)
    mirror.push()
    assert log == [f"write {name}" for name in FILES]
    log.clear()
    mirror.push()
    assert log == []
    (run / "metrics/part-000000010-aa.parquet").unlink()
    put(run, {"metrics/part-000000020-cc.parquet": b"more", "state/state.safetensors": b"20"})
    mirror.push()
    assert log == [
        "remove metrics/part-000000010-aa.parquet",
        "write metrics/part-000000020-cc.parquet",
        "write state/state.safetensors",
    ]


def test_a_file_of_equal_size_that_was_replaced_is_sent(run: Path, url: str, tmp_path: Path):
    here = Mirror(run, url)
    here.push()
    again = Mirror(tmp_path / "again", url)
    again.pull()
    name = "checkpoints/seed-0/step-0000010.safetensors"
    put(tmp_path / "again", {name: b"WEIGHTS"})
    again.push()
    Mirror(tmp_path / "third", url).pull()
    assert (tmp_path / "third" / name).read_bytes() == b"WEIGHTS"


@pytest.mark.parametrize("last", range(4))
def test_a_kill_between_two_writes_leaves_the_old_state_or_all_that_the_new_one_needs(
    run: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    mirror = Mirror(run, url)
    mirror.push()
    new = {
        "metrics/part-000000020-cc.parquet": b"more",
        "checkpoints/seed-0/step-0000020.safetensors": b"other weights",
        "state/state.safetensors": b"state 20",
        "manifest.json": b"grokked",
    }
    put(run, new)
    log = recorded(mirror, monkeypatch, last)
    with pytest.raises(Killed):
        mirror.push()
    assert log == [f"write {name}" for name in new][:last]
    Mirror(tmp_path / "other", url).pull()
    other = found(tmp_path / "other")
    assert FILES.keys() <= other.keys()
    if other["state/state.safetensors"] == b"state 20":
        assert new.keys() <= other.keys()
    else:
        assert other["manifest.json"] == b"running"


def test_a_save_during_a_push_is_sent_with_the_next(
    run: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state that goes is the one before the save; its parts are there, and the new ones."""
    mirror = Mirror(run, url)
    original = mirror._here

    def save_meanwhile() -> Any:
        put(
            run,
            {"metrics/part-000000020-cc.parquet": b"more", "state/state.safetensors": b"state 20"},
        )
        return original()

    with monkeypatch.context() as patch:
        patch.setattr(mirror, "_here", save_meanwhile)
        mirror.push()
    Mirror(tmp_path / "other", url).pull()
    assert found(tmp_path / "other")["state/state.safetensors"] == b"state 10"
    mirror.push()
    Mirror(tmp_path / "other", url).pull()
    assert found(tmp_path / "other") == found(run)


def test_an_attempt_that_lost_the_run_writes_no_more(run: Path, url: str, tmp_path: Path) -> None:
    old, new = Mirror(run, url, "old"), Mirror(tmp_path / "new", url, "new")
    old.claim()
    old.push()
    new.claim()
    new.pull()
    put(run, {"state/state.safetensors": b"late", "metrics/part-000000030-dd.parquet": b"late"})
    with pytest.raises(LostRunError, match="another worker goes on with"):
        old.push()
    Mirror(tmp_path / "other", url).pull()
    assert found(tmp_path / "other") == FILES
    new.push()


def test_saves_are_followed_and_the_last_one_waits(run: Path, url: str, tmp_path: Path) -> None:
    mirror, there = Mirror(run, url), Mirror(tmp_path / "other", url)
    mirror.push()
    with following([mirror], pause=0.01):
        put(run, {"state/state.safetensors": b"state 20"})
        end = time.monotonic() + 30
        while found(tmp_path / "other").get("state/state.safetensors") != b"state 20":
            assert time.monotonic() < end
            there.pull()
    put(run, {"manifest.json": b"grokked"})
    with following([mirror], pause=60):
        put(run, {"manifest.json": b"undecided"})
    there.pull()
    assert found(tmp_path / "other") == found(run)
    assert threading.active_count() < 20


def test_a_place_that_cannot_be_reached_does_not_stop_the_training_but_is_told(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = Mirror(run, "memory://nowhere")

    def refuse(*_: Any) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(mirror, "_write", refuse)
    trained: list[int] = []

    def train() -> None:
        with following([mirror], pause=0.01):
            put(run, {"state/state.safetensors": b"state 20"})
            time.sleep(0.1)
            trained.append(20)

    with pytest.raises(DiskError, match="cannot write 'memory://nowhere': ConnectionError: no rou"):
        train()
    assert trained == [20]


def test_urls_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"the storage cannot be used: .*nosuch"):
        Mirror(tmp_path, "nosuch://bucket")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UsageError, match='pip install "grokscope'):
        Mirror(tmp_path, "memory://bucket")
