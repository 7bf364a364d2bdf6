"""Workers and nodes of a real Ray cluster are killed in mid-run: nothing is lost, to the bit.

Everything happens on this machine, on loopback addresses. `pytest -s` shows the log.
"""

import itertools
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from grokscope.config.run import configure
from grokscope.disk.folder import RunFolder
from grokscope.disk.lock import is_locked
from grokscope.disk.sweep_folder import failures
from grokscope.errors import RunFolderError
from grokscope.sweeps.batch import Batch, Outcome
from grokscope.sweeps.engines.local import LocalEngine
from grokscope.sweeps.engines.ray import RayEngine
from grokscope.sweeps.job import Job, job_of

pytest.importorskip("ray")  # an extra; the only reason to skip

from ray._private.authentication.authentication_token_setup import _enable_token_auth
from tests.end_to_end.ray_machines import Machines, strangers

SETTINGS: Final[dict[str, Any]] = {
    "preset": "quick",
    "p": 11,
    "train_fraction": 0.8,
    "d_model": 16,
    "heads": 2,
    "d_mlp": 32,
    "steps": 2400,
    "eval_every": 10,
    "save_every": 10,
    "spectra_every": 500,
    "checkpoint_every": 500,
    "stop": False,
}
"""So many steps that an idle machine, too, trains for tens of looks after a kill."""
KILL_AFTER: Final = 50


def job(operation: str, seed: int = 0, **changes: Any) -> Job:
    return job_of(configure((operation,), **SETTINGS | changes, seeds=(seed,)))


JOBS: Final = (job("x + y"), job("x*y"), job("x + y", seed=1))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same jobs, trained by the local engine without being disturbed."""
    folder = tmp_path_factory.mktemp("plain")
    outcomes = LocalEngine(workers=1).run([Batch(JOBS)], folder)
    assert sorted(outcomes, key=by_name) == sorted(done(), key=by_name)
    return folder


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_AUTH_MODE", "token")
        _enable_token_auth()  # Ray was imported, and read the mode, before
        found = Machines()
        for _ in range(2):
            found.add()
        yield found
        found.shutdown()


class Log:
    """Says what happens to the jobs, and when."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, line: str) -> None:
        print(f"[{time.monotonic() - self._began:5.1f} s] {line}", flush=True)


def label(one: Job) -> str:
    return f"{one.config.task.expressions[0]}, seed {one.config.seeds[0]},"


def saved_step(run: Path) -> int:
    """Return the step of the last save, or −1."""
    try:
        saved = RunFolder.open(run).load_state()
    except RunFolderError:
        return -1
    return -1 if saved is None else saved[0]


def owner(run: Path) -> int | None:
    """Return the process that trains a run."""
    return int((run / ".lock").read_text() or 0) or None if is_locked(run) else None


def contents(run: Path) -> dict[str, Any]:
    """Return what must not depend on engines and kills."""
    folder = RunFolder.open(run)
    saved = folder.load_state()
    assert saved is not None
    return {
        "checkpoints": {
            str(f.relative_to(run)): f.read_bytes() for f in run.glob("checkpoints/*/*.safetensors")
        },
        "state": {key: array.tobytes() for key, array in saved[1].items()},
        "step": saved[0],
        "metrics": repr(folder.metrics().to_pylist()),  # as text, where NaN equals NaN
        "spectra": repr(folder.spectra().to_pylist()),
        "results": folder.manifest.results,
        "status": folder.manifest.status,
        "threads": folder.manifest.determinism["threads"],
    }


def assert_same(run: Path, plain: Path, log: Log, one: Job) -> None:
    found, wanted = contents(run), contents(plain)
    for key, value in wanted.items():
        assert found[key] == value, key
    rows = [
        tuple(row.values())
        for row in RunFolder.open(run).metrics().drop_columns("value").to_pylist()
    ]
    assert len(set(rows)) == len(rows)
    steps = {row[1] for row in rows}
    assert steps == set(range(0, SETTINGS["steps"] + 1, SETTINGS["eval_every"]))
    log(
        f"{label(one)} step {found['step']}: {len(found['checkpoints'])} checkpoints equal to the "
        f"bit, {len(rows)} metrics rows, none lost or doubled, {found['threads']} thread"
    )


