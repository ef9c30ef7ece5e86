"""uvicorn, as the service needs it: our signals, our log, and a word when it listens."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp


class Server(uvicorn.Server):
    """Serves ``app`` until `should_exit` is set; open requests then have ``grace`` seconds."""

    def __init__(self, app: ASGIApp, grace: int, *, on_ready: Callable[[], None]) -> None:
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                http="httptools",
                timeout_graceful_shutdown=grace,
                server_header=False,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: they are the service's."""
        yield
