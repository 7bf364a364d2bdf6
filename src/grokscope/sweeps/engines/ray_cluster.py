"""A Ray cluster: the user's at an address, or a local one that talks to nobody."""

import contextlib
import math
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, Final

from grokscope.errors import GrokscopeError, UsageError

LOCAL_ADDRESS: Final = "127.0.0.2"
"""A loopback address, but not 127.0.0.1: for that one Ray takes the machine's outer address."""
LEAST_OBJECT_STORE: Final = 80 * 2**20
"""Only text passes through it."""
LONGEST_TEMPORARY: Final = 35
"""Bytes of a path: a socket's may have 107 (Linux), of which Ray adds up to 72."""
_SHORT: Final = "/tmp"
_NOWHERE: Final = "http://127.0.0.1:9"
_HTTP_PROXIES: Final = ("http_proxy", "HTTP_PROXY")
_QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # when they are off, Ray 2.60 still reports that they are off; and it asks the metadata
    # service of each cloud, over plain HTTP, whether it is there
    "RAY_USAGE_STATS_REPORT_URL": _NOWHERE,
    **dict.fromkeys(_HTTP_PROXIES, _NOWHERE),
}
_PREFIXES: Final = ("JAX_", "XLA_")


def import_ray() -> Any:
    """Return the package `ray`; raises `UsageError` where it is not installed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            "the engine ray needs Ray, which is not installed",
            next_step='pip install "grokscope[ray]"',
        ) from error
    return ray


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Yield Ray, connected to a cluster while the block runs; one in use before stays so.

    **Arguments:**

    - `address`: of the user's cluster; without it a local one is started.

    **Raises:** `UsageError` where Ray is missing; `GrokscopeError` where there is no cluster.
    """
    if address is None:
        protect()  # Ray reads this when it is imported
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    stack = contextlib.ExitStack()
    try:
        _connect(ray, address, stack.enter_context(_room()) if address is None else None)
    except Exception as error:
        stack.close()
        where = "start a Ray cluster" if address is None else f"reach a Ray cluster at {address}"
        why = " ".join(str(error).split())[:200]
        raise GrokscopeError(f"cannot {where}: {type(error).__name__}: {why}") from error
    try:
        yield ray
    finally:
        ray.shutdown()
        stack.close()


@contextlib.contextmanager
def _room() -> Iterator[str | None]:
    """Give a folder for Ray's sockets where the user's own has too long a path for them, or None.

    It is removed at the end, with Ray's logs in it.
    """
    own = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
    if len(os.fsencode(own)) <= LONGEST_TEMPORARY or not os.access(_SHORT, os.W_OK):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="ray-", dir=_SHORT, ignore_cleanup_errors=True) as room:
        yield room


def _connect(ray: Any, address: str | None, room: str | None) -> None:
    options = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is not None:
        ray.init(address=address, **options)
        return
    linux = {"_node_ip_address": LOCAL_ADDRESS} if sys.platform == "linux" else {}
    if room is not None:
        linux["_temp_dir"] = room
    with quiet():
        ray.init(
            address="local",
            num_cpus=_cores(),
            include_dashboard=False,
            object_store_memory=LEAST_OBJECT_STORE,
            **linux,
            **options,
        )


def protect() -> None:
    """Let only this process and its children talk to clusters that it starts.

    Ray listens on every interface of the machine, whatever address its nodes have, and whoever
    talks to it can run programs. The token stands in no file: Ray's own is readable by all.
    """
    if "RAY_AUTH_MODE" not in os.environ:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let the processes that the block starts send nothing beyond this machine by themselves.

    `worker_environment` takes the proxies back for the workers, which may need them for storage.
    """
    before = {name: os.environ.get(name) for name in _QUIET}
    os.environ.update(_QUIET)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_environment(cpus: int, gpus: float, *, local: bool) -> dict[str, str]:
    """Return the variables of a worker: those of JAX and XLA here, and what its cores need.

    Ray gives tasks with other variables other processes, so that none trains with threads that
    JAX started for another number of cores.
    """
    ours = {k: v for k, v in os.environ.items() if k.startswith(_PREFIXES)}
    ours |= {"OMP_NUM_THREADS": str(cpus), "GROKSCOPE_CORES": str(cpus)}
    if local:
        ours |= {name: os.environ.get(name, "") for name in _HTTP_PROXIES}
    if not gpus:
        return ours | {"JAX_PLATFORMS": "cpu"}
    ours.pop("JAX_PLATFORMS", None)
    if gpus < 1:  # several workers share a GPU: each takes its part of the memory
        ours["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{0.9 * gpus:.3f}"
    return ours


def slots(nodes: list[dict[str, Any]], cpus: int, gpus: float) -> int:
    """Return how many tasks the living nodes can hold at the same time."""
    total = 0
    for node in nodes:
        if node["Alive"]:
            has = node["Resources"]
            by_gpu = has.get("GPU", 0) / gpus if gpus else math.inf
            total += math.floor(min(has.get("CPU", 0) / cpus, by_gpu))
    return total
