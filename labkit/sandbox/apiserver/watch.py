"""A watch: what happens to some objects, as one line of JSON after the other.

A watch begins with what is there (ADDED), or after the resourceVersion it names, and goes on until the client
hangs up, its time is over or the server stops.  An object that begins to match the selectors is ADDED to this
watcher, one that ceases to is DELETED, whatever really happened to it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final

import orjson

from labkit.errors import ApiError, Gone
from labkit.sandbox.store import ADDED, DELETED, MODIFIED, Change, Store

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.requests import ListOptions
    from labkit.sandbox.apiserver.resources import Resource
    from labkit.sandbox.apiserver.selection import Selection

JSON = dict[str, Any]

BOOKMARK_SECONDS: Final = 60.0
LONGEST_SECONDS: Final = 3600.0
_BACKLOG: Final = 20_000  # events that a client may lag behind before it is cut off

EncodeEvent = Callable[[bytes], bytes]


class Watch:
    """One client's watch.  Iterate it for lines; `close` ends it."""

    def __init__(
        self,
        store: Store,
        resource: Resource,
        selection: Selection,
        options: ListOptions,
        encode: EncodeEvent,
    ) -> None:
        self._store = store
        self._resource = resource
        self._selection = selection
        self._options = options
        self._encode = encode
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._closed = False
        self._begin()
        self._unsubscribe = store.subscribe(self._on_change)

    def expire(self) -> None:
        """End it with 410 Gone: what it saw is no longer how things came to be."""
        if not self._closed:
            self._fail(Gone(f"too old resource version: the history before {self._store.revision} is gone"))
        self.close()

    def close(self) -> None:
        """End it; lines that are waiting are still given."""
        self._closed = True
        self._unsubscribe()
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The lines, several at a time where several are there."""
        loop = asyncio.get_running_loop()
        end = loop.time() + (self._options.timeout_seconds or LONGEST_SECONDS)
        bookmark = loop.time() + BOOKMARK_SECONDS
        try:
            while True:
                if self._queue:
                    lines = b"".join(self._queue)
                    self._queue.clear()
                    yield lines
                now = loop.time()
                if now >= end:
                    return
                if self._queue:
                    continue  # it came while the lines before it were being sent
                if self._closed:
                    return
                if now >= bookmark:
                    bookmark = now + BOOKMARK_SECONDS
                    if self._options.bookmarks:
                        self._queue.append(self._bookmark())
                        continue
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), max(0.0, min(end, bookmark) - now))
                except TimeoutError:
                    continue
        finally:
            self.close()

    def _begin(self) -> None:
        options = self._options
        start = options.resource_version
        if options.initial_events or (start in ("", "0") and options.initial_events is not False):
            for key, entry in self._store.list(self._resource.storage):
                if self._selection.key(key) and self._selection.entry(entry):
                    self._add(ADDED, entry.value)
            if options.initial_events and options.bookmarks:
                self._queue.append(self._bookmark(initial=True))
            return
        if start in ("", "0"):
            return
        try:
            changes = self._store.changes_since(int(start), self._resource.storage)
        except LookupError:
            self._fail(Gone(f"too old resource version: {start} ({self._store.compacted})"))
            return
        for change in changes:
            self._take(change)

    def _fail(self, error: ApiError) -> None:
        self._queue.append(b'{"type":"ERROR","object":' + orjson.dumps(error.status()) + b"}\n")
        self._closed = True

    def _on_change(self, change: Change) -> None:
        if change.key.resource != self._resource.storage or self._closed:
            return
        self._take(change)
        if len(self._queue) > _BACKLOG:
            self.close()
        elif self._queue:
            self._wake.set()

    def _take(self, change: Change) -> None:
        before, after = self._selection.change(change)
        if after and change.value is not None:
            self._add(MODIFIED if before else ADDED, change.value)
        elif before:
            self._add(DELETED, _last(change))

    def _add(self, kind: str, value: bytes) -> None:
        self._queue.append(b'{"type":"%b","object":%b}\n' % (kind.encode(), self._encode(value)))

    def _bookmark(self, *, initial: bool = False) -> bytes:
        meta: JSON = {"resourceVersion": str(self._store.revision)}
        if initial:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj = {"kind": self._resource.kind, "apiVersion": self._resource.api_version, "metadata": meta}
        return b'{"type":"BOOKMARK","object":' + orjson.dumps(obj) + b"}\n"


def _last(change: Change) -> bytes:
    """The object as it was before it left, with the revision at which it did."""
    gone = orjson.loads(change.previous or b"{}")
    gone["metadata"]["resourceVersion"] = str(change.revision)
    return orjson.dumps(gone)
