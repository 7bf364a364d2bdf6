import dataclasses
import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from grokscope.disk.atomic import names_in
from grokscope.disk.folder import RunFolder
from grokscope.errors import DiskError, RunFolderError

STEPS = (-1, 0, 100, 200, 300)
WRITES = 4 * 5
"""Of four saves: metrics, spectra, two checkpoints, state."""


class KilledError(BaseException):
    """Stands for kill -9: nothing in the package may catch it."""


def resume(folder: Path, helpers: SimpleNamespace) -> None:
    """Go on from the last state to the last step, as training does."""
    run = RunFolder.open(folder)
    with run.lock():
        state = run.load_state()
        done = -1 if state is None else state[0]
        run.rewind(done)
        for first, last in itertools.pairwise(STEPS):
            if first >= done:
                helpers.save(run, first, last)


@pytest.fixture
def expected(tmp_path: Path, helpers: SimpleNamespace) -> dict[str, str]:
    """The files of a run that nothing disturbed."""
    run = RunFolder.create(tmp_path / "undisturbed", helpers.new_manifest())
    resume(run.path, helpers)
    return helpers.fingerprint(run.path)


def test_a_whole_run_comes_back(run: RunFolder, helpers: SimpleNamespace):
    helpers.save(run, -1, 100)
    helpers.save(run, 100, 200)
    again = RunFolder.open(str(run.path))
    assert again.manifest == run.manifest
    assert again.checkpoint_steps(0) == [100, 200]
    tensors, meta = again.load_checkpoint(4_000_000_000)
    np.testing.assert_array_equal(tensors["W_E"], np.full((3, 2), 4_000_000_200, np.float32))
    assert meta == {"p": 3, "seed": 4_000_000_000, "step": 200}
    assert again.load_checkpoint(0, 100)[1]["step"] == 100
    state = again.load_state()
    assert state is not None
    assert state[0] == 200
    np.testing.assert_array_equal(state[1]["weights"], np.arange(6.0) * 200)
    assert state[2]["best"] == [200, None]
    metrics, spectra = helpers.rows_between(-1, 200)
    assert str(again.metrics().to_pylist()) == str(metrics.to_pylist())
    assert again.spectra().to_pylist() == spectra.to_pylist()


def test_a_new_run_is_empty(run: RunFolder):
    assert run.load_state() is None
    assert run.checkpoint_steps(0) == []
    assert run.metrics().num_rows == 0
    run.rewind(-1)


def test_no_rows_make_no_part(run: RunFolder, helpers: SimpleNamespace):
    metrics, spectra = helpers.rows_between(0, 0)
    run.append(metrics, spectra, 0)
    assert not (run.path / "metrics").exists()


def test_plain_columns_are_brought_into_the_schema(run: RunFolder, helpers: SimpleNamespace):
    metrics, spectra = helpers.rows_between(-1, 50)
    plain = pa.Table.from_pylist(metrics.to_pylist())  # int64 and string
    assert plain.schema != metrics.schema
    run.append(plain, spectra, 50)
    assert str(run.metrics().to_pylist()) == str(metrics.to_pylist())


def test_the_manifest_says_when_it_was_updated(run: RunFolder):
    times = {"created": "a", "updated": "b"}
    run.write_manifest(dataclasses.replace(run.manifest, times=times, status="grokked"))
    assert RunFolder.open(run.path).manifest == run.manifest
    assert run.manifest.status == "grokked"
    assert run.manifest.times["created"] == "a"
    assert run.manifest.times["updated"].startswith("20")


def killed_after(times: int, call: Callable[..., Any]) -> Callable[..., Any]:
    """`call`, which works so many times and then ends the process."""
    left = iter(range(times))

    def limited(*arguments: Any, **options: Any) -> Any:
        if next(left, None) is None:
            raise KilledError
        return call(*arguments, **options)

    return limited


def test_killed_at_every_write_and_resumed_it_is_the_same(
    tmp_path: Path,
    helpers: SimpleNamespace,
    expected: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
):
    for moment in range(WRITES):
        run = RunFolder.create(tmp_path / f"killed-{moment}", helpers.new_manifest())
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", killed_after(moment, Path.replace))
            with pytest.raises(KilledError):
                resume(run.path, helpers)
        assert any(".tmp-" in path.name for path in run.path.rglob("*"))
        resume(run.path, helpers)
        assert helpers.fingerprint(run.path) == expected


@pytest.mark.parametrize("step", [-1, 100])
def test_killed_at_every_removal_and_resumed_it_is_the_same(
    tmp_path: Path,
    helpers: SimpleNamespace,
    expected: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    step: int,
):
    for moment in range(5):
        run = RunFolder.create(tmp_path / f"killed-{moment}", helpers.new_manifest())
        helpers.save(run, -1, 0)
        helpers.save(run, 0, 100)
        metrics, spectra = helpers.rows_between(100, 200)
        run.append(metrics, spectra, 200)
        run.save_checkpoint(0, 200, {}, {}, {})
        run.save_checkpoint(0, 300, {}, {}, {})
        (run.path / ".manifest.json.tmp-1").touch()
        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", killed_after(moment, Path.unlink))
            with pytest.raises(KilledError):
                run.rewind(step)
        resume(run.path, helpers)
        assert helpers.fingerprint(run.path) == expected


