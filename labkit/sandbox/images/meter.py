"""How busy a container is: the processor time of its last moments, as a metrics server averages it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

WINDOW_SECONDS: Final = 15.0
"""What an average is made over: metrics-server's ``--metric-resolution``."""


class Meter:
    """Adds up processor time that was spent; `cores` is the average over the last `WINDOW_SECONDS`."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._spent: deque[tuple[float, float]] = deque()

    def add(self, seconds: float) -> None:
        """So much of one processor's time was spent just now."""
        moment = self._now().timestamp()
        if self._spent and moment - self._spent[-1][0] < 1.0:
            before, so_far = self._spent.pop()
            self._spent.append((before, so_far + seconds))
        else:
            self._spent.append((moment, seconds))
        self._forget(moment)

    @property
    def cores(self) -> float:
        """How many processors were busy on average."""
        self._forget(self._now().timestamp())
        return sum(seconds for _, seconds in self._spent) / WINDOW_SECONDS

    def _forget(self, moment: float) -> None:
        while self._spent and self._spent[0][0] <= moment - WINDOW_SECONDS:
            self._spent.popleft()
