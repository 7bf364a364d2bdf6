"""Spawned processes that talk in lines of JSON, and stop when nobody is left to talk to."""

import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from grokscope.sweeps.engines.cores import Cores, cores_here
from grokscope.sweeps.engines.process import Process

PATIENCE: Final = 120
ECHO: Final = """
import os, sys, time
from grokscope.sweeps.engines.process import Conversation
def main():
    talk = Conversation()
    print("no document")
    while (request := talk.next()) is not None:
        if "sleep" in request:
            talk.say({"sleeping": os.getpid()})
            time.sleep(request["sleep"])
        found = {"cores": sorted(os.sched_getaffinity(0)), "jax": "jax" in sys.modules}
        found |= {"group": os.getpgid(0) == os.getpid(), "set": os.environ.get("SET")}
        talk.answer(found | request)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "echo_for_tests.py").write_text(ECHO)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "echo_for_tests"


Start = Callable[[Cores], tuple[Process, Callable[[], dict[str, Any] | None]]]


@pytest.fixture
def start(module: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a process, and gives it with a function that waits for what it says next."""
    started: list[Process] = []

    def begin(place: Cores) -> tuple[Process, Callable[[], dict[str, Any] | None]]:
        said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        process = Process(module, place, tmp_path / "log", lambda _, what: said.put(what))
        started.append(process)
        return process, lambda: said.get(timeout=PATIENCE)

    yield begin
    for process in started:
        process.kill()


def test_a_conversation(start: Start, tmp_path: Path) -> None:
    core = cores_here()[-1]
    process, heard = start(Cores((core,), {"SET": "yes"}))
    process.say({"x": [1, "η"]})
    assert heard() == {"cores": [core], "jax": False, "group": True, "set": "yes", "x": [1, "η"]}
    process.dismiss()
    assert heard() is None
    assert process.ended() == "exit code 0"
    assert (tmp_path / "log").read_text() == "no document\n"
    process.say({})  # to nobody


def test_deaths_in_words(start: Start) -> None:
    process, heard = start(Cores(()))
    os.kill(process.pid, 9)
    assert heard() is None
    assert process.ended() == "SIGKILL, perhaps for want of memory"
    process, heard = start(Cores(()))
    process.say({"sleep": 600})
    assert heard() == {"sleeping": process.pid}
    process.stop()
    assert heard() is None
    assert process.ended() == "SIGTERM"


def test_an_orphan_stops_by_itself(module: str) -> None:
    program = f"""
import sys, time
from grokscope.sweeps.engines.cores import Cores
from grokscope.sweeps.engines.process import Process
process = Process({module!r}, Cores(()), None, lambda _, said: print(said["sleeping"], flush=True))
process.say({{"sleep": 600}})
time.sleep(600)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    end = time.monotonic() + PATIENCE
    while Path(f"/proc/{child}/stat").exists() and time.monotonic() < end:
        if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.05)
    assert time.monotonic() < end
