"""What a person sees while a network trains: a live panel, plain lines, or nothing."""

import contextlib
import math
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import IO, Any, Final, TypeVar, cast

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from grokscope.progress import Since, SlowLines, in_words
from grokscope.rounding import share_in_percent
from grokscope.runner.progress import Beginning, Callbacks, Evaluation

T = TypeVar("T")

_BARS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 32
_SECONDS_BETWEEN_LINES: Final = 5.0
_SHOWN: Final = {
    "train_accuracy": "train accuracy",
    "test_accuracy": "test accuracy",
    "unleaked_accuracy": "unleaked accuracy",
    "train_loss": "train loss",
    "test_loss": "test loss",
    "ffs W_E": "FFS of W_E",
    "ffs W_L": "FFS of W_L",
    "fcr W_E": "FCR of W_E",
    "fcr W_L": "FCR of W_L",
}
"""Name of the value → label; one row each."""


class _Reader:
    """Standard error; a terminal that was closed is one more reader who has left."""

    def __init__(self) -> None:
        self._stream = sys.stderr

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text; raises `BrokenPipeError` when nobody reads it."""
        return self._or_broken_pipe(lambda: self._stream.write(text))

    def flush(self) -> None:
        """Write what was held back; raises as `write`."""
        self._or_broken_pipe(self._stream.flush)

    def _or_broken_pipe(self, write: Callable[[], T]) -> T:
        try:
            return write()
        except OSError as error:  # EIO, where the terminal is gone
            raise BrokenPipeError from error


class StandardError(Console):
    """A console whose reader may leave: then the training goes on in silence."""

    def __init__(self, *, file: IO[str] | None = None, **settings: Any) -> None:
        super().__init__(file=file or cast(IO[str], _Reader()), **settings)

    def on_broken_pipe(self) -> None:
        """Say no more."""
        self.quiet = True


@contextlib.contextmanager
def show_training(*, quiet: bool) -> Iterator[Callbacks]:
    """Give the callbacks that fit standard error: a terminal, a file, or `quiet`."""
    console = StandardError(stderr=True)
    if quiet:
        yield Warnings(console)
    elif console.is_terminal:
        with Live(console=console, refresh_per_second=8) as live:
            yield TrainingPanel(live)
    else:
        lines = TrainingLines(console)
        try:
            yield lines
        finally:
            lines.close()


def sparkline(values: list[float], width: int = _WIDTH) -> str:
    """Return the values as bars, the lowest and highest of them as the ends of the scale.

    More values than `width` are thinned evenly; values that are not finite are blanks.
    """
    if len(values) > width:
        values = [values[i * (len(values) - 1) // (width - 1)] for i in range(width)]
    known = [v for v in values if math.isfinite(v)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    span = high - low or 1.0
    top = len(_BARS) - 1
    return "".join(
        _BARS[round((v - low) / span * top)] if math.isfinite(v) else " " for v in values
    )


class TrainingPanel(Callbacks):
    """A panel that is redrawn in place."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._begun = time.monotonic()
        self._title = ""
        self._history: dict[str, list[float]] = {name: [] for name in _SHOWN}

    def preparing(self, what: str) -> None:
        """Show what takes a while, with a clock."""
        self._live.update(Panel(Since(what), title=self._title))

    def begin(self, beginning: Beginning) -> None:
        """Take what is trained, for the title."""
        self._beginning = beginning
        self._title = _title(beginning)

    def evaluated(self, evaluation: Evaluation) -> None:
        """Redraw with the newest numbers."""
        for name, past in self._history.items():
            past.append(_mean(evaluation.values[name]))
        self._live.update(Panel(self._body(evaluation), title=self._title))

    def warn(self, line: str) -> None:
        """Print a line above the panel."""
        self._live.console.print(f"warning: {line}", markup=False, highlight=False)

    def _body(self, evaluation: Evaluation) -> Group:
        steps = self._beginning.config.schedule.steps
        table = Table.grid(padding=(0, 2))
        for name, label in _SHOWN.items():
            past = self._history[name]
            table.add_row(label, _shown(name, past[-1]), Text(sparkline(past), style="cyan"))
        bar = ProgressBar(total=steps, completed=evaluation.step, width=_WIDTH)
        clock = Since("training", self._begun)  # between evaluations it goes on
        head = _headline(evaluation, steps)
        return Group(head, clock, bar, Text(), table, *_milestones(evaluation))


