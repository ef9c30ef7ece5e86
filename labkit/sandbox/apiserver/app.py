"""The server's front: one request in, one answer out, as an ASGI application without a framework.

A request passes through the same gates in the same order as in kube-apiserver: who is it, whom does it play, what
does it ask for, may it, and only then is its body looked at.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from labkit.errors import ApiError, TooLarge
from labkit.sandbox.apiserver import authentication, negotiation, wire
from labkit.sandbox.apiserver.bodies import MAX_BODY
from labkit.sandbox.apiserver.handlers import Call, Streaming, flag
from labkit.sandbox.apiserver.negotiation import PLAIN, Form
from labkit.sandbox.apiserver.routing import Attributes, PlainNotFound, attributes, resolve
from labkit.sandbox.apiserver.wire import Response

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.api import Api
    from labkit.sandbox.apiserver.requests import User

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = logging.getLogger(__name__)


class Application:
    """The ASGI application over one `Api`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except _Disconnected:
            return
        if isinstance(answer, Streaming):
            await _stream(answer, receive, send)
        else:
            await _send(answer, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response | Streaming:
        form = PLAIN
        try:
            headers = _headers(scope)
            body = await _body(receive, headers) if scope["method"] in _WITH_BODY else b""
            user = self._sender(scope, headers)
            query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            path = scope["raw_path"].decode("latin-1") if scope.get("raw_path") else scope["path"]
            asked, rest = attributes(scope["method"], path, flag(query, "watch"))
            self._api.authorizer.require(user, asked)
            form = negotiation.accepted(",".join(headers.get("accept", ())))
            call = Call(scope["method"], path, query, headers, body, user, form)
            if asked.path:
                return await self._api.plain.answer(call)
            call.route = resolve(scope["method"], asked, rest, self._api.registry)
            return await self._api.handlers.answer(call)
        except _Refused as error:  # in these words, and as text, by kube-apiserver, too
            text = f'Internal Server Error: "{scope["path"]}": {error}\n'
            return Response(text.encode(), 500, "text/plain; charset=utf-8")
        except PlainNotFound:
            return Response(b"404 page not found\n", 404, "text/plain; charset=utf-8")
        except ApiError as error:
            return wire.error_response(error, Form(yaml=form.yaml))
        except Exception:
            log.exception("a request failed: %s %s", scope["method"], scope["path"])
            fault = ApiError("Internal error occurred: the sandbox met a fault of its own; see its log")
            return wire.error_response(fault, PLAIN)

    def _sender(self, scope: Scope, headers: dict[str, list[str]]) -> User:
        certificate = (scope.get("state") or {}).get("certificate_user")
        user = self._api.authenticator.user(headers, certificate)
        other = authentication.impersonated(headers)
        if other is None:
            if nobody := authentication.impersonated_without_user(headers):
                raise _Refused(f"requested [{nobody}] without impersonating a user")
            return user
        for asked in _impersonation(other):
            self._api.authorizer.require(user, asked)
        return other


_WITH_BODY = frozenset(("POST", "PUT", "PATCH", "DELETE"))


class _Refused(Exception):
    """Headers that contradict each other."""


class _Disconnected(Exception):
    """The client hung up before its request was complete."""


def _impersonation(other: User) -> list[Attributes]:
    asked = []
    if other.name.startswith("system:serviceaccount:") and other.name.count(":") == 3:
        _, _, namespace, name = other.name.split(":")
        asked.append(Attributes("impersonate", "", "v1", "serviceaccounts", "", namespace, name))
    else:
        asked.append(Attributes("impersonate", "", "v1", "users", name=other.name))
    implied = {authentication.AUTHENTICATED, authentication.UNAUTHENTICATED, "system:serviceaccounts"}
    asked += [
        Attributes("impersonate", "", "v1", "groups", name=group)
        for group in other.groups
        if group not in implied and not group.startswith("system:serviceaccounts:")
    ]
    if other.uid:
        asked.append(Attributes("impersonate", "authentication.k8s.io", "v1", "uids", name=other.uid))
    for key, values in other.extra.items():
        asked += [
            Attributes("impersonate", "authentication.k8s.io", "v1", "userextras", key, name=value)
            for value in values
        ]
    return asked


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return found


async def _body(receive: Receive, headers: dict[str, list[str]]) -> bytes:
    if int(headers.get("content-length", ["0"])[0] or 0) > MAX_BODY:
        raise TooLarge(f"Request entity too large: limit is {MAX_BODY}")
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise TooLarge(f"Request entity too large: limit is {MAX_BODY}")
        if not message.get("more_body"):
            return b"".join(parts)


def _start(status: int, content_type: str, headers: list[tuple[str, str]]) -> MutableMapping[str, Any]:
    pairs = [(b"content-type", content_type.encode()), (b"cache-control", b"no-cache, private")]
    pairs += [(name.lower().encode("latin-1"), value.encode("utf-8")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": pairs}


async def _send(response: Response, send: Send) -> None:
    headers = [*response.headers, ("content-length", str(len(response.body)))]
    headers += [("warning", f'299 - "{_quoted(text)}"') for text in dict.fromkeys(response.warnings)]
    await send(_start(response.status, response.content_type, headers))
    await send({"type": "http.response.body", "body": response.body})


def _quoted(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(character if character.isprintable() else " " for character in text)


async def _stream(answer: Streaming, receive: Receive, send: Send) -> None:
    await send(
        _start(200, answer.content_type, [("warning", f'299 - "{_quoted(t)}"') for t in answer.warnings])
    )
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    hung_up = asyncio.ensure_future(_hang_up(receive, answer.close))
    try:
        async for part in _parts(answer.parts):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except OSError:
        log.debug("a client hung up in the middle of an answer")
    finally:
        answer.close()
        hung_up.cancel()


async def _parts(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for part in parts:
        yield part


async def _hang_up(receive: Receive, close: Callable[[], None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    close()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
