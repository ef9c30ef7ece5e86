"""The pages, the fragments that they are renewed with, and who may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from labkit import errors
from labkit.dashboard import fragments
from labkit.dashboard.access import HEADERS, PROXIED, same_site
from labkit.dashboard.actions import ACTIONS
from labkit.dashboard.news import News
from labkit.views import words
from labkit.views.view import render, sheet

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from labkit.dashboard.access import Access
    from labkit.dashboard.board import Board

PACKAGE = "labkit.dashboard"
USED = "This link has been used, or is too old. `labkit dashboard --url` prints a new one."
BODY_BYTES = 256 * 1024
_MISSING = (errors.ApplicationNotFound, errors.NotFound)


class Dashboard:
    """The web page as an ASGI application, to be mounted anywhere: all its links are relative."""

    def __init__(self, board: Board, access: Access, *, lab: str = "") -> None:
        self._board, self._access, self._lab = board, access, lab
        self.news = News()
        self.app: ASGIApp = _Headers(
            Starlette(
                routes=[
                    Route("/", self._page(_home)),
                    Route("/applications/{name}", self._page(_application)),
                    Route("/applications/{name}/{action}", self._act, methods=["POST"]),
                    Route("/fragments/applications", self._fragment(_cards)),
                    Route("/fragments/applications/{name}/{part}", self._fragment(_part)),
                    Route("/data/applications/{name}/tree", self._data(_tree)),
                    Route("/events", self._events),
                    Route("/enter", self._enter),
                    Route("/login", self._login, methods=["GET", "POST"]),
                    Route("/logout", self._logout, methods=["POST"]),
                    Route("/static/views.css", _views_style),
                    Mount("/static", StaticFiles(packages=[(PACKAGE, "static")])),
                ]
            )
        )

    def close(self) -> None:
        """End what is still streaming, so that the server can stop."""
        self.news.close()

    # -- coming in

    async def _enter(self, request: Request) -> Response:
        caller = self._access.enter(request.query_params.get("key", ""))
        if caller is None:
            return self._ask(request, USED)
        name = request.query_params.get("to", "")
        place = f"./applications/{quote(name, safe='')}" if name else "./"
        return self._access.open(RedirectResponse(place, status_code=303), caller)

    async def _login(self, request: Request) -> Response:
        if request.method == "GET":
            return self._ask(request, status=200)
        body = await _body(request)
        given = _fields(body).get("token", "")
        caller = self._access.known(given) if same_site(request) else None
        if caller is None:
            return self._ask(request, "That is not the lab's token, and no account's.")
        return self._access.open(RedirectResponse("./", status_code=303), caller)

    async def _logout(self, request: Request) -> Response:
        session = self._access.session(request)
        if not session or not self._access.meant(request, session):
            return JSONResponse({"problem": "reload the page and try again"}, status_code=403)
        return self._access.close(JSONResponse({}))

    def _ask(self, request: Request, problem: str = "", *, status: int = 401) -> Response:
        facts = {"root": _root(request), "problem": problem, "lab": self._lab}
        return HTMLResponse(render("login.html", package=PACKAGE, **facts), status_code=status)

    # -- what is guarded

    def _board_of(self, request: Request, session: str) -> Board:
        """The board as this visitor may see it; nothing of an application that they may not see goes past here."""
        caller = self._access.caller(session)
        if caller is None:
            raise errors.Unauthorized("the session has ended", fix="Sign in again.")
        board = self._board.of(caller)
        if name := request.path_params.get("name"):
            board.demand(name)
        return board

    def _page(
        self, draw: Callable[[Request, Board, dict[str, Any]], str]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def page(request: Request) -> Response:
            session = self._access.session(request)
            if not session:
                return self._ask(request)
            facts: dict[str, Any] = {
                "root": _root(request),
                "csrf": self._access.form_token(session),
                "lab": self._lab,
            }
            facts["guest"] = session == PROXIED
            try:
                board = await run_in_threadpool(self._board_of, request, session)
                return HTMLResponse(await run_in_threadpool(draw, request, board, facts))
            except errors.LabError as error:
                page = render("problem.html", package=PACKAGE, error=error, **facts)
                return HTMLResponse(page, status_code=_code(error))

        return page

    def _fragment(self, draw: Callable[[Request, Board], str]) -> Callable[[Request], Awaitable[Response]]:
        async def fragment(request: Request) -> Response:
            session = self._access.session(request)
            if not session:
                return PlainTextResponse("the session has ended", status_code=401)
            try:
                board = await run_in_threadpool(self._board_of, request, session)
                return HTMLResponse(await run_in_threadpool(draw, request, board))
            except errors.LabError as error:
                return HTMLResponse(fragments.problem(error), status_code=_code(error))

        return fragment

    def _data(self, read: Callable[[Request, Board], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def data(request: Request) -> Response:
            session = self._access.session(request)
            if not session:
                return JSONResponse({}, status_code=401)
            try:
                board = await run_in_threadpool(self._board_of, request, session)
                return JSONResponse(await run_in_threadpool(read, request, board))
            except errors.LabError as error:
                return JSONResponse(_told(error), status_code=_code(error))

        return data

    async def _act(self, request: Request) -> Response:
        session = self._access.session(request)
        if not session or not self._access.meant(request, session):
            told = {
                "problem": "this did not come from the page",
                "where": "",
                "fix": "Reload it and try again.",
            }
            return JSONResponse(told, status_code=403)
        action = ACTIONS.get(request.path_params["action"])
        if action is None:
            return JSONResponse(
                {"problem": "there is no such action", "where": "", "fix": ""}, status_code=404
            )
        try:
            wishes = _json(await _body(request))
            board = await run_in_threadpool(self._board_of, request, session)
            said = await run_in_threadpool(action, board, request.path_params["name"], wishes)
        except errors.LabError as error:
            return JSONResponse(_told(error), status_code=_code(error))
        return JSONResponse({"said": said})

    async def _events(self, request: Request) -> Response:
        session = self._access.session(request)
        caller = self._access.caller(session)
        if caller is None:
            return PlainTextResponse("the session has ended", status_code=401)
        told = None if caller.owner else Told(self._board.of(caller), lambda: self._access.caller(session))
        return StreamingResponse(
            self.news.stream(told), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )


class Told:
    """Of which applications a visitor hears: those that they may see, and the end of those that they saw."""

    def __init__(self, board: Board, still: Callable[[], object]) -> None:
        self._board, self._still = board, still
        self._shown = set(board.server.applications.names(board.caller))

    def __call__(self, names: list[str]) -> list[str] | None:
        """What of the names is for them; None once they are nobody any more."""
        if self._still() is None:
            return None
        seen = {n for n in names if self._board.server.applications.seen(self._board.caller, n) is not None}
        told = [name for name in names if name in seen or name in self._shown]
        self._shown = (self._shown - set(names)) | seen
        return told


_SECURITY = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class _Headers:
    """Puts `HEADERS` on every answer."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_SECURITY]
            await send(message)

        await self._inner(scope, receive, sending)


