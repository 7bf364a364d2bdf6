"""Signals in a real process: it saves, says how to go on, and can be resumed."""

import contextlib
import os
import pty
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import pytest

from grokscope.disk.folder import RunFolder

ENDLESS: Final = shlex.split(
    """-m grokscope train x+y --p 7 --architecture mlp --d-model 8 --d-embedding 4
    --train-fraction 0.8 --steps 1000000 --eval-every 10 --save-every 100000 --no-stop
    --no-report"""
)
PATIENCE: Final = 300


def training(out: Path, *words: str, **streams: Any) -> subprocess.Popen[str]:
    """A process that trains beyond its first save."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    process = subprocess.Popen(
        [sys.executable, *ENDLESS, "--out", str(out), *words],
        text=True,
        **streams,
    )
    end = time.monotonic() + PATIENCE
    # the checkpoints at steps 10 and 20 come after the save at step 0
    while not (out / "checkpoints" / "seed-0" / "step-0000020.safetensors").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_one_signal_saves_and_the_run_goes_on(number: signal.Signals, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = training(out, "--quiet")
    process.send_signal(number)
    told, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, told) == (130, "")
    run = RunFolder.open(out)
    saved = run.load_state()
    assert saved is not None
    step = saved[0]
    assert step >= 20
    assert err.startswith(f"grokscope: interrupted at step {step}; everything is saved; go on with")
    assert err.count("\n") == 1
    assert (run.manifest.status, run.manifest.results[0]["steps"]) == ("interrupted", step)
    assert max(run.metrics()["step"].to_pylist()) == step
    go_on_and_stop(out, step)
    keys = RunFolder.open(out).metrics().drop_columns("value").to_pylist()
    assert len({tuple(key.values()) for key in keys}) == len(keys)
    assert {key["step"] for key in keys} == set(range(0, keys[-1]["step"] + 1, 10))


def go_on_and_stop(out: Path, step: int) -> None:
    words = ["-m", "grokscope", "train", "--resume", "--out", str(out)]
    process = subprocess.Popen([sys.executable, *words], text=True, stderr=subprocess.PIPE)
    assert process.stderr is not None
    # on a slow machine, lines about what takes long come before and after
    first = next(line for line in process.stderr if "pairs train" in line)
    assert first.endswith(f"going on at step {step}\n")
    next(line for line in process.stderr if line.startswith("step "))  # it trains again
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=PATIENCE)[1].startswith("grokscope: interrupted at step ")
    assert process.returncode == 130


def test_a_terminal_that_is_closed_ends_a_run_that_is_saved(tmp_path: Path) -> None:
    """The process is told, and can no longer say anything."""
    out = tmp_path / "run"
    ours, theirs = pty.openpty()
    threading.Thread(target=drain, args=(ours,), daemon=True).start()
    process = training(out, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    process.send_signal(signal.SIGSTOP)
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGCONT)
    assert process.wait(timeout=PATIENCE) == 130
    run = RunFolder.open(out)
    saved = run.load_state()
    assert saved is not None
    assert saved[0] >= 20
    assert run.manifest.status == "interrupted"


def drain(terminal: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(terminal, 4096):
            pass


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = training(out, "--quiet")
    for number in (signal.SIGINT, signal.SIGTERM):
        process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, "grokscope: interrupted\n")
    saved = RunFolder.open(out).load_state()
    assert saved is not None
    assert saved[0] == 0  # the save before is kept
