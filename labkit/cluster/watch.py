"""Changes of one kind as they happen, over as many connections as it takes.

A server ends a watch whenever it likes (real ones after a few minutes), and networks break. The next connection
goes on after the last version that was seen, so nothing is missed and nothing comes twice. When the server no
longer remembers that version, `Gone` says so: list again, and watch from there.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

from labkit.cluster.lines import Lines
from labkit.errors import ClusterUnreachable
from labkit.runtime.client import WatchEvent

if TYPE_CHECKING:
    from labkit.cluster.transport import Transport

_CONNECTION_SECONDS = 300.0
_GRACE_SECONDS = 15.0  # how much later than asked a server may end a watch
_PAUSE_SECONDS = 1.0  # before the next try when a connection ended at once and brought nothing


class Watch:
    """An iterator of `WatchEvent`; `close` may be called from another thread, and ends it.

    ``timeout`` (seconds) is the time for the whole of it; None: until it is closed. BOOKMARK events are used
    here and handed on, since a list that is kept up to date wants their version too.
    """

    def __init__(
        self,
        transport: Transport,
        path: str,
        *,
        query: dict[str, str],
        resource_version: str = "",
        timeout: float | None = None,
    ) -> None:
        self.resource_version = resource_version
        self._transport = transport
        self._path = path
        self._query = query
        self._until = None if timeout is None else time.monotonic() + timeout
        self._resumable = bool(resource_version)
        self._lines: Lines | None = None
        self._seen = True
        self._closed = threading.Event()
        self._opening = threading.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> WatchEvent:
        while not self._closed.is_set():
            lines = self._lines or self._open()
            line = self._line(lines) if lines else None
            if line:
                return self._event(line)
            if line is None and not self._again():
                break
        self.close()
        raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_opening"):  # else its own making failed
            self.close()

    def close(self) -> None:
        """End the watch. Whoever waits in it gets the end of the iteration."""
        self._closed.set()
        with self._opening:
            if self._lines:
                self._lines.close()

    def _open(self) -> Lines | None:
        """Connect, for what is left of the time; None when it is over."""
        left = _CONNECTION_SECONDS if self._until is None else self._until - time.monotonic()
        seconds = min(left, _CONNECTION_SECONDS)
        if seconds <= 0:
            return None
        query = self._query | {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self.resource_version,
            "timeoutSeconds": str(max(1, round(seconds))),
        }
        answer = self._transport.stream(
            self._path, query=query, read_seconds=_CONNECTION_SECONDS + _GRACE_SECONDS
        )
        with self._opening:
            self._lines = Lines(self._transport, answer)
            if self._until is not None:
                self._lines.limit_silence(max(0.01, seconds))
            if self._closed.is_set():
                self._lines.close()
        self._seen = False
        return self._lines

    def _line(self, lines: Lines) -> bytes | None:
        """The next line; None when this connection has ended, by itself or by a fault that a new one mends."""
        try:
            return next(lines, None)
        except ClusterUnreachable:
            over = self._until is not None and time.monotonic() >= self._until
            if not (self._resumable or over or self._closed.is_set()):
                raise
            return None

    def _again(self) -> bool:
        """Whether to go on over a new connection."""
        self._lines = None
        if self._until is not None and time.monotonic() >= self._until:
            return False
        if not self._seen:
            pause = _PAUSE_SECONDS
            if self._until is not None:
                pause = min(pause, self._until - time.monotonic())
            self._closed.wait(max(0.0, pause))
        return not self._closed.is_set()

    def _event(self, line: bytes) -> WatchEvent:
        found = self._transport.decode(line)
        event_type, obj = found["type"], found["object"]
        if event_type == "ERROR":
            self.close()
            raise self._transport.status_error(obj)
        version = obj.get("metadata", {}).get("resourceVersion")
        if version:
            self.resource_version = version
        self._resumable = self._resumable or event_type == "BOOKMARK"
        self._seen = True
        return WatchEvent(event_type, obj)
