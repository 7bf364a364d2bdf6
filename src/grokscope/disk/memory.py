"""Whether a file fits into memory, so that a healthy one is not called damaged for lack of it."""

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from grokscope.disk.atomic import path_in_words
from grokscope.errors import GrokscopeError

_GIB: Final = 2**30


@contextlib.contextmanager
def fitting(path: Path, needed: int) -> Iterator[None]:
    """Refuse what does not fit before it is tried, and say so where memory ends nevertheless.

    **Arguments:**

    - `path`: the file that is read.
    - `needed`: bytes that it takes in memory, at least.

    **Raises:** `GrokscopeError` that names the file and the memory that it needs.
    """
    free = free_memory()
    if needed > free:
        raise _too_large(path, needed, free)
    try:
        yield
    except MemoryError as error:
        raise _too_large(path, needed, free_memory()) from error


def free_memory() -> float:
    """Return the bytes that this process can still take, infinite where nothing says so.

    The machine, the container and the limit of the process (`ulimit -v`) each have a word in it.
    """
    return max(0.0, min(_of_the_machine(), _of_the_container(), _of_the_process()))


def _too_large(path: Path, needed: int, free: float) -> GrokscopeError:
    return GrokscopeError(
        f"there is not enough memory to read {path_in_words(path)}:"
        f" it needs {needed / _GIB:.1f} GiB or more, and {free / _GIB:.1f} GiB are free",
        next_step="free memory, or save the tables that you need in a file of their own",
    )


def _of_the_machine() -> float:
    for line in _text(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            return 1024 * float(line.split()[1])
    return math.inf


def _of_the_container() -> float:
    """Return what the control groups of this process, and those around them, leave free."""
    free = math.inf
    for line in _text(Path("/proc/self/cgroup")).splitlines():
        _, controllers, own = line.split(":", 2)
        if controllers in _CGROUPS:
            place = _CGROUPS[controllers].folder / own.lstrip("/")
            around = [folder for folder in place.parents if folder.parent != folder]
            free = min(free, *(_CGROUPS[controllers].free(f) for f in (place, *around)))
    return free


class _Cgroups(NamedTuple):
    """Where a version of control groups keeps the memory of each, and under which names."""

    folder: Path
    limit: str
    used: str
    of_files: str
    """In memory.stat: files that were read lie in memory as long as nobody else wants it."""

    def free(self, folder: Path) -> float:
        limit, used = (_text(folder / name).strip() for name in (self.limit, self.used))
        if not (limit.isdigit() and used.isdigit()):
            return math.inf
        facts = dict(line.split() for line in _text(folder / "memory.stat").splitlines())
        return float(int(limit) - int(used) + int(facts.get(self.of_files, 0)))


_ROOT: Final = Path("/sys/fs/cgroup")
_CGROUPS: Final = {
    "": _Cgroups(_ROOT, "memory.max", "memory.current", "inactive_file"),
    "memory": _Cgroups(
        _ROOT / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
    ),
}
"""By the controllers that /proc/self/cgroup names: of version 2, and of version 1."""


def _of_the_process() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return math.inf
    pages = _text(Path("/proc/self/statm")).split()
    return float(limit - int(pages[0]) * os.sysconf("SC_PAGE_SIZE")) if pages else math.inf


def _text(path: Path) -> str:
    """Return what a file of the kernel says, nothing where there is none."""
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""
