"""Serves the explorer on loopback: a token in the address, then a cookie; nothing else comes in."""

import contextlib
import hmac
import importlib.util
import os
import secrets
import socket
import threading
import time
import webbrowser
from collections.abc import Callable
from http.cookies import SimpleCookie
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from grokscope.errors import UsageError

HOST: Final = "127.0.0.1"
TOKEN: Final = "access_token"
_NAMES: Final = {HOST, "localhost"}
Asgi = Callable[..., Any]


class Guard:
    """Lets in who knows the token, from this machine alone.

    The address of another site that leads here, and pages of other sites that ask for something,
    are refused as well.

    **Arguments:** the application; the token.
    """

    def __init__(self, app: Asgi, token: str, meta: dict[str, str]) -> None:
        self._app, self._token, self._meta = app, token, meta
        self._cookie = f"grokscope_{secrets.token_hex(4)}"

    async def __call__(self, scope: dict[str, Any], receive: Asgi, send: Asgi) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        given = parse_qs(scope["query_string"].decode("latin-1")).get(TOKEN, [""])[0]
        by_address = self._is_token(given)
        if not _is_local(headers) or not (by_address or self._is_token(self._kept(headers))):
            await _refuse(scope, receive, send)
            return
        answer = self._with_cookie(send) if by_address else send
        await self._app(scope | {"meta": self._meta}, receive, answer)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _kept(self, headers: dict[str, str]) -> str:
        found = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        return "" if found is None else found.value

    def _with_cookie(self, send: Asgi) -> Asgi:
        cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Lax"

        async def answer(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                more = [*message.get("headers", ()), (b"set-cookie", cookie.encode())]
                message = message | {"headers": more}
            await send(message)

        return answer


def _is_local(headers: dict[str, str]) -> bool:
    """Whether a request names this machine, and comes from a page of this machine, if from any."""
    if headers.get("host", "").rpartition(":")[0] not in _NAMES:
        return False
    origin = headers.get("origin")
    return origin is None or origin.rpartition("//")[2] == headers["host"]


async def _refuse(scope: dict[str, Any], receive: Asgi, send: Asgi) -> None:
    from starlette.responses import PlainTextResponse
    from starlette.websockets import WebSocketClose

    if scope["type"] == "websocket":
        await WebSocketClose(4403)(scope, receive, send)
        return
    words = "This address lacks the token. grokscope explore prints the whole address.\n"
    await PlainTextResponse(words, 403)(scope, receive, send)


def make_app(folder: Path, token: str) -> tuple[Guard, Callable[[], None]]:
    """Return the explorer of a folder as an ASGI application, and what ends its sessions.

    **Arguments:** the folder of runs, or a run; what visitors must know.
    """
    import marimo
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from grokscope.explorer.routes import routes

    app = str(files("grokscope.explorer") / "app.py")
    pages = marimo.create_asgi_app(quiet=True).with_app(path="", root=app).build()
    whole = Starlette(routes=[Mount("/views", routes=routes()), Mount("/", app=pages)])
    return Guard(whole, token, {"folder": str(folder)}), lambda: _end_sessions(pages)


def _end_sessions(pages: Any) -> None:
    """Stop the kernel of every visitor, without which Python would wait for them at its end.

    marimo does so when its own server ends, but not where it is a part of another application.
    """
    for route in pages.routes:
        manager = getattr(getattr(route.app, "state", None), "session_manager", None)
        if manager is not None:
            manager.close_all_sessions()


def bound(port: int | None) -> socket.socket:
    """Return a socket on loopback, at the port that is asked for or at a free one.

    **Raises:** `UsageError` where the port is taken.
    """
    found = socket.socket()
    if os.name == "posix":  # a port that was left a moment ago is free; elsewhere it may be shared
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port or 0))
    except (OSError, OverflowError) as error:
        found.close()
        raise UsageError(
            "the port cannot be used", got=port, next_step="leave --port out to get a free one"
        ) from error
    return found


def serve(folder: Path, port: int | None, say: Callable[[str], object], *, browse: bool) -> None:
    """Serve the explorer until it is interrupted.

    **Arguments:**

    - `folder`: of runs, or a run.
    - `port`: None for a free one.
    - `say`: is told the address, once it answers.
    - `browse`: whether to open it in a browser.

    **Raises:** `UsageError` where the extra `explore` is not installed, or the port is taken.
    """
    if importlib.util.find_spec("marimo") is None:
        raise UsageError(
            "the explorer needs marimo",
            next_step='pip install "grokscope[explore]"; --html needs nothing',
        )
    import uvicorn

    token, listening = secrets.token_urlsafe(24), bound(port)
    address = f"http://{HOST}:{listening.getsockname()[1]}/?{urlencode({TOKEN: token})}"
    app, end_sessions = make_app(folder, token)
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    watcher = threading.Thread(target=_announce, args=(server, address, say, browse), daemon=True)
    watcher.start()
    with contextlib.suppress(KeyboardInterrupt):  # that is how it is meant to end
        server.run(sockets=[listening])
    end_sessions()


def _announce(server: Any, address: str, say: Callable[[str], object], browse: bool) -> None:
    """Tell the address when the server has begun."""
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.05)
    say(address)
    if browse:
        webbrowser.open(address)
