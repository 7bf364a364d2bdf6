"""How much memory is free, as the machine, its control groups and the process's limits say it."""

import math
import resource
from pathlib import Path

import pytest

from grokscope.disk import memory
from grokscope.errors import GrokscopeError

GIB = 2**30


def test_memory_that_ends_while_reading_is_said_to_be_memory() -> None:
    with (
        pytest.raises(GrokscopeError, match=r"not enough memory to read 'big\.npy': it needs 3\.0"),
        memory.fitting(Path("big.npy"), 0),
        memory.fitting(Path("big.npy"), 3 * GIB if memory.free_memory() > 3 * GIB else 0),
    ):
        raise MemoryError


def test_what_cannot_fit_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 2.0 * GIB)
    tried = []
    with (
        pytest.raises(GrokscopeError, match=r"8\.0 GiB or more, and 2\.0 GiB are free"),
        memory.fitting(Path("bomb.npz"), 8 * GIB),
    ):
        tried.append(1)
    assert not tried


@pytest.mark.parametrize(
    ("line", "folder", "names"),
    [
        ("0::/job/step", "job", ("memory.max", "memory.current", "inactive_file")),
        (
            "4:memory:/job",
            "memory/job",
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ),
    ],
)
def test_a_control_group_around_this_process_limits_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, folder: str, names: tuple
) -> None:
    limit, used, of_files = names
    place = tmp_path / folder
    place.mkdir(parents=True)
    (place / limit).write_text(f"{5 * GIB}\n")
    (place / used).write_text(f"{3 * GIB}\n")
    (place / "memory.stat").write_text(f"anon 7\n{of_files} {GIB}\n")
    version = "" if line.startswith("0") else "memory"
    root = tmp_path / version
    groups = {version: memory._CGROUPS[version]._replace(folder=root)}
    texts = {"/proc/self/cgroup": f"{line}\n"}
    read = memory._text
    monkeypatch.setattr(memory, "_CGROUPS", groups)
    monkeypatch.setattr(memory, "_text", lambda path: texts.get(str(path)) or read(path))
    assert memory._of_the_container() == 3 * GIB
    (place / limit).write_text("max\n")
    assert memory._of_the_container() == math.inf


def test_the_limit_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"/proc/self/statm": "1000 500"}
    monkeypatch.setattr(memory, "_text", lambda path: texts.get(str(path), ""))
    page = resource.getpagesize()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (5000 * page, resource.RLIM_INFINITY))
    assert memory.free_memory() == 4000 * page
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10 * page, resource.RLIM_INFINITY))
    assert memory.free_memory() == 0
