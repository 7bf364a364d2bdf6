"""Train one run into a folder of its own, with one line that says how far it is."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.disk.names import new_folder, slug
from grokscope.progress import doing, showing
from grokscope.rounding import share_in_percent
from grokscope.runner.check import Checked, check
from grokscope.runner.loop import train_checked
from grokscope.runner.opening import refuse_fewer_steps
from grokscope.runner.progress import Beginning, Callbacks, Evaluation

RUNS: Final = Path("runs")


def train_in_view(
    config: RunConfig,
    out: str | Path | None = None,
    *,
    resume: bool = False,
    callbacks: Callbacks | None = None,
    quiet: bool = False,
    lock: bool = True,
) -> RunFolder:
    """Train a configuration, with one line on standard error or in the notebook.

    **Arguments:**

    - `config`: what to train.
    - `out`: run folder; by default a new one in `runs`.
    - `resume`, `lock`: as for `train_run`.
    - `callbacks`: are told how it goes, instead of the line.
    - `quiet`: show nothing but warnings.
    """
    checked = check(config)
    if resume and out is not None:
        refuse_fewer_steps(config, Path(out))
    with run_folder(checked, out) as path, showing(quiet=quiet or callbacks is not None):
        callbacks = callbacks or _OneLine()
        return train_checked(checked, path, resume=resume, callbacks=callbacks, lock=lock)


class _OneLine(Callbacks):
    """Names what a training does, for whoever shows it, and prints what the user should know."""

    def preparing(self, what: str) -> None:
        """Name what takes a while."""
        doing(what)

    def begin(self, beginning: Beginning) -> None:
        """Take what is trained."""
        self._of = f"{beginning.operation} mod {beginning.config.task.p}"
        self._steps = beginning.config.schedule.steps

    def evaluated(self, evaluation: Evaluation) -> None:
        """Name the step, and the mean test accuracy of all seeds."""
        accuracies = evaluation.values["test_accuracy"]
        mean = sum(accuracies) / len(accuracies)
        doing(
            f"{self._of}, step {evaluation.step:,} of at most {self._steps:,}: test accuracy"
            f" {share_in_percent(mean)}"
        )

    def warn(self, line: str) -> None:
        """Print it on standard error."""
        print(f"warning: {line}", file=sys.stderr)


@contextlib.contextmanager
def run_folder(checked: Checked, out: str | Path | None) -> Iterator[Path]:
    """Give `out`, or a new folder in `runs` named after the operation, removed if it stays empty.

    **Raises:** `DiskError`.
    """
    if out is not None:
        yield Path(out)
        return
    with new_folder(RUNS, slug(f"{checked.task.canonical}-p{checked.task.p}")) as path:
        yield path
