"""What the pages ask the explorer for, by address; every answer is of one run that lies in it."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from grokscope.errors import GrokscopeError, UsageError
from grokscope.explorer.store import Asked, Explorer, explorer_of
from grokscope.explorer.what_if import ACTIONS, POSITIONS, Edits, Turn
from grokscope.progress import showing

Answer = Callable[[Explorer, Request], Response]


def routes() -> list[Route]:
    """Return the addresses below `/views`."""
    pages = [Route(f"/{kind}", _answering(_page(kind))) for kind in ("time", "bench", "try")]
    return [
        *pages,
        Route("/compare", _answering(_compare)),
        Route("/overview", _answering(lambda e, r: JSONResponse(e.overview(_asked(r))))),
        Route("/frame", _answering(lambda e, r: _file(e.frame(_asked(r), _whole(r, "step"))))),
        Route("/map", _answering(_map)),
        Route("/edited", _answering(_edited)),
        Route("/pair", _answering(_pair)),
        Route("/claims", _answering(_claims), methods=["GET", "POST"]),
    ]


def _answering(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers in a thread of its own; errors of users become one line."""

    def safely(request: Request) -> Response:
        explorer = explorer_of(request.scope["meta"]["folder"])
        try:
            with showing(quiet=True):
                return answer(explorer, request)
        except UsageError as error:
            return PlainTextResponse(str(error), 404)
        except GrokscopeError as error:
            return PlainTextResponse(str(error), 500)

    async def run(request: Request) -> Response:
        return await run_in_threadpool(safely, request)

    return run


def _page(kind: Any) -> Answer:
    return lambda explorer, request: HTMLResponse(explorer.page(kind, _asked(request)))


def _compare(explorer: Explorer, request: Request) -> Response:
    return HTMLResponse(explorer.comparison(request.query_params.getlist("run")))


def _file(data: bytes) -> Response:
    return Response(data, media_type="application/octet-stream")


def _map(explorer: Explorer, request: Request) -> Response:
    kind, step = request.query_params.get("kind", ""), _whole(request, "step")
    return _file(explorer.map(_asked(request), step, kind, _whole(request, "index")))


def _pair(explorer: Explorer, request: Request) -> Response:
    x, y = _whole(request, "x"), _whole(request, "y")
    return JSONResponse(explorer.pair(_asked(request), _whole(request, "step"), x, y))


def _claims(explorer: Explorer, request: Request) -> Response:
    start = request.method == "POST"
    return JSONResponse(explorer.claims(_asked(request), start=start))


def _edited(explorer: Explorer, request: Request) -> Response:
    asked, step = _asked(request), _whole(request, "at")
    return _file(explorer.edited(asked, step, _edits(explorer, request, asked, step)))


def _edits(explorer: Explorer, request: Request, asked: Asked, step: int) -> Edits:
    """Return the edits that an address names; raises `UsageError` for others."""
    turned, cluster = _whole(request, "turned", 0), _whole(request, "cluster", 0)
    silenced = set(_numbers(request, "silenced"))
    if cluster:
        silenced |= set(explorer.cluster(asked, step, cluster))
    position = _one_of(request, "position", POSITIONS)
    angle = _whole(request, "angle", 0)
    return Edits(
        frequencies=_numbers(request, "keys"),
        **{place: _one_of(request, place, ACTIONS) for place in ("W_E", "neurons", "logits")},
        turned=Turn(turned, angle, position) if turned and angle else None,
        silenced=tuple(sorted(silenced)),
    )


def _asked(request: Request) -> Asked:
    """Return whose network an address names."""
    seed = None if "seed" not in request.query_params else _whole(request, "seed")
    return Asked(request.query_params.get("run", "."), seed, _whole(request, "operation", 0))


def _whole(request: Request, name: str, usual: int | None = None) -> int:
    text = request.query_params.get(name)
    if text is None and usual is not None:
        return usual
    return _number(text, name)


def _numbers(request: Request, name: str) -> tuple[int, ...]:
    words = request.query_params.get(name, "").replace(",", " ").split()
    return tuple(_number(word, name) for word in words)


def _number(text: str | None, name: str) -> int:
    digits = (text or "").removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 12):
        raise UsageError(f"{name} is no whole number", got=text)
    return int(text or "")


def _one_of(request: Request, name: str, allowed: tuple[Any, ...]) -> Any:
    found = request.query_params.get(name, allowed[0])
    if found not in allowed:
        raise UsageError(f"no such {name}", got=found, allowed=", ".join(allowed))
    return found
