"""The service's HTTP side: the Git host, the webhook, and the API that notebook and command line use.

Paths and field names are Argo CD's where it has them. Everything but ``/healthz`` and a login wants a token: the
lab's own, which is its owner's, or that of an account or of a project's role, whom the policy judges. What Argo CD's
policies know nothing of (pull requests, the end of the service) is the owner's alone.
``/git``, ``/v2`` (the OCI registry) and ``/charts`` (chart repositories) want it the way Git, Helm and oras send
it. The ``Host`` header must name loopback, so that no web page can reach the lab by pointing its own name at
127.0.0.1.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route

from labkit import __version__, errors
from labkit.service.api import ANSWERS, Ask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from labkit.gitops.rbac import Caller, Callers
    from labkit.gitops.server import Server
    from labkit.service.pulls import PullDesk

WEBHOOK_BYTES = 50 * 1024 * 1024
BODY_BYTES = 1024 * 1024
_EVENTS = ("x-gitea-event", "x-gogs-event", "x-gitlab-event", "x-github-event")
_PUSHES = {"push", "Push Hook", "Tag Push Hook"}
_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
_NOT_FOUND = (errors.RepositoryNotFound, errors.ApplicationNotFound, errors.PullRequestNotFound)


class Desk(Protocol):
    """What the web side asks of the service: plain calls, each from a worker thread."""

    def repositories(self, caller: Caller) -> list[dict[str, str]]:
        """The repositories that the caller may see, as ``{name, url, clone_url}``."""

    def create_repository(self, caller: Caller, name: str) -> dict[str, str]:
        """A new, empty repository."""

    def delete_repository(self, caller: Caller, name: str) -> None:
        """Remove a repository."""

    @property
    def pulls(self) -> PullDesk:
        """Pull requests."""

    @property
    def server(self) -> Server:
        """Applications, projects, accounts: what Argo CD's API is about."""

    def changes(self, caller: Caller, name: str) -> AsyncIterator[bytes]:
        """Applications as they change (one, if it is named), as lines of JSON."""

    def webhook(self, payload: dict[str, Any]) -> list[str]:
        """Refresh the applications that a push concerns; returns their names."""

    def dashboard_link(self, caller: Caller) -> dict[str, str]:
        """A link that opens the web page once, for the caller, as ``{url}``."""

    def shut_down(self) -> None:
        """End the service soon."""


def app(desk: Desk, mounts: Mapping[str, ASGIApp], *, callers: Callers, token: str) -> ASGIApp:
    """The whole HTTP side as one ASGI application; ``mounts`` are others by path, which ask for a login themselves."""
    guarded = _Guard(desk, callers, token)
    pulls = "/api/v1/repositories/{name}/pulls"
    both = ["GET", "POST"]
    routes = [
        Route("/healthz", _healthy),
        Route("/api/version", guarded(_version)),
        Route("/api/webhook", guarded(_webhook, signed=True), methods=["POST"]),
        Route("/api/v1/repositories", guarded(_repositories), methods=both),
        Route("/api/v1/repositories/{name}", guarded(_repository), methods=["DELETE"]),
        Route(pulls, guarded(_pulls, owner=True), methods=both),
        Route(pulls + "/{number:int}", guarded(_pull, owner=True)),
        Route(pulls + "/{number:int}/{part}", guarded(_pull, owner=True), methods=both),
        Route("/api/v1/repositories/{name}/protection", guarded(_protection, owner=True), methods=both),
        Route("/api/v1/session", guarded(_log_in, open_to_all=True), methods=["POST"]),
        Route("/api/v1/stream/applications", guarded(_changes)),
        *(Route(path, guarded(_answering(answer)), methods=[method]) for method, path, answer in ANSWERS),
        Route("/api/v1/shutdown", guarded(_shutdown, owner=True), methods=["POST"]),
        Route("/api/v1/dashboard-links", guarded(_dashboard_link), methods=["POST"]),
        Route("/", _start),
        *(Mount(path, app=mounted) for path, mounted in mounts.items()),
    ]
    return _OnlyLoopback(Starlette(routes=routes))


class _OnlyLoopback:
    """Refuses requests that name another host (DNS rebinding)."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
            if host.rpartition(":")[0] not in _LOOPBACK and host not in _LOOPBACK:
                await PlainTextResponse("unknown host\n", status_code=421)(scope, receive, send)
                return
        await self._inner(scope, receive, send)


class _Guard:
    """Wraps an endpoint: who asks is found out first, and an error is JSON afterwards."""

    def __init__(self, desk: Desk, callers: Callers, token: str) -> None:
        self._desk, self._callers = desk, callers
        self._token = token.encode()

    def __call__(
        self,
        endpoint: Callable[[Request, bytes, Desk], Awaitable[Any]],
        *,
        signed: bool = False,
        owner: bool = False,
        open_to_all: bool = False,
    ) -> Callable[[Request], Awaitable[Response]]:
        """``signed``: a signature of the body will do; ``owner``: for the lab's own token alone."""

        async def guarded(request: Request) -> Response:
            try:
                known = open_to_all or self._knows(request, owner=owner or signed, or_signed=signed)
                body = await _body(request, WEBHOOK_BYTES if signed else BODY_BYTES)
                if not known and not self._signed(request, body):
                    raise _unauthorized(request)
                answer = await endpoint(request, body, self._desk)
                return answer if isinstance(answer, Response) else JSONResponse(answer)
            except errors.LabError as error:
                return _refusal(error)

        return guarded

    def _knows(self, request: Request, *, owner: bool, or_signed: bool) -> bool:
        """Note who asks; `Unauthorized` for a stranger, before the body is read, unless it may be signed."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        bearer = given if scheme.lower() == "bearer" else ""
        if or_signed and not self._callers.is_lab_token(bearer):
            return False
        if given and not bearer:
            raise _unauthorized(request)
        caller = request.state.caller = self._callers.of(bearer)
        if owner and not caller.owner:
            raise errors.Forbidden(
                "permission denied: this is for the owner of the lab alone",
                where=request.url.path,
                fix="It wants the lab's own token (.lab/token); no policy can grant it.",
            )
        return True

    def _signed(self, request: Request, body: bytes) -> bool:
        """As GitHub and Gitea do it, by the body's HMAC, keyed with the token; or as GitLab does, by the token."""
        mac = hmac.new(self._token, body, hashlib.sha256).hexdigest()
        right = {
            "x-hub-signature-256": f"sha256={mac}".encode(),
            "x-gitea-signature": mac.encode(),
            "x-gogs-signature": mac.encode(),
            "x-gitlab-token": self._token,
        }
        given = {name: request.headers.get(name, "").encode() for name in right}
        return any(hmac.compare_digest(given[name], right[name]) for name in right)