async def _views_style(_: Request) -> Response:
    return Response(sheet(), media_type="text/css")


# -- what each page and fragment draws


def _home(_request: Request, board: Board, facts: dict[str, Any]) -> str:
    return render("home.html", package=PACKAGE, cards=fragments.cards(board, table=False), **facts)


def _application(request: Request, board: Board, facts: dict[str, Any]) -> str:
    name = request.path_params["name"]
    shown = {part: fragments.part(board, name, part, {}) for part in ("head", "loop")}
    return render("application.html", package=PACKAGE, name=name, path=quote(name), **shown, **facts)


def _cards(request: Request, board: Board) -> str:
    return str(fragments.cards(board, table=request.query_params.get("as") == "table"))


def _part(request: Request, board: Board) -> str:
    name, part = request.path_params["name"], request.path_params["part"]
    return str(fragments.part(board, name, part, dict(request.query_params)))


def _tree(request: Request, board: Board) -> Any:
    return board.tree(request.path_params["name"]) | {"words": words.table()}


# -- requests and answers


def _root(request: Request) -> str:
    """The way up to the page's first folder, from where the browser is."""
    return "../" if "/applications/" in request.scope["path"] else "./"


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES:
            raise errors.TooLarge(f"the body is larger than {BODY_BYTES} bytes", where=request.url.path)
        parts.append(part)
    return b"".join(parts)


def _fields(body: bytes) -> dict[str, str]:
    from urllib.parse import parse_qs

    return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _json(body: bytes) -> dict[str, Any]:
    import json

    try:
        found = json.loads(body or b"{}")
    except ValueError as error:
        raise errors.BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise errors.BadRequest("the body is not a JSON object")
    return found


def _told(error: errors.LabError) -> dict[str, str]:
    return {"problem": error.problem, "where": error.where, "fix": error.fix}


def _code(error: errors.LabError) -> int:
    if isinstance(error, errors.Forbidden | errors.Unauthorized):
        return error.code
    return 404 if isinstance(error, _MISSING) else 400
