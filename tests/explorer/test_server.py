"""Who is let in: who knows the token, from a page of this machine."""

import contextlib
from typing import Any

import pytest

from grokscope.errors import UsageError
from grokscope.explorer.server import HOST, Guard, bound

TOKEN = "secret"


class Inner:
    """An application that answers everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, scope: dict[str, Any], _receive: Any, send: Any) -> None:
        self.asked.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})


def ask(
    guard: Guard, query: str = "", kind: str = "http", host: str = f"{HOST}:80", **headers: str
) -> list[dict[str, Any]]:
    """Return the messages of an answer."""
    answered: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    pairs = {"host": host} | headers
    scope = {
        "type": kind,
        "method": "GET",
        "path": "/",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in pairs.items()],
    }
    with contextlib.suppress(StopIteration):  # nothing here waits, so no loop is needed
        guard(scope, receive, send).send(None)
    return answered


@pytest.fixture
def inner() -> Inner:
    return Inner()


@pytest.fixture
def guard(inner: Inner) -> Guard:
    return Guard(inner, TOKEN, {"folder": "/runs"})


def cookie(answered: list[dict[str, Any]]) -> str:
    (value,) = (value for name, value in answered[0]["headers"] if name == b"set-cookie")
    return value.decode()


def test_the_token_opens_and_leaves_a_cookie_that_opens(guard: Guard, inner: Inner) -> None:
    kept = cookie(ask(guard, f"access_token={TOKEN}&run=a"))
    assert "HttpOnly" in kept
    assert "SameSite=Lax" in kept
    answered = ask(guard, cookie=kept.partition(";")[0])
    assert answered[0] == {"type": "http.response.start", "status": 200, "headers": []}
    assert [scope["meta"] for scope in inner.asked] == [{"folder": "/runs"}] * 2


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"query": "access_token=other"},
        {"query": "access_token="},
        {"cookie": "grokscope_00000000=secret"},
        {"query": f"access_token={TOKEN}", "host": "evil.example:80"},
        {"query": f"access_token={TOKEN}", "host": ""},
        {"query": f"access_token={TOKEN}", "origin": "http://evil.example"},
        {"query": f"access_token={TOKEN}", "origin": f"http://{HOST}:81"},
    ],
)
def test_others_are_refused(guard: Guard, inner: Inner, asked: dict[str, str]) -> None:
    assert ask(guard, **asked)[0]["status"] == 403
    assert ask(guard, kind="websocket", **asked)[0]["type"] == "websocket.close"
    assert inner.asked == []


def test_own_pages_may_ask(guard: Guard, inner: Inner) -> None:
    ask(guard, f"access_token={TOKEN}", origin=f"http://{HOST}:80")
    ask(guard, f"access_token={TOKEN}", host="localhost:80", origin="http://localhost:80")
    assert len(inner.asked) == 2


def test_a_port_that_is_taken_is_said() -> None:
    with bound(None) as taken:
        taken.listen()
        assert taken.getsockname()[0] == HOST
        with pytest.raises(UsageError, match="port cannot be used"):
            bound(taken.getsockname()[1])
    with pytest.raises(UsageError, match="port cannot be used"):
        bound(99999)
