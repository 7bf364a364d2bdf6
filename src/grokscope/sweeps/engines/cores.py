"""Distinct cores of this machine, or its GPUs, for worker processes."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from filelock import lock_descriptor

from grokscope.errors import UsageError

_SECONDS: Final = 10


@dataclass(frozen=True)
class Cores:
    """What one worker has for itself.

    **Arguments:**

    - `cores`: the processors that it may use; none where the system cannot say.
    - `environment`: variables of its own.
    - `memory_mib`: of its GPU; None on a CPU.
    """

    cores: tuple[int, ...]
    environment: dict[str, str] = field(default_factory=dict)
    memory_mib: int | None = None


def cores_here() -> tuple[int, ...]:
    """Return the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def worker_cores(workers: int | None = None) -> list[Cores]:
    """Return one place per worker: one per GPU where JAX can use them, else one per core.

    A worker has one core, and one thread, however many there are: so its bits are the same.

    **Raises:** `UsageError` for no workers, and for more than there are GPUs or cores.
    """
    gpus, cores = gpus_here(), cores_here()
    found = _of_gpus(gpus, cores) if gpus else [Cores((core,)) for core in cores]
    if workers is None:
        return found
    if not 1 <= workers <= len(found):
        kind = "GPUs" if gpus else "cores"
        raise UsageError(
            "the number of workers is not usable",
            got=workers,
            allowed=f"1 to {len(found)}, the number of {kind} here",
        )
    return found[:workers]


def _of_gpus(gpus: Sequence[tuple[str, int]], cores: tuple[int, ...]) -> list[Cores]:
    """Share the cores out among the GPUs."""
    return [
        Cores(cores[i :: len(gpus)] or cores, {"CUDA_VISIBLE_DEVICES": name}, memory)
        for i, (name, memory) in enumerate(gpus)
    ]


def gpus_here() -> list[tuple[str, int]]:
    """Return name and memory (MiB) of the GPUs that JAX would use; imports no JAX."""
    platforms = os.environ.get("JAX_PLATFORMS", "")
    plugin = any(importlib.util.find_spec(f"jax_cuda{n}_plugin") for n in (12, 13))
    if not plugin or (platforms and "cuda" not in platforms and "gpu" not in platforms):
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    listed = dict(_nvidia())
    if visible is None:
        return list(listed.items())
    smallest = min(listed.values(), default=0)
    names = [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")]
    return [(name, listed.get(name, smallest)) for name in names] if listed else []


def _nvidia() -> list[tuple[str, int]]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    query = ["--query-gpu=index,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            [program, *query], capture_output=True, text=True, timeout=_SECONDS, check=True
        )
        rows = [line.split(",") for line in done.stdout.splitlines() if line.strip()]
        return [(index.strip(), int(memory)) for index, memory in rows]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []


_held: list[int] = []
"""Locks of the cores of this process; the kernel frees them when it ends, however it ends."""


def take_cores(n: int) -> None:
    """Pin this thread, and those that it starts, to `n` cores: free ones where there are.

    Call it before JAX starts. Where several clusters share a machine, or there are more workers
    than cores, cores are shared: slower, with the same results. On systems that cannot pin
    (macOS) nothing happens.

    **Raises:** `UsageError` where this process may not use so many cores.
    """
    if not hasattr(os, "sched_setaffinity") or _held:
        return
    allowed = sorted(os.sched_getaffinity(0))
    if n > len(allowed):
        raise UsageError(
            "a worker cannot have so many cores",
            got=n,
            allowed=f"1 to {len(allowed)} on this machine",
        )
    free = [core for core in allowed if len(_held) < n and _lock(core)]
    others = [core for core in allowed if core not in free]
    start = os.getpid() % max(len(others), 1)
    chosen = free + (others[start:] + others[:start])[: n - len(free)]
    os.sched_setaffinity(0, chosen)


def _lock(core: int) -> bool:
    """Hold a core for the rest of this process, unless another process does."""
    try:
        descriptor = os.open(_folder() / f"core-{core}", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return False
    try:
        taken = lock_descriptor(descriptor, blocking=False)
    except OSError:
        taken = False
    if not taken:
        os.close(descriptor)
        return False
    _held.append(descriptor)
    return True


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"grokscope-cores-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder
