"""A process that trains a few real steps, to say how long they take here."""

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Final

import jax

from grokscope.config.run import RunConfig
from grokscope.config.transfer import TransferConfig
from grokscope.errors import GrokscopeError
from grokscope.runner.loop import train_run
from grokscope.runner.progress import Beginning, Callbacks, Evaluation
from grokscope.sweeps.engines.process import Conversation

_MOST_STEPS: Final = 50
_PAIRS: Final = 75_000
"""Pairs that are trained on in a measurement: a second or two for the paper's network."""


class _Stopwatch(Callbacks):
    """Keeps the moments at which training began, and at which each step was evaluated."""

    def begin(self, beginning: Beginning) -> None:
        self.moments = {beginning.step: time.perf_counter()}

    def evaluated(self, evaluation: Evaluation) -> None:
        self.moments[evaluation.step] = time.perf_counter()


def main() -> None:
    """Measure the configurations that are asked about."""
    conversation = Conversation()
    while (request := conversation.next()) is not None:
        started = time.perf_counter()
        try:
            times = seconds(RunConfig.from_json(request["config"]))
        except GrokscopeError as error:
            conversation.answer({"refused": error.line})
            continue
        conversation.answer(times | {"took": time.perf_counter() - started})


def seconds(config: RunConfig) -> dict[str, float]:
    """Return the times of a run of this shape, by the names of `estimate.Times`.

    Three short runs go into folders that are removed: one that compiles, one that finds kept
    what that one compiled, as a new process would, and one more.
    """
    every = _steps(config)
    first = _moments(config, 2 * every, every)
    chunk = first[2 * every] - first[every]
    jax.clear_caches()
    second = _moments(config, every, every)
    third = _moments(config, every, every)
    compiling, loading, beginning = (max(m[every] - chunk, 0.0) for m in (first, second, third))
    if every != config.schedule.eval_every:
        loading = compiling  # another length is another program
    return {
        "per_step": chunk / every,
        "compiling": compiling,
        "loading": loading,
        "beginning": beginning,
    }


def _steps(config: RunConfig) -> int:
    """Return how many steps are measured at a time; of large networks fewer."""
    task = config.task
    pairs = task.p**2 * task.train_fraction * len(task.expressions)
    return max(1, min(config.schedule.eval_every, _MOST_STEPS, round(_PAIRS / pairs)))


def _moments(config: RunConfig, steps: int, every: int) -> dict[int, float]:
    """Train and return after how many seconds each evaluated step was reached."""
    schedule = dataclasses.replace(
        config.schedule, steps=steps, eval_every=every, spectra_every=every, stop=False
    )
    started, watch = time.perf_counter(), _Stopwatch()
    with tempfile.TemporaryDirectory(prefix="grokscope-measure-") as folder:
        # weights to take over change no time, and may not be trained yet
        short = dataclasses.replace(config, schedule=schedule, transfer=TransferConfig())
        train_run(short, Path(folder) / "run", callbacks=watch)
    return {step: moment - started for step, moment in watch.moments.items()}
