"""What the explorer keeps: each thing once, of runs that lie in it, read anew where they change."""

import threading
import time
from pathlib import Path

import pytest
from tests.explanation.clock_runs import STEPS, write
from tests.explorer.conftest import unpack

from grokscope.disk.folder import RunFolder
from grokscope.errors import RunFolderError, UsageError
from grokscope.explorer.store import Asked, Explorer, Kept


def test_a_value_is_made_once_for_all_threads() -> None:
    kept, made = Kept(4), []

    def make() -> int:
        made.append(1)
        time.sleep(0.05)
        return 7

    threads = [threading.Thread(target=kept.get, args=("a", make)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (kept.get("a", make), len(made)) == (7, 1)


def test_the_oldest_goes_first_and_an_error_is_not_kept() -> None:
    kept, made = Kept(2), []
    for key in ("a", "b", "a", "c", "a", "b"):
        kept.get(key, lambda key=key: made.append(key))
    assert made == ["a", "b", "c", "b"]
    with pytest.raises(ZeroDivisionError):
        kept.get("bad", lambda: 1 // 0)
    assert kept.get("bad", lambda: 5) == 5


def test_a_frame_is_computed_once(own: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    explorer = Explorer(own.path.parent)
    first = explorer.frame(Asked("own"), STEPS[-1])
    monkeypatch.setattr("grokscope.explorer.store.packed_snapshot", None)
    assert explorer.frame(Asked("own"), STEPS[-1]) is first
    assert unpack(first).header["step"] == STEPS[-1]


@pytest.mark.parametrize("run", ["..", "../..", "/etc", "own/../../x"])
def test_runs_that_lie_elsewhere_are_refused(own: RunFolder, run: str) -> None:
    with pytest.raises(RunFolderError, match="outside"):
        Explorer(own.path).overview(Asked(run))


@pytest.mark.parametrize(("kind", "index"), [("neuron", 10**6), ("neuron", -1), ("W_E", 0)])
def test_a_map_that_is_not_there_is_refused(own: RunFolder, kind: str, index: int) -> None:
    with pytest.raises(UsageError, match="no such map"):
        Explorer(own.path).map(Asked("."), STEPS[-1], kind, index)


def test_any_neuron_has_a_map(own: RunFolder) -> None:
    found = unpack(Explorer(own.path).map(Asked("."), STEPS[-1], "neuron", 100))
    assert found.arrays["neuron 100"].shape == (23, 23)


def test_a_new_snapshot_is_seen(own: RunFolder) -> None:
    explorer = Explorer(own.path)
    assert explorer.overview(Asked("."))["steps"] == list(STEPS)
    tensors, meta = own.load_checkpoint(0, STEPS[-1])
    known = {name: meta[name] for name in ("p", "model", "operation")}
    axes = {name: ("token",) * W.ndim for name, W in tensors.items()}
    own.save_checkpoint(0, 400, tensors, axes, known)
    own.write_manifest(own.manifest)
    assert explorer.overview(Asked("."))["steps"] == [*STEPS, 400]


def test_the_listing_reads_only_what_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grokscope.disk import listing

    for name in ("a", "b"):
        write(tmp_path / name, "x + y", (0,), grokked=True)
    read: list[str] = []
    real = listing.summary_of

    def counted(path: Path) -> listing.RunSummary:
        read.append(path.name)
        return real(path)

    monkeypatch.setattr("grokscope.explorer.listing.summary_of", counted)
    explorer = Explorer(tmp_path)
    assert [row.name for row in explorer.rows()] == ["a", "b"]
    explorer.rows()
    assert read == ["a", "b"]
    folder = RunFolder.open(tmp_path / "b")
    folder.write_manifest(folder.manifest)
    explorer.rows()
    assert read == ["a", "b", "b"]


def test_claims_are_followed_from_the_page(own: RunFolder) -> None:
    explorer, asked = Explorer(own.path), Asked(".")
    assert explorer.claims(asked, start=False) == {"done": 0, "all": 0}
    explorer.claims(asked, start=True)
    end = time.monotonic() + 120
    while "claims" not in (found := explorer.claims(asked, start=False)):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert found["claims"]["verdicts"][-1] == "explained"
