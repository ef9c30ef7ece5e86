"""Hosts controllers on an event loop, one short step at a time, between whatever else the loop serves."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.runtime.clock import Clock
    from labkit.runtime.controller import Controller

SLICE = 0.0005
"""Seconds of the machine after which controllers let the loop's other work have its turn; a step is not cut short."""


class LoopHost:
    """Steps its controllers in turn while they have ready keys, and sleeps until the next one is due.

    Everything runs on the loop's own thread, so a reconcile needs no locks. Keys may also be added from there only.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop, self._clock = loop, clock
        self._controllers: deque[Controller[Any]] = deque()
        self._scheduled: asyncio.Handle | None = None
        self._stopped = False

    def add(self, controller: Controller[Any]) -> None:
        """Host one more."""
        self._controllers.append(controller)
        controller.wake = self.wake
        self.wake()

    def wake(self) -> None:
        """Something was queued: have a turn soon."""
        if self._stopped:
            return
        if isinstance(self._scheduled, asyncio.TimerHandle):
            self._scheduled.cancel()
            self._scheduled = None
        if self._scheduled is None:
            self._scheduled = self._loop.call_soon(self._turn)

    def stop(self) -> None:
        """Leave no timer behind."""
        self._stopped = True
        if self._scheduled is not None:
            self._scheduled.cancel()
        for controller in self._controllers:
            controller.queue.close()

    def settle(self) -> None:
        """Step until nothing is ready: for tests, which turn the clock themselves."""
        while self._step():
            pass

    def delay(self) -> float | None:
        """Seconds of the clock until something is due: 0 for now, ``None`` for nothing at all."""
        return min((delay for c in self._controllers if (delay := c.queue.delay()) is not None), default=None)

    def _step(self) -> bool:
        """One key of the next controller that has one, so that none starves; says whether there was any."""
        for _ in range(len(self._controllers)):
            self._controllers.rotate(-1)
            if self._controllers[-1].step():
                return True
        return False

    def _turn(self) -> None:
        until = time.perf_counter() + SLICE
        while self._step() and time.perf_counter() < until:
            pass
        self._scheduled = None
        delay = self.delay()
        if self._stopped or delay is None:
            return
        if delay <= 0:
            self._scheduled = self._loop.call_soon(self._turn)
        else:
            self._scheduled = self._loop.call_later(self._clock.real(delay), self._turn)
