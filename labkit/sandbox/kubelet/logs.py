"""A container's log: its last lines, and those who follow it."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from labkit.runtime.clock import Clock

KEPT = 2000
_LONGEST = 16_000


class Log:
    """The lines that one run of a container wrote, oldest forgotten first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: deque[tuple[datetime, str]] = deque(maxlen=KEPT)
        self._followers: set[asyncio.Queue[tuple[datetime, str] | None]] = set()
        self._ended = False

    def write(self, text: str) -> None:
        """One line, or several."""
        for line in text.splitlines() or [""]:
            entry = (self._clock.now(), line[:_LONGEST])
            self._lines.append(entry)
            for follower in self._followers:
                follower.put_nowait(entry)

    def end(self) -> None:
        """No more lines will come."""
        self._ended = True
        for follower in self._followers:
            follower.put_nowait(None)

    def lines(self, *, tail: int | None = None, since: datetime | None = None) -> list[tuple[datetime, str]]:
        """The last ``tail`` lines, none older than ``since``."""
        found = [entry for entry in self._lines if since is None or entry[0] >= since]
        return found if tail is None else found[len(found) - min(tail, len(found)) :]

    async def follow(
        self, *, tail: int | None = None, since: datetime | None = None
    ) -> AsyncIterator[tuple[datetime, str]]:
        """`lines`, and then each new one until the container ends."""
        queue: asyncio.Queue[tuple[datetime, str] | None] = asyncio.Queue()
        self._followers.add(queue)
        try:
            for entry in self.lines(tail=tail, since=since):
                yield entry
            while not (self._ended and queue.empty()):
                new = await queue.get()
                if new is None:
                    return
                yield new
        finally:
            self._followers.discard(queue)


def shown(entry: tuple[datetime, str], *, timestamps: bool) -> str:
    """A line as ``kubectl logs`` shows it."""
    moment, line = entry
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z {line}\n" if timestamps else f"{line}\n"


def since(now: datetime, seconds: int | None, moment: datetime | None) -> datetime | None:
    """From ``--since`` or ``--since-time`` to a moment."""
    return now - timedelta(seconds=seconds) if seconds is not None else moment
