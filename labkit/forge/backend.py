"""Runs ``git http-backend`` for one HTTP request (CGI, RFC 3875), streaming both ways.

A pack may be larger than memory, so nothing is collected: what the client sends goes to the child as it
comes, what the child says goes to the client, and a slow side slows the other. A client that goes away ends a
fetch at once. A push it does not end: its input simply stops. Then Git throws away what had come so far, or,
if everything had come, finishes what it was told to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.forge.protection import hooks
from labkit.git import redact
from labkit.git.command import environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

CHUNK = 64 * 1024
_HEADERS_LIMIT = 32 * 1024
_GRACE = 5.0  # seconds that a push gets to end by itself once its input is closed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """What the child is to serve: `path` below the forge's folder, for `user`, with the request's query."""

    root: Path
    path: str
    query: str
    user: str
    writes: bool


@dataclass(slots=True)
class Backend:
    """Serves calls, at most `children` at a time, each for at most `seconds`."""

    seconds: float = 600.0
    children: int = 16
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.children)

    async def serve(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. What `call` writes is finished, or has failed, when this returns."""
        async with self._slots:
            child = await asyncio.create_subprocess_exec(
                "git", "http-backend", env=_environment(call, scope), limit=CHUNK,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                start_new_session=sys.platform != "win32",
            )  # fmt: skip
            answer = _Answer(send)
            feeding = asyncio.create_task(_feed(child, receive, on_gone=None if call.writes else kill))
            noise = asyncio.create_task(_last_words(child))
            try:
                async with asyncio.timeout(self.seconds):
                    await answer.relay(child)
                    await child.wait()
            except TimeoutError:
                log.warning("a request for %s took more than %g s", call.path, self.seconds)
            finally:
                feeding.cancel()
                await _end(child, patient=call.writes)
                await asyncio.gather(feeding, noise, return_exceptions=True)
            if child.returncode:
                words = noise.result() if not noise.cancelled() else ""
                log.info("git http-backend ended with %s for %s: %s", child.returncode, call.path, words)
        await answer.finish(whole=child.returncode == 0)


def _environment(call: Call, scope: Scope) -> dict[str, str]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    client = scope.get("client") or ("127.0.0.1", 0)
    cgi = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REQUEST_METHOD": scope["method"],
        "GIT_PROJECT_ROOT": str(call.root.resolve()),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": call.path,
        "QUERY_STRING": call.query,
        "REMOTE_USER": call.user,
        "REMOTE_ADDR": str(client[0]),
    }
    # Not CONTENT_LENGTH: told a length, git http-backend (2.39) reads for ever when the client goes away before
    # it; told none, it reads to the end of its input, which is what a cut-off request has.
    passed = {
        "content-type": "CONTENT_TYPE",
        "content-encoding": "HTTP_CONTENT_ENCODING",
        "git-protocol": "GIT_PROTOCOL",
    }
    cgi |= {variable: headers[name] for name, variable in passed.items() if name in headers}
    # Pull requests' commits are the lab's to place, and its own hook keeps protected branches.
    config = (("receive.hideRefs", "refs/pull"), ("core.hooksPath", str(hooks(call.root.resolve()))))
    env = environment(any_owner=True, config=config, extra=cgi)
    return {
        name: value for name, value in env.items() if not name.startswith(("GIT_AUTHOR_", "GIT_COMMITTER_"))
    }


async def _feed(
    child: asyncio.subprocess.Process,
    receive: Receive,
    on_gone: Callable[[asyncio.subprocess.Process], None] | None,
) -> None:
    """Hands the request's body to the child, then waits for the client to go away."""
    more = True
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            _close(child)
            if on_gone is not None:
                on_gone(child)
            return
        if more:
            await _write(child, message.get("body", b""))
            more = message.get("more_body", False)
            if not more:
                _close(child)


async def _write(child: asyncio.subprocess.Process, body: bytes) -> None:
    # A child that has ended early has said why; the rest of the body is read and dropped.
    if child.stdin is not None and body and not child.stdin.is_closing():
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            child.stdin.write(body)
            await child.stdin.drain()


def _close(child: asyncio.subprocess.Process) -> None:
    if child.stdin is not None:
        child.stdin.close()


async def _last_words(child: asyncio.subprocess.Process) -> str:
    if child.stderr is None:
        return ""
    kept = b""
    while chunk := await child.stderr.read(CHUNK):
        kept = (kept + chunk)[-2000:]
    return redact(kept.decode("utf-8", "replace").strip())


async def _end(child: asyncio.subprocess.Process, *, patient: bool) -> None:
    """Sees the child to its end. A push that is being finished gets a moment for it."""
    _close(child)
    if child.returncode is None and patient:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.wait(), _GRACE)
    if child.returncode is None:
        kill(child)
    await child.wait()


def kill(child: asyncio.subprocess.Process) -> None:
    """Ends a child and its own children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)


@dataclass(slots=True)
class _Answer:
    """The HTTP response, made from what a CGI program prints."""

    send: Send
    started: bool = False

    async def relay(self, child: asyncio.subprocess.Process) -> None:
        """Passes on the child's headers and body, as they come."""
        if child.stdout is None:
            return
        try:
            head = await child.stdout.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        await self._start(head)
        while chunk := await child.stdout.read(CHUNK):
            await self.send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _start(self, head: bytes) -> None:
        status, headers = 200, []
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"status":
                status = int(value.split()[0])
            elif name:
                headers.append((name.lower(), value.strip()))
        self.started = True
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def finish(self, *, whole: bool) -> None:
        """The end of the response: an error if the child never began one, and a connection that breaks off
        (the server does that to an answer without an end) if it failed in the middle."""
        if not self.started:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await self.send({"type": "http.response.start", "status": 500, "headers": headers})
            body = b"git could not serve this request.\n"
            await self.send({"type": "http.response.body", "body": body, "more_body": False})
        elif whole:
            await self.send({"type": "http.response.body", "body": b"", "more_body": False})
