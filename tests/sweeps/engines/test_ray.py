"""What the Ray engine says and sends without a cluster."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from grokscope.disk.lock import exclusive
from grokscope.errors import UsageError
from grokscope.sweeps.batch import Batch
from grokscope.sweeps.engines import ray_cluster, ray_task
from grokscope.sweeps.engines.ray import RayEngine
from grokscope.sweeps.engines.ray_cluster import protect, quiet, slots, worker_environment
from grokscope.sweeps.job import job_of


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"cpus": 0}, "cpus is not usable; got 0; allowed: 1 or more"),
        (
            {"gpus": 1.5},
            "gpus is not usable; got 1.5; allowed: 0, a part of one, or a whole number",
        ),
        ({"gpus": -1}, "gpus is not usable; got -1"),
        ({"gpus": float("inf")}, "gpus is not usable; got inf; allowed: 0, a part of one, or"),
        ({"gpus": float("nan")}, "gpus is not usable; got nan"),
        ({"retries": -2}, "retries is not usable; got -2; allowed: -1 or more"),
    ],
)
def test_settings_that_cannot_be_used(settings: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError) as error:
        RayEngine(**settings)
    assert line in str(error.value)


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError) as error:
        RayEngine()
    line = 'the engine ray needs Ray, which is not installed; pip install "grokscope[ray]"'
    assert str(error.value) == line


def test_a_worker_loads_no_jax_before_it_has_its_cores() -> None:
    program = (
        "import sys, grokscope.sweeps.engines.ray_task, grokscope.sweeps.engines.ray\n"
        "print({'jax', 'equinox', 'ray', 'fsspec'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"


def test_no_batches_need_no_cluster(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    assert RayEngine(address="127.0.0.2:1").run([], tmp_path) == []


def test_variables_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_one")
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    monkeypatch.setenv("http_proxy", "http://proxy:1")
    cpu = worker_environment(2, 0, local=True)
    assert cpu["XLA_FLAGS"] == "--xla_one"
    assert cpu["JAX_PLATFORMS"] == "cpu"
    assert cpu["OMP_NUM_THREADS"] == cpu["GROKSCOPE_CORES"] == "2"
    assert cpu["http_proxy"] == "http://proxy:1"
    assert "mine" not in cpu.values()
    assert worker_environment(1, 0, local=True) != cpu
    half = worker_environment(1, 0.5, local=False)
    assert "JAX_PLATFORMS" not in half
    assert "http_proxy" not in half
    assert half["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.450"
    assert "XLA_PYTHON_CLIENT_MEM_FRACTION" not in worker_environment(1, 1, local=False)


def test_what_a_cluster_holds() -> None:
    nodes: list[dict[str, Any]] = [
        {"Alive": True, "Resources": {"CPU": 5.0}},
        {"Alive": True, "Resources": {"CPU": 8.0, "GPU": 1.0}},
        {"Alive": False, "Resources": {"CPU": 100.0, "GPU": 100.0}},
    ]
    assert slots(nodes, 1, 0) == 13
    assert slots(nodes, 2, 0) == 6
    assert slots(nodes, 1, 0.5) == 2
    assert slots(nodes, 6, 0.25) == 1
    assert slots(nodes, 9, 0) == 0


def test_the_variables_are_as_before_once_a_cluster_has_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:1")
    monkeypatch.delenv("http_proxy", raising=False)
    before = dict(os.environ)
    with quiet():
        assert os.environ["HTTP_PROXY"] == os.environ["http_proxy"] == "http://127.0.0.1:9"
        assert os.environ["RAY_USAGE_STATS_REPORT_URL"].startswith("http://127.0.0.1")
    assert dict(os.environ) == before


def test_a_cluster_of_ours_has_a_token_that_cannot_be_guessed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "")
    tokens = set()
    for _ in range(2):
        monkeypatch.delenv("RAY_AUTH_MODE")
        protect()
        assert os.environ["RAY_AUTH_MODE"] == "token"
        tokens.add(os.environ["RAY_AUTH_TOKEN"])
    assert {len(token) for token in tokens} == {64}
    assert len(tokens) == 2
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    protect()
    assert os.environ["RAY_AUTH_MODE"] == "disabled"  # the user's choice


def order(folder: Path, helpers: Any, **changes: Any) -> str:
    batch = Batch((job_of(helpers.tiny()),)).to_json()
    plain = {"batch": batch, "cpus": 1, "folder": str(folder), "token": "t", "storage": None}
    return json.dumps(plain | changes)


@pytest.fixture
def unpinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_task, "take_cores", lambda _: None)


@pytest.mark.usefixtures("unpinned")
def test_a_folder_that_is_another_one_on_the_node_is_refused(
    tmp_path: Path, helpers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_task, "_SIGHT_SECONDS", 0.0)
    reply = json.loads(ray_task.train(order(tmp_path, helpers)))
    assert "a node of the cluster does not see" in reply["refused"]
    assert "--storage URL" in reply["refused"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("unpinned")
def test_a_job_waits_until_the_worker_before_is_dead(
    tmp_path: Path, helpers: Any, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / ".ray" / job_of(helpers.tiny()).name
    place.mkdir(parents=True)
    (tmp_path / ".ray" / "token").write_text("t")
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with exclusive(place):
            held.set()
            release.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    with monkeypatch.context() as patch:
        patch.setattr(ray_task, "_TURN_SECONDS", 0.0)
        assert "is in use" in json.loads(ray_task.train(order(tmp_path, helpers)))["failed"]
    threading.Timer(0.5, release.set).start()
    reply = json.loads(ray_task.train(order(tmp_path, helpers)))
    thread.join()
    assert [outcome["status"] for outcome in reply["outcomes"]] == ["undecided"]
    run = tmp_path / "runs" / reply["outcomes"][0]["name"]
    assert helpers.contents(run) == helpers.contents(finished)


@pytest.mark.usefixtures("unpinned")
def test_storage_holds_the_run_and_the_node_keeps_nothing(
    tmp_path: Path, helpers: Any, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    url = f"file://{tmp_path}/bucket"
    reply = json.loads(ray_task.train(order(tmp_path, helpers, storage=url)))
    (outcome,) = reply["outcomes"]
    assert helpers.contents(tmp_path / "bucket" / "runs" / outcome["name"]) == helpers.contents(
        finished
    )
    assert list((tmp_path / "scratch").iterdir()) == []
    assert json.loads(ray_task.train(order(tmp_path, helpers, storage=url))) == reply


def test_a_long_temporary_folder_is_replaced_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket's path has a limit, and Ray's own words for it help nobody."""
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    with ray_cluster._room() as room:
        assert room is None
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / ("long" * 20)))
    with ray_cluster._room() as room:
        assert room is not None
        assert len(room) <= ray_cluster.LONGEST_TEMPORARY
        assert Path(room).is_dir()
    assert not Path(room).exists()
