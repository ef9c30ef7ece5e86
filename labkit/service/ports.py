"""The service's one port: the same one every time, because repository URLs in Applications name it."""

from __future__ import annotations

import contextlib
import socket

from labkit.errors import PortTaken

HOST = "127.0.0.1"


def listen(preferred: int = 0, *, only: bool = False) -> socket.socket:
    """A listening socket on loopback: on ``preferred`` if it is free, else on any free port.

    With ``only`` a taken port is a `PortTaken` error: a person asked for just this one.
    """
    try:
        return _bound(preferred)
    except OSError as error:
        if only:
            raise PortTaken(
                "another program listens there" if preferred >= 1024 else (error.strerror or str(error)),
                where=f"{HOST}:{preferred}",
                fix="Choose another port, or leave --port out and a free one is chosen.",
            ) from error
        return _bound(0)


def _bound(port: int) -> socket.socket:
    with contextlib.ExitStack() as undo:
        # asyncio turns Nagle's algorithm off only where the protocol is named; with it, each answer waits 40 ms.
        made = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP))
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: SO_REUSEADDR there would share a taken port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HOST, port))
        made.listen(128)
        undo.pop_all()
        return made
