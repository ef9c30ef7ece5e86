"""An answer that comes line by line for as long as somebody listens: a watch, or logs that are followed.

A stream may be closed from another thread while one waits in it; that one is then done, without an error.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import urllib3

    from labkit.cluster.transport import Transport

_PIECE = 1 << 16
LINE_LIMIT = 64 << 20  # bytes; an object in etcd has at most 1.5 MiB, so whoever sends more is no API server


class Lines:
    """The lines of one streamed answer, without their ends."""

    def __init__(self, transport: Transport, answer: urllib3.BaseHTTPResponse) -> None:
        self._transport = transport
        self._answer = answer
        self._rest = bytearray()
        self._reading = threading.Lock()
        self.closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        while True:
            line, end, rest = self._rest.partition(b"\n")
            if end:
                self._rest = rest
                if self.closed:
                    raise StopIteration
                return bytes(line)
            if not self._read():
                return self._last()

    def limit_silence(self, seconds: float) -> None:
        """Wait at most so long for the next piece; then `ClusterUnreachable`."""
        connection = getattr(self._answer.connection, "sock", None)
        if connection is not None:
            connection.settimeout(seconds)

    def close(self) -> None:
        """End the stream; whoever waits in it wakes up."""
        self.closed = True
        with contextlib.suppress(ValueError, RuntimeError, OSError):  # it has ended by itself
            self._answer.shutdown()
        with self._reading:
            self._answer.close()

    def _read(self) -> bool:
        """Wait for the next piece; False at the end."""
        with self._reading:
            try:
                with self._transport.explained():
                    piece = b"" if self.closed else self._answer.read1(_PIECE)
            except Exception:
                if not self.closed:
                    self._answer.close()
                    raise
                piece = b""
        if self.closed or len(self._rest) > LINE_LIMIT:
            return False
        self._rest += piece
        return bool(piece)

    def _last(self) -> bytes:
        """What stands after the last line end, once; then the end."""
        line, self._rest = bytes(self._rest), bytearray()
        done = self.closed
        self.close()
        if not line or done:
            raise StopIteration
        return line
