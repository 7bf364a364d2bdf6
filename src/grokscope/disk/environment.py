"""Where a run was made: packages, source, hardware, and what its bits depend on."""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import grokscope

_PACKAGES: Final = (
    "grokscope",
    "equinox",
    "jax",
    "jaxlib",
    "numpy",
    "optax",
    "pyarrow",
    "safetensors",
)
_GIT_SECONDS: Final = 10


def environment(
    *, device: str, jaxlib: str, run_axis: str, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the manifest's `packages`, `git_commit`, `hardware` and `determinism`.

    **Arguments:**

    - `device`: what computes, for instance `cpu` or the name of a GPU.
    - `jaxlib`: version of the compiler.
    - `run_axis`: how several seeds share a program, `map` or `vmap`.
    - `settings`: what else is set around us that changes bits, by name; none is as usual.
    """
    processor, threads = _processor(), _threads()
    return {
        "packages": _packages(),
        "git_commit": git_commit(Path(grokscope.__file__).parent),
        "hardware": {
            "platform": platform.platform(),
            "processor": processor,
            "cores": os.cpu_count(),
            "threads": threads,
            "device": device,
        },
        "determinism": {
            "jaxlib": jaxlib,
            "processor": processor,
            "threads": threads,
            "run_axis": run_axis,
            "settings": dict(settings or {}),
        },
    }


def git_commit(folder: Path) -> str | None:
    """Return the commit of the sources in `folder`, with `-dirty` when they differ from it.

    None without git, and where `folder` only lies inside somebody else's repository.
    """
    if _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    return _git(folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _packages() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _threads() -> int:
    """Return the number of processors that this process may use, as XLA counts them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