class Warnings(Callbacks):
    """Only what the user should know."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def warn(self, line: str) -> None:
        """Print a warning."""
        self._print(f"warning: {line}")

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False, highlight=False)


class TrainingLines(Warnings):
    """Plain lines for a file or a pipe, a few per minute."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._last = -math.inf
        self._told: deque[str] = deque(maxlen=256)
        self._slow = SlowLines(console)

    def preparing(self, what: str) -> None:
        """Print what takes a while, once it has taken a while, and then now and again."""
        self._slow.show(what)

    def close(self) -> None:
        """Say no more about what takes a while."""
        self._slow.close()

    def begin(self, beginning: Beginning) -> None:
        """Print what is trained."""
        self._beginning = beginning
        start = f", going on at step {beginning.step}" if beginning.step else ""
        operation = f"{beginning.operation} mod {beginning.config.task.p}"
        self._print(
            f"{operation}: {beginning.n_train} pairs train, "
            f"{beginning.n_test} test, {beginning.n_undefined} undefined{start}"
        )

    def evaluated(self, evaluation: Evaluation) -> None:
        """Print the newest numbers when some seconds have passed, milestones at once."""
        self.close()
        for text in _milestones(evaluation):
            if text.plain not in self._told:
                self._told.append(text.plain)
                self._print(text.plain)
        ended = not any(seed.active for seed in evaluation.seeds)
        if not ended and time.monotonic() - self._last < _SECONDS_BETWEEN_LINES:
            return
        self._last = time.monotonic()
        numbers = ", ".join(
            f"{label} {_shown(name, _mean(evaluation.values[name]))}"
            for name, label in _SHOWN.items()
        )
        steps = self._beginning.config.schedule.steps
        self._print(f"{_headline(evaluation, steps).plain}: {numbers}")


def _title(beginning: Beginning) -> str:
    task, seeds = beginning.config.task, beginning.config.seeds
    several = f", mean of {len(seeds)} seeds" if len(seeds) > 1 else ""
    return escape(f"{beginning.operation} mod {task.p}, r = {task.train_fraction:g}{several}")


def _headline(evaluation: Evaluation, steps: int) -> Text:
    rate = evaluation.steps_per_second
    left = in_words((steps - evaluation.step) / rate if rate > 0 else math.nan)
    speed = f"{rate:.1f} steps/s" if math.isfinite(rate) else "– steps/s"
    return Text(f"step {evaluation.step} of at most {steps}, {speed}, at most {left} left")


def _milestones(evaluation: Evaluation) -> list[Text]:
    lines = []
    for seed in evaluation.seeds:
        if seed.memorised_at is not None:
            lines.append(Text(f"seed {seed.seed}: memorised at step {seed.memorised_at}"))
        if seed.grokked_at is not None:
            lines.append(Text(f"seed {seed.seed}: grokked at step {seed.grokked_at}", "bold green"))
        if seed.diverged_at is not None:
            lines.append(Text(f"seed {seed.seed}: diverged at step {seed.diverged_at}", "bold red"))
    return lines


def _mean(values: list[float]) -> float:
    known = [v for v in values if not math.isnan(v)]
    return sum(known) / len(known) if known else math.nan


def _shown(name: str, value: float) -> str:
    if math.isnan(value):
        return "–"
    if name.endswith("accuracy"):
        return share_in_percent(value)
    return f"{value:.2e}" if name.endswith("loss") else f"{value:.3f}"