def test_a_worker_and_a_node_are_killed(machines: Machines, plain: Path, tmp_path: Path) -> None:
    log = Log()
    deeds = {JOBS[0].name: "worker", JOBS[1].name: "node"}
    owners: dict[str, int] = {}
    resumed_at: dict[str, int] = {}
    killed_at: dict[str, int] = {}
    nodes: dict[int, str] = {}
    dead: set[int] = set()
    foreign: set[str] = set()
    looks = itertools.count()

    def watch() -> bool:
        if next(looks) % 10 == 0:
            foreign.update(strangers())
        for one in JOBS:
            run = tmp_path / "runs" / one.name
            worker, step = owner(run), saved_step(run)
            if worker is None or worker in dead:
                continue
            if owners.get(one.name) != worker:
                node = machines.workers().get(worker)
                if node is None:
                    continue  # it ended while we looked
                nodes[worker] = node
                verb = "goes on" if one.name in owners else "begins"
                log(f"{label(one)} {verb}: process {worker} of node {node}, saved step {step}")
                if one.name in owners:
                    resumed_at[one.name] = step
                owners[one.name] = worker
            if step >= KILL_AFTER and one.name in deeds:
                node = nodes[worker]
                killed_at[one.name] = step
                dead.add(worker)
                if deeds.pop(one.name) == "worker":
                    log(f"{label(one)} step {step}: kill -9 of process {worker} of node {node}")
                    os.kill(worker, signal.SIGKILL)
                else:
                    log(f"{label(one)} step {step}: node {node} with process {worker} is lost")
                    machines.lose(node)
        return False

    engine = RayEngine(address=machines.address)
    outcomes = engine.run([Batch((one,)) for one in JOBS], tmp_path, watch=watch)
    log("the engine returns")
    assert sorted(outcomes, key=by_name) == sorted(done(), key=by_name)
    assert deeds == {}
    assert resumed_at.keys() == killed_at.keys()
    for one_name, step in killed_at.items():
        assert resumed_at[one_name] >= step
    for one in JOBS:
        assert_same(tmp_path / "runs" / one.name, plain / "runs" / one.name, log, one)
    assert failures(tmp_path) == {}
    assert not (tmp_path / ".ray").exists()
    assert foreign == set()


def by_name(outcome: Outcome) -> str:
    return outcome.name


def done(jobs: Sequence[Job] = JOBS) -> list[Outcome]:
    return [Outcome(one.name, "undecided") for one in jobs]


def test_a_run_in_storage_outlives_its_node(
    machines: Machines, plain: Path, tmp_path: Path
) -> None:
    log, one = Log(), JOBS[2]
    machines.add()
    sweep, copy = tmp_path / "sweep", tmp_path / "bucket" / "runs" / one.name
    seen: list[str] = []
    lost: list[int] = []

    def watch() -> bool:
        step = saved_step(copy)
        for worker, node in machines.workers().items():
            if not seen or seen[-1] != node:
                log(f"{label(one)} is with process {worker} of node {node}, step in storage {step}")
                seen.append(node)
            if step >= KILL_AFTER and not lost:
                log(f"{label(one)} step in storage {step}: node {node} is lost")
                lost.append(step)
                machines.lose(node)
        return False

    engine = RayEngine(address=machines.address, storage=f"file://{tmp_path}/bucket")
    assert engine.run([Batch((one,))], sweep, watch=watch) == done([one])
    assert len(set(seen)) == 2
    assert lost
    assert_same(sweep / "runs" / one.name, plain / "runs" / one.name, log, one)
    assert_same(copy, plain / "runs" / one.name, log, one)


def test_a_stop_saves_and_the_next_command_goes_on(
    machines: Machines, plain: Path, tmp_path: Path
) -> None:
    log, one = Log(), JOBS[0]
    run = tmp_path / "runs" / one.name
    engine = RayEngine(address=machines.address)
    batches = [Batch((one,)), Batch((JOBS[1],))]
    outcomes = engine.run(batches, tmp_path, watch=lambda: saved_step(run) >= KILL_AFTER)
    log(f"stopped: {[(o.name, o.status) for o in outcomes]}")
    assert Outcome(one.name, "interrupted") in outcomes
    assert RunFolder.open(run).manifest.status == "interrupted"
    assert engine.run([Batch((one,))], tmp_path) == done([one])
    assert_same(run, plain / "runs" / one.name, log, one)


SPEC: Final = """
[axes]
seed = [0, 1]
[fixed]
operation = "x + y"
preset = "quick"
p = 7
train_fraction = 0.6
d_model = 16
heads = 2
d_mlp = 16
steps = 40
"""


def test_without_an_address_a_cluster_starts_here(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(SPEC)
    told = {}
    for engine in ("ray", "local --workers 1"):
        out = tmp_path / engine.split()[0]
        words = shlex.split(f"sweep {tmp_path}/spec.toml --out {out} --json --engine {engine}")
        command = [sys.executable, "-m", "grokscope", *words]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        told[out.name] = json.loads(ended.stdout)  # one document, and nothing of Ray's
    assert told["ray"]["counts"] == told["local"]["counts"] == {"undecided": 2}
    names = sorted(path.name for path in (tmp_path / "local" / "runs").iterdir())
    assert len(names) == 2
    for one in names:
        ours, theirs = (contents(tmp_path / engine / "runs" / one) for engine in ("ray", "local"))
        assert ours == theirs
