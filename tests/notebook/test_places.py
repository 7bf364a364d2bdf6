"""Where Python runs: a notebook's event loop, a thread, a process that was spawned; interrupted."""

import asyncio
import multiprocessing
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import grokscope as gs
from grokscope.errors import RunInterruptedError
from grokscope.runner.progress import Callbacks

TINY: dict[str, Any] = {
    "preset": "quick",
    "p": 7,
    "d_model": 16,
    "heads": 2,
    "d_mlp": 16,
    "train_fraction": 0.6,
    "steps": 40,
    "eval_every": 20,
}


def weights(run: gs.Run) -> list[bytes]:
    return [W.tobytes() for W in run.network().weights.values()]


def train(out: Path) -> list[bytes]:
    """Return what a training leads to; a function that a spawned process can import."""
    return weights(gs.train("x + y", out=out, quiet=True, **TINY))


class CtrlC(Callbacks):
    def evaluated(self, evaluation: Any) -> None:
        if evaluation.step == 20:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return train(tmp_path_factory.mktemp("plain") / "run")


def test_an_interrupted_training_goes_on_to_the_same_weights(
    tmp_path: Path, plain: list[bytes]
) -> None:
    with pytest.raises(RunInterruptedError, match=r"gs\.load_run\('.*run'\)\.resume\(\)$"):
        gs.train("x + y", out=tmp_path / "run", callbacks=CtrlC(), **TINY)
    stopped = gs.load_run(tmp_path / "run")
    assert (stopped.status, stopped.steps[-1]) == ("interrupted", 20)
    run = stopped.resume(quiet=True)
    assert (run.status, run.steps[-1]) == ("undecided", 40)
    assert weights(run) == plain
    assert run.resume(60, quiet=True).steps[-1] == 60


def test_inside_a_running_event_loop(tmp_path: Path, plain: list[bytes]) -> None:
    async def cell() -> list[bytes]:
        return train(tmp_path / "run")

    assert asyncio.run(cell()) == plain


def test_in_a_thread(tmp_path: Path, plain: list[bytes]) -> None:
    found: list[list[bytes]] = []
    thread = threading.Thread(target=lambda: found.append(train(tmp_path / "run")))
    thread.start()
    thread.join()
    assert found == [plain]


def test_in_a_process_that_was_spawned(tmp_path: Path, plain: list[bytes]) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(gs_train, tmp_path / "run").result() == plain


def gs_train(out: Path) -> list[bytes]:
    return train(out)
