"""A real HTTP proxy that answers as servers on a bad day do: down, slow, cut off, busy, or of another opinion.

It stands between the code under test and a real server. What it does to a request is said by a function of the
request, so that a test reads as a list of what goes wrong.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    body: bytes = b""

    @property
    def watches(self) -> bool:
        return "watch=true" in self.path


@dataclass(frozen=True)
class Answer:
    """Answer in the server's place; a Kubernetes Status unless ``body`` is given."""

    status: int
    reason: str = ""
    message: str = "the proxy says so"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    def content(self) -> bytes:
        if self.body is not None:
            return self.body
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": self.status}
        return json.dumps(status | {"reason": self.reason, "message": self.message}).encode()


@dataclass(frozen=True)
class Forgotten:
    """A watch that begins well, and says after its first moment that its version is too old."""


@dataclass(frozen=True)
class Hang_up:  # noqa: N801  # reads as what happens
    """Close the connection; ``after`` the server has done what was asked, or before it hears of it."""

    after: bool = False


@dataclass(frozen=True)
class Dribble:
    """Pass the answer on, so many bytes at a time with a pause after each."""

    size: int = 1
    pause: float = 0.2


Fault = Answer | Forgotten | Hang_up | Dribble | None


def nothing(_request: Request) -> Fault:
    return None


@dataclass
class Proxy:
    """Use as a context manager; ``url`` is its address. ``fault`` may be changed at any time."""

    upstream: str
    tls: ssl.SSLContext | None = None
    fault: Callable[[Request], Fault] = nothing
    done: list[tuple[Request, Fault]] = field(default_factory=list)
    """What was asked, and what was done to it."""
    _server: ThreadingHTTPServer | None = None
    _open: set[socket.socket] = field(default_factory=set)
    _port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def faults(self) -> list[Fault]:
        return [fault for _, fault in self.done if fault is not None]

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def up(self) -> None:
        """Listen, at the same address as before."""
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        """Refuse new connections and end those that are open."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        self.cut()

    def cut(self) -> None:
        """End every connection that is open."""
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def connect(self) -> http.client.HTTPConnection:
        place = urlsplit(self.upstream)
        if self.tls is not None:
            return http.client.HTTPSConnection(place.netloc, context=self.tls, timeout=330)
        return http.client.HTTPConnection(place.netloc, timeout=330)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """A client that went away is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    owner: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.owner._open.add(self.connection)

    def finish(self) -> None:
        self.owner._open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, *_: Any) -> None:
        pass

    def _any(self) -> None:
        request = Request(self.command, self.path, self._body())
        fault = self.owner.fault(request)
        self.owner.done.append((request, fault))
        if isinstance(fault, Answer):
            self._say(fault.status, fault.headers, fault.content())
        elif isinstance(fault, Hang_up) and not fault.after:
            self.close_connection = True
        else:
            self._forward(request, fault)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _say(self, status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), *headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _forward(self, request: Request, fault: Fault) -> None:
        upstream = self.owner.connect()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        try:
            upstream.request(request.method, request.path, request.body or None, headers)
            answer = upstream.getresponse()
            if isinstance(fault, Hang_up):
                answer.read()
                self.close_connection = True
                return
            self._pass_on(answer, fault)
        except OSError:
            self.close_connection = True
        finally:
            upstream.close()

    def _pass_on(self, answer: http.client.HTTPResponse, fault: Fault) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if isinstance(fault, Forgotten):
            gone = {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "code": 410,
                "reason": "Expired",
            }
            self._chunk(
                json.dumps({"type": "ERROR", "object": gone | {"message": "too old"}}).encode() + b"\n"
            )
        else:
            while data := answer.read1(65536):
                self._chunks(data, fault)
        self.wfile.write(b"0\r\n\r\n")

    def _chunks(self, data: bytes, fault: Fault) -> None:
        if not isinstance(fault, Dribble):
            self._chunk(data)
            return
        for at in range(0, len(data), fault.size):
            self._chunk(data[at : at + fault.size])
            time.sleep(fault.pause)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


@dataclass
class Every:
    """A fault for one in ``nth`` requests that fit, at most ``times`` times; thread-safe enough for a test.

    They come at uneven distances, the same in each run: at even ones, a client whose every try makes ``nth``
    requests would be hit at the same one for ever.
    """

    fault: Fault
    fits: Callable[[Request], bool]
    nth: int = 1
    times: int = 1_000_000
    seen: int = 0
    given: int = 0
    _next: int = 0
    _chance: random.Random = field(default_factory=lambda: random.Random(3))

    def __call__(self, request: Request) -> Fault:
        if not self.fits(request):
            return None
        self.seen += 1
        self._next = self._next or self.nth
        if self.seen < self._next or self.given >= self.times:
            return None
        self._next = self.seen + self._chance.randint(1, 2 * self.nth - 1)
        self.given += 1
        return self.fault
