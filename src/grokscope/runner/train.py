"""`gs.train`: the verb train for Python."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from grokscope.config.arguments import plain_arguments
from grokscope.config.run import RunConfig, configure
from grokscope.disk.names import new_folder, slug
from grokscope.progress import doing, showing
from grokscope.runner.check import check
from grokscope.runner.loop import Run, train_run
from grokscope.runner.progress import Beginning, Callbacks, Evaluation, NoCallbacks

RUNS: Final = Path("runs")


@plain_arguments
def train(
    *expressions: str,
    preset: str = "paper",
    out: str | Path | None = None,
    resume: bool = False,
    listener: Callbacks | None = None,
    quiet: bool = False,
    lock: bool = True,
    source: Any = None,
    **settings: Any,
) -> Run:
    """Train an operation, or a mixture of several, and return the run.

    **Arguments:**

    - `expressions`: operations in x and y, for instance `"x^2 + y^2"`.
    - `preset`: where the settings start from, a key of `grokscope.config.run.PRESETS`.
    - `out`: run folder; by default `runs/NAME` with a name made from the operation.
    - `resume`: go on with the run of the same settings in `out`.
    - `listener`: is told how it goes; without one, standard error or the notebook has a line with
      the step and the test accuracy.
    - `quiet`: show nothing but warnings.
    - `lock`: False trains also where the file system has no locks; then nothing else may write
      there.
    - `source`: a trained run to take weights over from, as the setting `load` says:
      `source=run, load=("embedding",), freeze=("embedding",)`.
    - `settings`: any setting of the command line, `p=59, seeds=(0, 1), steps=20_000`.

    **Returns:** the run, with `path`, `folder` and one result per seed.

    **Raises:** `UsageError`, `DiskError`, `DivergedError`, `RunInterruptedError`.
    """
    if source is not None:
        settings["source"] = source
    config = configure(expressions, preset, **settings)
    with run_folder(config, out) as path, showing(quiet=quiet or listener is not None):
        listener = listener or _OneLine()
        return train_run(config, path, resume=resume, listener=listener, lock=lock)


class _OneLine(NoCallbacks):
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
            f" {mean:.1%}"
        )

    def warn(self, line: str) -> None:
        """Print it on standard error."""
        print(f"warning: {line}", file=sys.stderr)


@contextlib.contextmanager
def run_folder(config: RunConfig, out: str | Path | None) -> Iterator[Path]:
    """Give `out`, or a new folder in `runs` named after the operation, removed if it stays empty.

    **Raises:** `UsageError` for a configuration that cannot train; `DiskError`.
    """
    operation = check(config)[0].canonical
    if out is not None:
        yield Path(out)
        return
    with new_folder(RUNS, slug(f"{operation}-p{config.task.p}")) as path:
        yield path
