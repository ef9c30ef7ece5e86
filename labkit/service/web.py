"""The service's HTTP side: the Git host, the webhook, and the API that notebook and command line use.

Paths and field names are Argo CD's where it has them. Everything but ``/healthz`` wants the lab's token;
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
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Mount, Route

from labkit import __version__, errors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from labkit.service.pulls import PullDesk

WEBHOOK_BYTES = 50 * 1024 * 1024
BODY_BYTES = 1024 * 1024
_EVENTS = ("x-gitea-event", "x-gogs-event", "x-gitlab-event", "x-github-event")
_PUSHES = {"push", "Push Hook", "Tag Push Hook"}
_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
_NOT_FOUND = (errors.RepositoryNotFound, errors.ApplicationNotFound, errors.PullRequestNotFound)


class Desk(Protocol):
    """What the web side asks of the service: plain calls, each from a worker thread."""

    def repositories(self) -> list[dict[str, str]]:
        """All repositories as ``{name, url, clone_url}``."""

    def create_repository(self, name: str) -> dict[str, str]:
        """A new, empty repository."""

    def delete_repository(self, name: str) -> None:
        """Remove a repository."""

    @property
    def pulls(self) -> PullDesk:
        """Pull requests."""

    def application(self, name: str, part: str, options: Mapping[str, str]) -> Any:
        """``manifests``, ``managed-resources``, ``plan`` … of an application; ``options`` is the query."""

    def webhook(self, payload: dict[str, Any]) -> list[str]:
        """Refresh the applications that a push concerns; returns their names."""

    def dashboard_link(self) -> dict[str, str]:
        """A link that opens the web page once, as ``{url}``."""

    def shut_down(self) -> None:
        """End the service soon."""


def app(desk: Desk, mounts: Mapping[str, ASGIApp], *, token: str) -> ASGIApp:
    """The whole HTTP side as one ASGI application; ``mounts`` are others by path, which ask for a login themselves."""
    guarded = _Guard(desk, token)
    routes = [
        Route("/healthz", _healthy),
        Route("/api/version", guarded(_version)),
        Route("/api/webhook", guarded(_webhook, signed=True), methods=["POST"]),
        Route("/api/v1/repositories", guarded(_repositories), methods=["GET", "POST"]),
        Route("/api/v1/repositories/{name}", guarded(_repository), methods=["DELETE"]),
        Route("/api/v1/repositories/{name}/pulls", guarded(_pulls), methods=["GET", "POST"]),
        Route("/api/v1/repositories/{name}/pulls/{number:int}", guarded(_pull)),
        Route(
            "/api/v1/repositories/{name}/pulls/{number:int}/{part}", guarded(_pull), methods=["GET", "POST"]
        ),
        Route("/api/v1/repositories/{name}/protection", guarded(_protection), methods=["GET", "POST"]),
        Route("/api/v1/applications/{name}/{part}", guarded(_application)),
        Route("/api/v1/shutdown", guarded(_shutdown), methods=["POST"]),
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
    """Wraps an endpoint: the token first, and an error as JSON afterwards."""

    def __init__(self, desk: Desk, token: str) -> None:
        self._desk = desk
        self._token = token.encode()

    def __call__(
        self, endpoint: Callable[[Request, bytes, Desk], Awaitable[Any]], *, signed: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                known = self._knows(request)
                if not known and not signed:
                    raise _unauthorized(request)  # before a stranger's body is read
                body = await _body(request, WEBHOOK_BYTES if signed else BODY_BYTES)
                if not known and not self._signed(request, body):
                    raise _unauthorized(request)
                return JSONResponse(await endpoint(request, body, self._desk))
            except errors.LabError as error:
                return _refusal(error)

        return guarded

    def _knows(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token)

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
    fix = "Authorization: Bearer <what .lab/token holds>"
    return errors.Unauthorized("this wants the lab's token", where=request.url.path, fix=fix)


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _version(_: Request, __: bytes, ___: Desk) -> Any:
    return {"Version": __version__}


async def _repositories(request: Request, body: bytes, desk: Desk) -> Any:
    if request.method == "GET":
        return {"items": await run_in_threadpool(desk.repositories)}
    name = _object(body).get("name")
    if not isinstance(name, str):
        raise errors.BadRequest("the repository needs a name", where="name", fix='Send {"name": "shop"}')
    return await run_in_threadpool(desk.create_repository, name)


async def _repository(request: Request, _: bytes, desk: Desk) -> Any:
    await run_in_threadpool(desk.delete_repository, request.path_params["name"])
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


async def _application(request: Request, _: bytes, desk: Desk) -> Any:
    name, part = request.path_params["name"], request.path_params["part"]
    return await run_in_threadpool(desk.application, name, part, request.query_params)


async def _dashboard_link(_: Request, __: bytes, desk: Desk) -> Any:
    return desk.dashboard_link()


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
    content |= {"kind": type(error).__name__, "where": error.where, "fix": error.fix}
    return JSONResponse(content, status_code=code)