def _unauthorized(request: Request) -> errors.LabError:
    fix = "Authorization: Bearer <what .lab/token holds, or an account's token>"
    return errors.Unauthorized("this wants a token", where=request.url.path, fix=fix)


def _caller(request: Request) -> Caller:
    found: Caller = request.state.caller
    return found


def _answering(answer: Callable[[Server, Ask], Any]) -> Callable[[Request, bytes, Desk], Awaitable[Any]]:
    async def answering(request: Request, body: bytes, desk: Desk) -> Any:
        said = _object(body) if body else {}
        ask = Ask(_caller(request), request.path_params, request.query_params, said)
        return await run_in_threadpool(answer, desk.server, ask)

    return answering


async def _log_in(_: Request, body: bytes, desk: Desk) -> Any:
    said = _object(body)
    name, password = said.get("username"), said.get("password")
    if not isinstance(name, str) or not isinstance(password, str):
        raise errors.BadRequest(
            "a login is a name and a password", where="username", fix='{"username": "…", "password": "…"}'
        )
    return {"token": await run_in_threadpool(desk.server.accounts.log_in, name, password)}


async def _changes(request: Request, _: bytes, desk: Desk) -> Response:
    caller, name = _caller(request), request.query_params.get("name", "")
    if name:
        await run_in_threadpool(desk.server.applications.get, caller, name)
    return StreamingResponse(desk.changes(caller, name), media_type="application/x-ndjson")


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _version(_: Request, __: bytes, ___: Desk) -> Any:
    return {"Version": __version__}


async def _repositories(request: Request, body: bytes, desk: Desk) -> Any:
    if request.method == "GET":
        return {"items": await run_in_threadpool(desk.repositories, _caller(request))}
    name = _object(body).get("name")
    if not isinstance(name, str):
        raise errors.BadRequest("the repository needs a name", where="name", fix='Send {"name": "shop"}')
    return await run_in_threadpool(desk.create_repository, _caller(request), name)


async def _repository(request: Request, _: bytes, desk: Desk) -> Any:
    await run_in_threadpool(desk.delete_repository, _caller(request), request.path_params["name"])
    return {}


async def _pulls(request: Request, body: bytes, desk: Desk) -> Any:
    name = request.path_params["name"]
    if request.method == "GET":
        return await run_in_threadpool(desk.pulls.many, name, request.query_params)
    return await run_in_threadpool(desk.pulls.open, name, _object(body))


async def _pull(request: Request, body: bytes, desk: Desk) -> Any:
    name, number = request.path_params["name"], request.path_params["number"]
    part = request.path_params.get("part", "")
    if request.method == "GET":
        return await run_in_threadpool(desk.pulls.ask, name, number, part)
    return await run_in_threadpool(desk.pulls.act, name, number, part, _object(body))


async def _protection(request: Request, body: bytes, desk: Desk) -> Any:
    said = _object(body) if request.method == "POST" else None
    return await run_in_threadpool(desk.pulls.protection, request.path_params["name"], said)


async def _dashboard_link(request: Request, __: bytes, desk: Desk) -> Any:
    return desk.dashboard_link(_caller(request))


async def _start(_: Request) -> Response:
    return RedirectResponse("dashboard/")


async def _webhook(request: Request, body: bytes, desk: Desk) -> Any:
    event = next((request.headers[name] for name in _EVENTS if name in request.headers), "push")
    if event == "ping":  # GitHub asks whether anybody is there
        return {"refreshed": []}
    if event not in _PUSHES:
        raise errors.BadRequest(
            f"unknown webhook event {event!r}", where="/api/webhook", fix="Send pushes, and nothing else."
        )
    return {"refreshed": await run_in_threadpool(desk.webhook, _object(body))}


async def _shutdown(_: Request, __: bytes, desk: Desk) -> Any:
    desk.shut_down()
    return {}


async def _body(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise errors.TooLarge(f"the body is larger than {limit} bytes", where=request.url.path)
        parts.append(part)
    return b"".join(parts)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise errors.BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise errors.BadRequest("the body is not a JSON object")
    return found


def _refusal(error: errors.LabError) -> Response:
    code = error.code if isinstance(error, errors.ApiError) else 404 if isinstance(error, _NOT_FOUND) else 400
    content = {"error": error.problem, "message": error.problem, "code": code}
    content |= {"kind": _known_kind(error), "where": error.where, "fix": error.fix}
    return JSONResponse(content, status_code=code)


def _known_kind(error: errors.LabError) -> str:
    """The error's class, or what it is one of: the client knows those of `labkit.errors` and no others."""
    kinds = (kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
    return next(kinds, errors.LabError).__name__
