"""Cores of this machine for one process alone, as many as its results are promised for.

XLA starts as many threads as a process may use cores, and the bits of a result depend on that.
"""

import fcntl
import os
import tempfile
from pathlib import Path

from grokscope.errors import UsageError

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
        raise UsageError("a worker cannot have so many cores", got=n,
                         allowed=f"1 to {len(allowed)} on this machine")  # fmt: skip
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
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
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
