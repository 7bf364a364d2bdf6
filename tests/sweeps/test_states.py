"""How far the runs of a sweep are, read from files alone."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import pyarrow as pa

from grokscope.disk.folder import RunFolder
from grokscope.disk.manifest import Manifest
from grokscope.disk.metrics import METRIC_SCHEMA, SPECTRA_SCHEMA
from grokscope.disk.sweep_folder import forget_failure, record_failure
from grokscope.sweeps.spec import Spec
from grokscope.sweeps.states import State, States
from grokscope.sweeps.sweep import plan

SPEC = Spec.from_dict(
    {"axes": {"operation": ["x", "y"], "seed": [0, 1]}, "fixed": {"p": 7, "steps": 100}}
)
NAMES = [job.name for job in SPEC.jobs()]


def begin(folder: Path, number: int) -> RunFolder:
    job = SPEC.jobs()[number]
    manifest = Manifest.new(job.config.to_json(), "x", device="cpu", jaxlib="1", run_axis="map")
    return RunFolder.create(folder / "runs" / job.name, manifest)


def save(run: RunFolder, step: int) -> None:
    row = {"seed": 0, "step": step, "measure": "test_accuracy", "value": 0.5}
    metrics = pa.Table.from_pylist([row], schema=METRIC_SCHEMA)
    run.append(metrics, SPECTRA_SCHEMA.empty_table(), step)


def end(run: RunFolder, status: Any, steps: int, grokked_at: int | None = None) -> None:
    result = {
        "seed": run.manifest.seeds[0],
        "status": status,
        "memorised_at": None,
        "grokked_at": grokked_at,
        "diverged_at": None,
        "steps": steps,
    }
    run.write_manifest(dataclasses.replace(run.manifest, status=status, results=[result]))
    # the clock of a file system may be coarser than this test is quick
    stat = (run.path / "manifest.json").stat()
    os.utime(run.path / "manifest.json", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))


def test_from_waiting_to_the_end(tmp_path: Path) -> None:
    states = States(SPEC.points, tmp_path)
    assert set(states.now.values()) == {State("waiting")}
    assert (states.n_ended, states.runs_per_hour) == (0, None)
    run = begin(tmp_path, 0)
    states.poll()
    assert states.now[NAMES[0]] == State("running")
    save(run, 50)
    states.poll()
    assert states.now[NAMES[0]] == State("running", 50)
    end(run, "grokked", 80, 60)
    end(begin(tmp_path, 1), "undecided", 100)
    end(begin(tmp_path, 2), "diverged", 10)
    record_failure(tmp_path, NAMES[3], "out of memory")
    states.poll()
    assert [states.now[name] for name in NAMES] == [
        State("grokked", 80, 60),
        State("undecided", 100),
        State("diverged", 10),
        State("failed", error="out of memory"),
    ]
    assert states.counts == {"grokked": 1, "undecided": 1, "diverged": 1, "failed": 1}
    assert states.n_ended == 4
    assert states.runs_per_hour is not None
    assert states.runs_per_hour > 0
    assert states.seconds_left == 0
    assert [p.job.name for p in states.ended_since(NAMES[:2])] == NAMES[2:]


def test_what_was_killed_waits_until_it_is_trained_again(tmp_path: Path) -> None:
    run = begin(tmp_path, 0)
    save(run, 50)
    states = States(SPEC.points, tmp_path)
    assert states.now[NAMES[0]] == State("waiting", 50)
    states.poll()
    assert states.now[NAMES[0]] == State("waiting", 50)
    end(run, "running", 50)
    states.poll()
    assert states.now[NAMES[0]] == State("running", 50)


def test_failures_are_forgotten_when_they_are_tried_again(tmp_path: Path) -> None:
    end(begin(tmp_path, 0), "interrupted", 20)
    record_failure(tmp_path, NAMES[0], "no")
    states = States(SPEC.points, tmp_path)
    assert states.now[NAMES[0]].status == "failed"
    forget_failure(tmp_path, NAMES[0])
    states.poll()
    assert states.now[NAMES[0]] == State("waiting")


def test_a_damaged_manifest_is_a_failure(tmp_path: Path) -> None:
    run = begin(tmp_path, 0)
    (run.path / "manifest.json").write_text("{")
    state = States(SPEC.points, tmp_path).now[NAMES[0]]
    assert state.status == "failed"
    assert "is damaged" in str(state.error)


def test_the_plan(tmp_path: Path) -> None:
    end(begin(tmp_path, 0), "grokked", 80, 60)
    end(begin(tmp_path, 1), "undecided", 100)
    save(begin(tmp_path, 2), 30)
    record_failure(tmp_path, NAMES[3], "no")
    left = plan(SPEC, tmp_path).left
    assert [(job.name, steps) for job, steps in left] == [(NAMES[2], 70), (NAMES[3], 100)]
    axes = {"operation": ["x", "y"], "seed": [0, 1]}
    longer = Spec.from_dict({"axes": axes, "fixed": {"p": 7, "steps": 300}})
    save(RunFolder.open(tmp_path / "runs" / NAMES[1]), 100)
    left = plan(longer, tmp_path).left
    assert [(job.name, steps) for job, steps in left] == [
        (NAMES[1], 200),
        (NAMES[2], 270),
        (NAMES[3], 300),
    ]
