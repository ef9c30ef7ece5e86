"""Server-sent events: the names of the applications of which something changed, gathered for a moment."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from typing import TYPE_CHECKING

from labkit.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

GATHER_SECONDS = 0.1
ALIVE_SECONDS = 15.0
READERS = 64


class News:
    """Hands names from any thread to every page that listens."""

    def __init__(self) -> None:
        self._readers: set[_Reader] = set()
        self._lock = threading.Lock()
        self._closed = False

    def tell(self, name: str) -> None:
        """Something of this application changed. Quick, and callable from any thread."""
        with self._lock:
            for reader in self._readers:
                reader.tell(name)

    def close(self) -> None:
        """End all streams, and let nobody listen any more."""
        with self._lock:
            self._closed = True
            for reader in self._readers:
                reader.tell("")

    async def stream(self, told: Callable[[list[str]], list[str] | None] | None = None) -> AsyncIterator[str]:
        """The events, as the browser reads them: ``data: ["shop"]``, and a comment now and then to stay alive.

        ``told`` says which names this reader hears of; None from it ends the stream.
        """
        async for names in self.names():
            if names is None:
                yield "retry: 1000\n\n"
                continue
            heard = names if told is None else told(names)
            if heard is None:
                return
            yield f"data: {json.dumps(heard)}\n\n" if heard else ": alive\n\n"

    async def names(self) -> AsyncIterator[list[str] | None]:
        """First None: from now on nothing is missed. Then the names that came; none now and then, without news."""
        reader = _Reader(asyncio.get_running_loop())
        with self._lock:
            if len(self._readers) >= READERS:
                raise ServiceError("too many pages are open", fix="Close some of them.")
            self._readers.add(reader)
        try:
            yield None
            while not self._closed:
                yield await reader.next()
        finally:
            with self._lock:
                self._readers.discard(reader)


class _Reader:
    """One page's mailbox: names wait in it until they are fetched, each once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._names, self._full = loop, set[str](), asyncio.Event()

    def tell(self, name: str) -> None:
        if not self._names:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the page with it
                self._loop.call_soon_threadsafe(self._full.set)
        self._names.add(name)

    async def next(self) -> list[str]:
        """The names that came; none after a while without any."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._full.wait(), ALIVE_SECONDS)
            await asyncio.sleep(GATHER_SECONDS)
        self._full.clear()
        names, self._names = self._names, set[str]()
        return sorted(names - {""})
