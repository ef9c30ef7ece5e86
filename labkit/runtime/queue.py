"""The work queue: which keys somebody should look at, each at most once, now or later."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from labkit.runtime.clock import Clock

Key = TypeVar("Key", bound=Hashable)

FIRST_DELAY = 0.005
LONGEST_DELAY = 300.0


class WorkQueue(Generic[Key]):
    """Keys to reconcile. Thread-safe.

    A key that is added twice is handed out once. One that is added while somebody works on it is handed out
    again when he is `done`, so two workers never have the same key. Back-off doubles from 5 ms to 5 min, as in
    client-go's default rate limiter.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: OrderedDict[Key, None] = OrderedDict()
        self._working: set[Key] = set()
        self._again: set[Key] = set()
        self._later: list[tuple[float, int, Key]] = []
        self._due: dict[Key, float] = {}
        self._failures: dict[Key, int] = {}
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._closed = False

    def add(self, key: Key) -> None:
        """Hand the key out as soon as somebody is free."""
        with self._changed:
            self._add(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Hand the key out in ``seconds``; of several such wishes the earliest counts."""
        if seconds <= 0:
            return self.add(key)
        with self._changed:
            due = self._clock.monotonic() + seconds
            if due < self._due.get(key, float("inf")):
                self._due[key] = due
                heapq.heappush(self._later, (due, next(self._order), key))
                self._changed.notify()
            return None

    def add_rate_limited(self, key: Key) -> None:
        """Hand the key out after its back-off, which grows with each call until `forget`."""
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
        self.add_after(key, min(FIRST_DELAY * 2 ** min(failures, 30), LONGEST_DELAY))

    def forget(self, key: Key) -> None:
        """The key went well: its back-off begins anew."""
        with self._changed:
            self._failures.pop(key, None)

    def get(self, timeout: float | None = None) -> Key | None:
        """The next key, or ``None`` after ``timeout`` real seconds (0: at once) or when the queue was closed."""
        with self._changed:
            self._promote()
            while not self._ready and not self._closed:
                wait = self._wait(timeout)
                if timeout is not None and wait <= 0:
                    return None
                woken = self._changed.wait(wait if wait != float("inf") else None)
                self._promote()
                if timeout is not None and not woken and not self._ready:
                    return None
            if self._closed:
                return None
            key, _ = self._ready.popitem(last=False)
            self._working.add(key)
            return key

    def done(self, key: Key) -> None:
        """Nobody works on the key any more; if it was added meanwhile, it is handed out again."""
        with self._changed:
            self._working.discard(key)
            if key in self._again:
                self._again.discard(key)
                self._add(key)

    def delay(self) -> float | None:
        """Seconds of the clock until there is something to do: 0 for now, ``None`` for nothing at all."""
        with self._changed:
            self._promote()
            if self._ready:
                return 0.0
            return max(0.0, self._later[0][0] - self._clock.monotonic()) if self._later else None

    def close(self) -> None:
        """Wake everybody who waits; nothing is handed out any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return len(self._ready)

    def _add(self, key: Key) -> None:
        if key in self._working:
            self._again.add(key)
        elif key not in self._ready:
            self._ready[key] = None
            self._changed.notify()

    def _promote(self) -> None:
        now = self._clock.monotonic()
        while self._later and self._later[0][0] <= now:
            due, _, key = heapq.heappop(self._later)
            if self._due.get(key) == due:
                del self._due[key]
                self._add(key)

    def _wait(self, timeout: float | None) -> float:
        """Real seconds until something may be ready."""
        waits = [float("inf") if timeout is None else timeout]
        if self._later:
            waits.append(max(0.0005, self._clock.real(self._later[0][0] - self._clock.monotonic())))
        found = min(waits)
        return found if found == float("inf") else min(found, threading.TIMEOUT_MAX)
