"""A run that is killed at any moment, and resumed, ends with the bits of one that was not.

Run as a script, this file forks a process for each of the given numbers and kills it at that
write; see `kill_inside_writes`.
"""

import importlib
import itertools
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from grokscope.cli import main
from grokscope.disk.folder import RunFolder

SMALL: Final = shlex.split(
    """x+y --preset quick --p 11 --train-fraction 0.8 --eval-every 10 --save-every 10
    --spectra-every 20 --checkpoint-every 30 --no-stop --no-report --quiet"""
)
LONG: Final = [*SMALL, *shlex.split("--steps 300 --seeds 0 1 --d-model 16 --heads 2 --d-mlp 32")]
SHORT: Final = [*SMALL, *shlex.split("--steps 10 --architecture mlp --d-model 16 --d-embedding 8")]
KILLS: Final = 20
PATIENCE: Final = 600
WRITE: Final = os.write


class Contents(NamedTuple):
    """What must not depend on how often a run was killed."""

    checkpoints: dict[str, bytes]
    state: dict[str, bytes]
    state_step: int
    metrics: str
    spectra: str
    results: list[dict[str, Any]]
    status: str
    leftovers: list[str]


def read(path: Path) -> Contents:
    run = RunFolder.open(path)
    saved = run.load_state()
    assert saved is not None
    step, tensors, _ = saved
    return Contents(
        checkpoints={
            str(file.relative_to(path)): file.read_bytes()
            for file in path.glob("checkpoints/*/*.safetensors")
        },
        state={name: array.tobytes() for name, array in tensors.items()},
        state_step=step,
        metrics=repr(run.metrics().to_pylist()),  # as text, where NaN equals NaN
        spectra=repr(run.spectra().to_pylist()),
        results=run.manifest.results,
        status=run.manifest.status,
        leftovers=[file.name for file in path.rglob(".*") if file.name != ".lock"],
    )


def assert_same(path: Path, uninterrupted: Path) -> None:
    found, wanted = read(path), read(uninterrupted)
    for name, mine, theirs in zip(Contents._fields, found, wanted, strict=True):
        assert mine == theirs, name
    keys = RunFolder.open(path).metrics().drop_columns("value").to_pylist()
    assert len({tuple(key.values()) for key in keys}) == len(keys)
    assert found.leftovers == []


def start(*words: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "grokscope", "train", *map(str, words)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, err
    return err


def until(happened: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until something happened or the process ended."""
    end = time.monotonic() + PATIENCE
    while not happened() and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.001)


def files(path: Path) -> int:
    return sum(1 for _ in path.rglob("[!.]*.*"))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("uninterrupted") / "run"
    finish(start(*LONG, "--out", out))
    return out


def test_kill_at_random_moments(uninterrupted: Path, tmp_path: Path) -> None:
    chance, out = random.Random(20240225), tmp_path / "run-0"
    killed, going_on = 0, itertools.count()
    while killed < KILLS:
        begun = (out / "manifest.json").exists()
        only_folder = begun and next(going_on) % 2
        process = start("--resume", "--out", out, *(["--quiet"] if only_folder else LONG))
        if killed < 5:  # while Python starts, JAX is loaded, and programs are compiled
            time.sleep(chance.uniform(0.05, 1.5) * (killed + 1) / 2)
        else:
            # 300 steps make about 100 files: soon after one of the next of them appears
            enough = files(out) + chance.randint(1, 10)
            until(lambda out=out, enough=enough: files(out) >= enough, process)
            time.sleep(chance.uniform(0, 0.01))
        process.kill()
        process.communicate()
        if process.returncode == 0:
            # a quick machine may end the run before the kill: the next ones hit another run
            assert_same(out, uninterrupted)
            out = tmp_path / f"run-{killed}"
            continue
        killed += 1
    finish(start(*LONG, "--resume", "--out", out))
    assert_same(out, uninterrupted)


def test_a_second_writer_is_refused(uninterrupted: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = start(*LONG, "--out", out)
    until((out / "state" / "state.safetensors").exists, first)
    first.send_signal(signal.SIGSTOP)  # so that it surely holds the folder
    try:
        for words in (["--resume", "--out", out], [*LONG, "--resume", "--out", out]):
            told = finish(start(*words), code=2)
            assert (
                told
                == (
                    f"grokscope: '{out}' is in use by process {first.pid}; "
                    "wait for it, stop it, or choose another --out\n"
                )
                or f"in use by process {first.pid}; wait for it" in told
            )
            assert told.count("\n") == 1
        told = finish(start(*LONG, "--out", out), code=2)
        assert "already holds a run" in told
    finally:
        first.send_signal(signal.SIGCONT)
    finish(first)
    assert_same(out, uninterrupted)


def test_kill_inside_every_write(tmp_path: Path) -> None:
    """In the middle of each file, before each rename, and once more while tidying up."""
    total = int(script(tmp_path / "whole", 0).communicate(timeout=PATIENCE)[0])
    assert total >= 20
    halves = [range(first, total + 1, 2) for first in (1, 2)]
    processes = [script(tmp_path, *numbers) for numbers in halves]
    told = [process.communicate(timeout=PATIENCE) for process in processes]
    exits = "".join(out for out, _ in told).splitlines()
    assert len(exits) == total, told
    assert set(exits) == {"-9 0", "-9 -9 0"}, told
    for number in range(1, total + 1):
        assert_same(tmp_path / f"run-{number}", tmp_path / "whole" / "run-0")


def script(folder: Path, *numbers: int) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, __file__, str(folder), *map(str, numbers)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def kill_inside_writes(folder: Path, numbers: list[int]) -> Iterator[str]:
    """Train and be killed at a write, then resume; 0 only counts the writes.

    A resume that has two files to remove is killed between them, and resumed in turn. These are
    forks of one process that has loaded everything but has not started JAX: that is quick.
    """
    for module in ("grokscope.runner.train", "grokscope.runner.loop"):
        importlib.import_module(module)
    for number in numbers:
        words = ["train", *SHORT, "--resume", "--out", str(folder / f"run-{number}")]
        exits = [fork(words, number, "write", "replace", "mkdir")]
        if number == 0:
            yield (folder / "count").read_text()
            continue
        exits.append(fork(words, 2, "unlink"))
        if exits[-1] != 0:
            exits.append(fork(words, 0))
        yield " ".join(map(str, exits))


def fork(words: list[str], last: int, *names: str) -> int:
    """Run grokscope in a child, killed at call number `last` of the functions of `os` named.

    Return its exit code, negative for a signal; the number of calls goes to a file.
    """
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        calls = itertools.count(1)
        for name in names:
            setattr(os, name, deadly(getattr(os, name), calls, last))
        code = main(words)
        Path(words[-1]).with_name("count").write_text(str(next(calls) - 1))
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def deadly(original: Callable[..., Any], calls: Iterator[int], last: int) -> Callable[..., Any]:
    """Return a function of `os` that kills its process at call number `last`."""

    def call(*arguments: Any, **options: Any) -> Any:
        if next(calls) == last:
            if original is WRITE:
                original(arguments[0], arguments[1][: len(arguments[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)

    return call


if __name__ == "__main__":
    for line in kill_inside_writes(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]]):
        print(line, flush=True)
