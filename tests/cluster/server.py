"""A small HTTP server whose answers a test writes down: for what a healthy API server never does."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [
        {
            "name": "configmaps",
            "kind": "ConfigMap",
            "namespaced": True,
            "verbs": ["get"],
            "shortNames": ["cm"],
        },
        {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
        {"name": "pods/log", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
        {"name": "namespaces", "kind": "Namespace", "namespaced": False, "verbs": ["get"]},
    ],
}


class AnswerServer:
    """Answers ``METHOD /path`` with what `on` was told; keeps what it was asked in ``requests``.

    An answer is (status, body) or (status, body, headers); the body is bytes, JSON data, or a function that
    writes to the open connection itself.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: dict[str, list] = {}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __getattr__(self, name):
                """``do_GET`` and its like."""
                if name.startswith("do_"):
                    return lambda: owner._answer(self)
                raise AttributeError(name)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that does not trust us hangs up

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.on("GET /api", 200, {"kind": "APIVersions", "versions": ["v1"]})
        self.on("GET /apis", 200, {"kind": "APIGroupList", "groups": []})
        self.on("GET /api/v1", 200, RESOURCES)

    def on(self, request: str, status: int, body, headers: dict[str, str] | None = None) -> None:
        """Answer so from now on; a list of answers, the last of which stays, is made by calling `then`."""
        self.answers[request] = [(status, body, headers or {})]

    def then(self, request: str, status: int, body, headers: dict[str, str] | None = None) -> None:
        """After the answers before have each been given once, answer so."""
        self.answers.setdefault(request, []).append((status, body, headers or {}))

    def asked(self, word: str = "") -> list[str]:
        """The requests so far that have ``word`` in them, as ``METHOD /path?query``."""
        return [f"{method} {path}" for method, path, _, _ in self.requests if word in path]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        content = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.requests.append((handler.command, handler.path, dict(handler.headers), content))
        known = self.answers.get(f"{handler.command} {handler.path.partition('?')[0]}")
        if not known:
            known = [(404, b"404 page not found", {})]
        status, body, headers = known.pop(0) if len(known) > 1 else known[0]
        if callable(body):
            body(handler)
            return
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "text/plain" if isinstance(body, bytes) else "application/json"
        handler.send_response(status)
        for key, value in ({"Content-Type": kind, "Content-Length": str(len(data))} | headers).items():
            handler.send_header(key, value)
        handler.end_headers()
        handler.wfile.write(data)


def chunks(*lines: dict, end: bool = True, hold: threading.Event | None = None):
    """A streamed answer: each line a chunk; then the proper end, or (``end=False``) a connection cut off."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for line in lines:
            data = json.dumps(line).encode() + b"\n"
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if hold:
            hold.wait(30)
        if end:
            handler.wfile.write(b"0\r\n\r\n")
        else:
            handler.close_connection = True

    return write
