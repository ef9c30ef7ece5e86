"""Hosts controllers on an event loop, one short step at a time, between whatever else the loop serves."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.runtime.clock import Clock
    from labkit.runtime.controller import Controller

SLICE = 0.002
"""Seconds of the machine that controllers may take before the loop's other work has its turn."""


class LoopHost:
    """Steps its controllers in turn while they have ready keys, and sleeps until the next one is due.

    Everything runs on the loop's own thread, so a reconcile needs no locks. Keys may also be added from there only.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop, self._clock = loop, clock
        self._controllers: list[Controller[Any]] = []
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
        while self._round():
            pass

    def _round(self) -> bool:
        """One step of each controller, so that none starves; says whether any had work."""
        return sum(controller.step() for controller in self._controllers) > 0

    def _turn(self) -> None:
        until = time.perf_counter() + SLICE
        busy = True
        while busy and time.perf_counter() < until:
            busy = self._round()
        self._scheduled = None
        if self._stopped:
            return
        delays = [delay for c in self._controllers if (delay := c.queue.delay()) is not None]
        if not delays:
            return
        if busy or min(delays) <= 0:
            self._scheduled = self._loop.call_soon(self._turn)
        else:
            self._scheduled = self._loop.call_later(self._clock.real(min(delays)), self._turn)
