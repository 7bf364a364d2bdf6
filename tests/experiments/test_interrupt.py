"""Ctrl-C and SIGTERM become a wish; asked twice, the program stops at once."""

import contextlib
import signal
import threading

import pytest

from grokscope.experiments.interrupt import StopWish, listening


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_wish_and_a_second_one_an_order(number: signal.Signals) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with listening() as wish:
        assert not wish
        signal.raise_signal(number)
        assert wish
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_handlers_come_back_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with contextlib.suppress(ZeroDivisionError), listening():
        assert signal.getsignal(signal.SIGINT) is not before
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    found: list[object] = []

    def work() -> None:
        before = signal.getsignal(signal.SIGINT)
        with listening() as wish:
            found.extend([bool(wish), signal.getsignal(signal.SIGINT) is before])
            wish.express()
            found.append(bool(wish))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False, True, True]


def test_a_wish_can_be_expressed_from_the_program() -> None:
    wish = StopWish()
    assert not wish
    wish.express()
    assert wish
