"""Signals that ask a process to end, as a request to stop, so that training can save first."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

_ASKED: Final = ("SIGINT", "SIGTERM")
"""By a person, or a program that waits: taken over whoever handles them."""
_SENT: Final = ("SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGXCPU")
"""A terminal that closes, or Ctrl-\\ in one, a clock, a scheduler before it preempts: taken over
only where they would end the process. Under `nohup` they do not, and a program that handles them
has a use of its own."""
_TYPED: Final = ("SIGINT", "SIGQUIT")
"""Those that only a person sends."""


class StopRequest:
    """Becomes true when the user has asked to stop."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        """Ask to stop."""
        self._event.set()


@contextlib.contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Turn signals that end a process into a `StopRequest` while the block runs (main thread only).

    Asked twice by a person, it stops at once: one of the two is Ctrl-C or Ctrl-\\, the other one
    of these or SIGTERM. What machines send may come twice: a scheduler signals every process of a
    job, and a sweep its workers.
    """
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    asked: list[str] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        stop.set()
        name = signal.Signals(number).name
        if name in (*_ASKED, *_TYPED):
            asked.append(name)
            if len(asked) > 1 and not set(asked).isdisjoint(_TYPED):
                raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in _ours()}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ours() -> list[signal.Signals]:
    """Return the signals to take over; those that a system lacks are left out."""
    known = {name: getattr(signal, name) for name in (*_ASKED, *_SENT) if hasattr(signal, name)}
    handlers = {name: signal.getsignal(number) for name, number in known.items()}
    # a handler from C, as in a program that embeds Python, is None here and cannot be put back
    taken = [name for name in _ASKED if handlers[name] is not None]
    taken += [name for name in _SENT if handlers.get(name) is signal.SIG_DFL]
    return [known[name] for name in taken]
