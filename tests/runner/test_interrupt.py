"""Signals that ask a process to end become a stop; a person who asks twice is obeyed at once."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from grokscope.runner.interrupt import StopRequest, stop_requests

ALL = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGALRM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGXCPU,
)


@pytest.fixture(autouse=True)
def _as_usual() -> Iterator[None]:
    """Handlers as a process has them that no shell started to ignore signals, as with `&`."""
    ignored = {number for number in ALL if signal.getsignal(number) is signal.SIG_IGN}
    usual = {signal.SIGINT: signal.default_int_handler}
    for number in ignored:
        signal.signal(number, usual.get(number, signal.SIG_DFL))
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in ALL]


@contextlib.contextmanager
def handled(number: signal.Signals, how: Any) -> Iterator[None]:
    before = signal.signal(number, how)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", ALL)
def test_a_signal_is_a_wish_and_handlers_come_back(number: signal.Signals) -> None:
    before = handlers()
    with stop_requests() as stop:
        assert not stop
        signal.raise_signal(number)
        assert stop
    assert handlers() == before


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SIGINT", "SIGINT"),
        ("SIGINT", "SIGTERM"),
        ("SIGTERM", "SIGINT"),
        ("SIGQUIT", "SIGQUIT"),
        ("SIGINT", "SIGQUIT"),
        ("SIGQUIT", "SIGTERM"),
    ],
)
def test_asked_twice_by_a_person_it_stops_at_once(first: str, second: str) -> None:
    with stop_requests():
        signal.raise_signal(signal.Signals[first])
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.Signals[second])


@pytest.mark.parametrize(
    "sent",
    [
        ("SIGTERM", "SIGTERM"),
        ("SIGHUP", "SIGHUP"),
        ("SIGUSR1", "SIGTERM"),
        ("SIGINT", "SIGHUP"),
        ("SIGALRM", "SIGALRM"),
        ("SIGALRM", "SIGINT"),
        ("SIGUSR2", "SIGINT"),
    ],
)
def test_what_machines_send_twice_does_not_keep_it_from_saving(sent: tuple[str, str]) -> None:
    """A scheduler signals a sweep and its workers, and the sweep passes it on to them."""
    with stop_requests() as stop:
        for name in sent:
            signal.raise_signal(signal.Signals[name])
        assert stop


def test_under_nohup_a_closed_terminal_is_ignored() -> None:
    with handled(signal.SIGHUP, signal.SIG_IGN), stop_requests() as stop:
        signal.raise_signal(signal.SIGHUP)
        assert not stop


def test_a_program_that_handles_such_a_signal_keeps_it() -> None:
    heard: list[int] = []
    with handled(signal.SIGUSR1, lambda number, _: heard.append(number)), stop_requests() as stop:
        signal.raise_signal(signal.SIGUSR1)
        assert not stop
    assert heard == [signal.SIGUSR1]


def test_a_handler_that_is_not_pythons_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a program that embeds Python, `getsignal` gives None, which cannot be put back."""
    before = handlers()
    monkeypatch.setattr(signal, "getsignal", lambda _: None)
    with stop_requests() as stop:
        monkeypatch.undo()
        assert handlers() == before
    assert not stop


def test_a_system_may_lack_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGXCPU"):
        monkeypatch.delattr(signal, name)
    with stop_requests() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop


def test_handlers_come_back_after_an_error() -> None:
    before = handlers()
    with contextlib.suppress(ZeroDivisionError), stop_requests():
        assert signal.getsignal(signal.SIGINT) is not before[0]
        raise ZeroDivisionError
    assert handlers() == before


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    found: list[object] = []

    def work() -> None:
        before = handlers()
        with stop_requests() as stop:
            found.extend([bool(stop), handlers() == before])
            stop.set()
            found.append(bool(stop))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False, True, True]


def test_a_wish_can_be_expressed_from_the_program() -> None:
    stop = StopRequest()
    assert not stop
    stop.set()
    assert stop
