"""Workers get distinct cores, or GPUs; more than there are is refused."""

import os
from pathlib import Path

import pytest

from grokscope.errors import UsageError
from grokscope.sweeps.engines import cores as module
from grokscope.sweeps.engines.cores import Cores, cores_here, gpus_here, worker_cores


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cores_here", lambda: (2, 3, 5, 7))
    monkeypatch.setattr(module, "gpus_here", list)


@pytest.mark.usefixtures("four_cores")
def test_a_core_each() -> None:
    assert worker_cores() == [Cores((2,)), Cores((3,)), Cores((5,)), Cores((7,))]
    assert worker_cores(2) == [Cores((2,)), Cores((3,))]
    for wrong in (0, -1, 5):
        with pytest.raises(UsageError, match="allowed: 1 to 4, the number of cores here"):
            worker_cores(wrong)


@pytest.mark.usefixtures("four_cores")
def test_a_gpu_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "gpus_here", lambda: [("0", 80_000), ("1", 40_000)])
    assert worker_cores() == [
        Cores((2, 5), {"CUDA_VISIBLE_DEVICES": "0"}, 80_000),
        Cores((3, 7), {"CUDA_VISIBLE_DEVICES": "1"}, 40_000),
    ]
    with pytest.raises(UsageError, match="the number of GPUs here"):
        worker_cores(3)


def test_only_cores_that_this_process_may_use() -> None:
    mine = os.sched_getaffinity(0)
    assert set(cores_here()) == mine
    try:
        os.sched_setaffinity(0, {max(mine)})
        assert cores_here() == (max(mine),)
    finally:
        os.sched_setaffinity(0, mine)


@pytest.fixture
def nvidia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the program that lists GPUs, and for JAX's plugin."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '0, 81559'\necho '1, 40000'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name in ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: name)
    return program


@pytest.mark.usefixtures("nvidia")
def test_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpus_here() == [("0", 81559), ("1", 40000)]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert gpus_here() == [("1", 40000)]
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert gpus_here() == []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert gpus_here() == []


@pytest.mark.parametrize("script", ["exit 9", "echo no", "echo a, b"])
def test_no_gpus(script: str, nvidia: Path) -> None:
    nvidia.write_text(f"#!/bin/sh\n{script}\n")
    assert gpus_here() == []
