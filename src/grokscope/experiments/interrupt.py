"""Ctrl-C and SIGTERM as a wish to stop soon, so that training can save first."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class StopWish:
    """Becomes true when the user has asked to stop."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def express(self) -> None:
        """Ask to stop; a second time, by Ctrl-C, stops at once."""
        if self._event.is_set():
            raise KeyboardInterrupt
        self._event.set()


@contextlib.contextmanager
def listening() -> Iterator[StopWish]:
    """Turn SIGINT and SIGTERM into a `StopWish` while the block runs (main thread only)."""
    wish = StopWish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        wish.express()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