def test_kill_9_of_a_process(tmp_path: Path, helpers: SimpleNamespace, expected: dict[str, str]):
    program = (
        "import sys, runpy; from grokscope.disk.folder import RunFolder\n"
        "save = runpy.run_path(sys.argv[1])['save']\n"
        "run = RunFolder.open(sys.argv[2])\n"
        "with run.lock():\n"
        "    print('writing', flush=True)\n"
        "    while True:\n"
        "        run.rewind(-1)\n"
        "        for first, last in ((-1, 0), (0, 100), (100, 200)): save(run, first, last)\n"
    )
    run = RunFolder.create(tmp_path / "run", helpers.new_manifest())
    for wait in (0.01, 0.03):
        command = [sys.executable, "-c", program, str(helpers.path), str(run.path)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        with pytest.raises(RunFolderError, match=f"in use by process {writer.pid}"):
            resume(run.path, helpers)
        time.sleep(wait)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        resume(run.path, helpers)
        assert helpers.fingerprint(run.path) == expected


def test_a_full_disk_loses_nothing_saved(
    run: RunFolder, helpers: SimpleNamespace, full_disk: Callable[[str], None]
):
    helpers.save(run, -1, 100)
    before = helpers.fingerprint(run.path)
    full_disk("write")
    with pytest.raises(DiskError, match="free space"):
        helpers.save(run, 100, 200)
    assert helpers.fingerprint(run.path) == before


def test_rewind_restores_exactly(run: RunFolder, helpers: SimpleNamespace):
    helpers.save(run, -1, 100)
    before = helpers.fingerprint(run.path)
    state = (run.path / "state" / "state.safetensors").read_bytes()
    helpers.save(run, 100, 200)
    metrics, spectra = helpers.rows_between(200, 1000)
    run.append(metrics, spectra, 1000)
    run.save_checkpoint(0, 12_345_678, {}, {}, {})
    (run.path / "state" / "state.safetensors").write_bytes(state)
    (run.path / "state" / ".state.safetensors.tmp-1").touch()
    run.rewind(100)
    assert helpers.fingerprint(run.path) == before
    run.rewind(-1)
    assert helpers.fingerprint(run.path) == {}
    assert RunFolder.open(run.path).manifest == run.manifest


def test_rewinding_to_nothing_removes_the_state_before_the_rows(
    run: RunFolder, helpers: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    helpers.save(run, -1, 100)
    removed = []
    unlink = Path.unlink

    def watched(path: Path, missing_ok: bool = False) -> None:
        removed.append(path.name)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", watched)
    run.rewind(-1)
    assert removed[0] == "state.safetensors"


def test_a_folder_that_holds_a_run_is_refused(run: RunFolder):
    with pytest.raises(RunFolderError, match=r"already holds a run; add resume=True, or choose"):
        RunFolder.create(run.path, run.manifest)


def test_a_folder_that_holds_something_else_is_refused_untouched(
    tmp_path: Path, helpers: SimpleNamespace
):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(RunFolderError, match="not a run"):
        RunFolder.create(tmp_path, helpers.new_manifest())
    assert names_in(tmp_path) == ["thesis.tex"]


def test_a_killed_creation_can_be_repeated(tmp_path: Path, helpers: SimpleNamespace):
    for name in (".lock", ".manifest.json.tmp-3"):
        (tmp_path / name).touch()
    assert RunFolder.create(tmp_path, helpers.new_manifest()).path == tmp_path


def test_a_file_in_the_way(tmp_path: Path, helpers: SimpleNamespace):
    (tmp_path / "run").touch()
    for path in (tmp_path / "run", tmp_path / "run" / "deeper"):
        with pytest.raises(RunFolderError, match="is a file"):
            RunFolder.create(path, helpers.new_manifest())
    with pytest.raises(RunFolderError, match="not a directory"):
        RunFolder.open(tmp_path / "run")


def test_nothing_to_open(tmp_path: Path):
    with pytest.raises(RunFolderError, match="no such file"):
        RunFolder.open(tmp_path / "missing")
    with pytest.raises(RunFolderError, match="has no manifest"):
        RunFolder.open(tmp_path)


def test_missing_checkpoints_say_what_there_is(run: RunFolder, helpers: SimpleNamespace):
    helpers.save(run, -1, 100)
    with pytest.raises(RunFolderError, match=r"got 150; the nearest is at 100$"):
        run.load_checkpoint(0, 150)
    with pytest.raises(RunFolderError, match=r"got 7; allowed: seeds 0 4000000000$"):
        run.load_checkpoint(7)


def test_a_renamed_checkpoint_is_noticed(run: RunFolder, helpers: SimpleNamespace):
    helpers.save(run, -1, 100)
    folder = run.path / "checkpoints" / "seed-0"
    (folder / "step-0000100.safetensors").rename(folder / "step-0000200.safetensors")
    with pytest.raises(RunFolderError, match="renamed or replaced"):
        run.load_checkpoint(0)


def test_a_damaged_state_is_one_line(run: RunFolder, helpers: SimpleNamespace):
    helpers.save(run, -1, 100)
    path = run.path / "state" / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RunFolderError, match=r"state\.safetensors' is damaged"):
        run.load_state()
