"""A process that trains a few real steps, to say how long they take here."""

import dataclasses
import tempfile
import time
from pathlib import Path

from grokscope.config import RunConfig
from grokscope.experiments.engines.process import Conversation
from grokscope.experiments.listener import Beginning, Evaluation, Silent
from grokscope.experiments.sweeps.estimate import MEASURED_STEPS


class _Stopwatch(Silent):
    """Keeps the moments at which training began, and at which each step was evaluated."""

    def begin(self, beginning: Beginning) -> None:
        self.moments = {beginning.step: time.perf_counter()}

    def evaluated(self, evaluation: Evaluation) -> None:
        self.moments[evaluation.step] = time.perf_counter()


def main() -> None:
    """Measure the configurations that are asked about."""
    talk = Conversation()
    while (request := talk.next()) is not None:
        talk.answer(seconds(RunConfig.from_json(request["config"])))


def seconds(config: RunConfig) -> dict[str, float]:
    """Return the seconds per step, evaluations included, and those until the first step is done.

    Trained are two chunks, of which the first one compiles, into a folder that is removed.
    """
    from grokscope.experiments.run import train_run

    every = min(config.schedule.eval_every, MEASURED_STEPS)
    schedule = dataclasses.replace(
        config.schedule, steps=2 * every, eval_every=every, spectra_every=every, stop=False
    )
    started, watch = time.perf_counter(), _Stopwatch()
    with tempfile.TemporaryDirectory(prefix="grokscope-measure-") as folder:
        train_run(
            dataclasses.replace(config, schedule=schedule), Path(folder) / "run", listener=watch
        )
    chunk = watch.moments[2 * every] - watch.moments[every]
    start = watch.moments[every] - started - chunk
    return {"per_step": chunk / every, "start": max(start, 0.0)}
