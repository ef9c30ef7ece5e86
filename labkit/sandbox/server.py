"""HTTP for the API server: uvicorn with TLS on a loopback port, on an event loop that others share."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labkit.sandbox.apiserver.app import Application
    from labkit.sandbox.certificates import Tls

_GRACE_SECONDS = 1  # for requests that are under way when the server is told to stop


class _Quiet(uvicorn.Server):
    """uvicorn without its own signal handlers: the process decides when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


class HttpsServer:
    """Serves the application until `stop`."""

    def __init__(self, application: Application, tls: Tls, *, before_stop: Callable[[], None]) -> None:
        self._before_stop = before_stop
        config = uvicorn.Config(
            application,
            loop="asyncio",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ssl_certfile=tls.certificate,
            ssl_keyfile=tls.key,
            timeout_keep_alive=300,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        config.load()
        assert config.ssl is not None  # noqa: S101 - both files are given
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
        self._server = _Quiet(config)

    async def serve(self, listener: socket.socket, *, ready: Callable[[], None]) -> None:
        """Answer on the listening socket until `stop`; `ready` is called once it does."""
        task = asyncio.ensure_future(self._server.serve([listener]))
        while not self._server.started and not task.done():
            await asyncio.sleep(0.001)
        if not task.done():
            ready()
        await task

    def stop(self) -> None:
        """End watches and connections, and let `serve` return."""
        self._before_stop()
        self._server.should_exit = True


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback address; port 0 takes a free one.  Raises `OSError` for one that is taken."""
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, each answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_REUSEADDR") and not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
