"""What takes a while says what it is: the rooms name it, and whoever called them shows it.

A room that computes calls `doing("…")` and knows nothing of terminals. Without a `showing()` around
it nothing is shown; with one, standard error has one line with a clock, or in a pipe or a file a
line now and then.
"""

import contextlib
import contextvars
import importlib
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

SECONDS_TO_SPEAK: Final = (10.0, 20.0, 30.0)
"""Pauses between lines, where a line cannot be redrawn."""
_REDRAWN: Final = 0.5
"""Seconds after which a notebook's line is replaced."""

_display: contextvars.ContextVar[Callable[[str], None] | None] = contextvars.ContextVar(
    "display", default=None
)


_whole: contextvars.ContextVar[str] = contextvars.ContextVar("whole", default="")


def doing(what: str) -> None:
    """Name what is done from now on; whoever watches sees it, with a clock."""
    display = _display.get()
    if display is not None:
        display(f"{_whole.get()}: {what}" if _whole.get() else what)


@contextlib.contextmanager
def part_of(whole: str) -> Iterator[None]:
    """Put `whole` before everything that is named inside: `x + y, seed 0: finding keys`.

    Inside another block, it stands behind the outer one's: `run 2 of 18: x + y, seed 0: …`.
    """
    token = _whole.set(f"{_whole.get()}: {whole}" if _whole.get() else whole)
    try:
        yield
    finally:
        _whole.reset(token)


@contextlib.contextmanager
def showing(*, quiet: bool = False, console: Console | None = None) -> Iterator[None]:
    """Show on standard error what the rooms say they are doing, until the block ends.

    Inside another block, the outer one shows it.

    **Arguments:**

    - `quiet`: show nothing, also of blocks inside.
    - `console`: where to; by default standard error.
    """
    if _display.get() is not None:
        yield
        return
    console = console or Console(stderr=True)
    with contextlib.ExitStack() as stack:
        if quiet:
            display = _nobody
        elif console.is_jupyter:
            display = stack.enter_context(_NotebookLine()).show
        elif console.is_terminal:
            live = Live(console=console, transient=True, redirect_stdout=False)
            display = _on_a_terminal(stack.enter_context(live))
        else:
            display = stack.enter_context(SlowLines(console)).show
        token = _display.set(display)
        stack.callback(_display.reset, token)
        yield


def _nobody(_what: str) -> None:
    """Show nothing."""


def _on_a_terminal(live: Live) -> Callable[[str], None]:
    return lambda what: live.update(Since(what), refresh=True)


def in_words(seconds: float) -> str:
    """Return a duration such as `1:05` or `2:03:09`; `–` where it is not known."""
    if not math.isfinite(seconds):
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Since:
    """What is being done, and for how long; each time it is drawn, it says so anew.

    **Arguments:**

    - `what`: what is being done.
    - `begun`: the moment of `time.monotonic` at which it began; by default now.
    """

    def __init__(self, what: str, begun: float | None = None) -> None:
        self._what, self._begun = what, time.monotonic() if begun is None else begun

    def __rich__(self) -> Text:
        return Text(str(self))

    def __str__(self) -> str:
        return f"{self._what} … {in_words(time.monotonic() - self._begun)}"


class _Ticking:
    """Shows the newest of what is done, from a thread, after pauses.

    **Arguments:**

    - `draw`: puts one line where it can be read.
    - `pauses`: seconds before each line; the last one goes on.
    """

    def __init__(self, draw: Callable[[str], None], pauses: tuple[float, ...]) -> None:
        self._draw, self._pauses = draw, pauses
        self._since = Since("")
        self._over = threading.Event()
        self._over.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def show(self, what: str) -> None:
        """Show this from now on."""
        self._since = Since(what)
        if self._over.is_set():
            self._over = threading.Event()
            threading.Thread(target=self._wait, args=(self._over,), daemon=True).start()

    def close(self) -> None:
        """Show nothing more."""
        self._over.set()

    def _wait(self, over: threading.Event) -> None:
        for seconds in itertools.chain(self._pauses, itertools.repeat(self._pauses[-1])):
            if over.wait(seconds):
                return
            self._draw(str(self._since))


class SlowLines(_Ticking):
    """A line after some seconds, and then now and again: for a pipe or a file."""

    pauses = SECONDS_TO_SPEAK

    def __init__(self, console: Console) -> None:
        super().__init__(self._print, SlowLines.pauses)
        self._console = console

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False, highlight=False)


class _NotebookLine(_Ticking):
    """One line of a notebook's cell that is replaced, and leaves nothing in the saved notebook."""

    pauses = (_REDRAWN,)

    def __init__(self) -> None:
        super().__init__(self._draw_line, self.pauses)
        self._handle: Any = None
        self._drawing = threading.Lock()

    def _draw_line(self, line: str) -> None:
        with self._drawing:
            if self._over.is_set():
                return
            content = {"text/plain": line}
            if self._handle is None:
                # whoever runs the notebook has it
                self._handle = importlib.import_module("IPython.display").DisplayHandle()
                self._handle.display(content, raw=True)
            else:
                self._handle.update(content, raw=True)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        with self._drawing:
            if self._handle is not None:
                self._handle.update({}, raw=True)
