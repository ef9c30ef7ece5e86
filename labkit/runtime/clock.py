"""Time, as something that is handed in: real, faster than real for a lesson, or turned by hand in a test."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What a rule may ask about time. Nothing but a clock looks at the machine's time."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes backwards, even when somebody sets the machine's clock."""
        ...

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> bool:
        """Wait, or until ``stop`` is set; says whether it was."""
        ...

    def real(self, seconds: float) -> float:
        """How many of the machine's seconds this clock's seconds take."""
        ...


class SystemClock:
    """The machine's time; with a ``speed`` of 10, a minute takes six seconds (a lesson's choice, never a default)."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"a clock's speed is more than 0, not {speed}")
        self.speed = speed
        self._began, self._at_start = time.monotonic(), datetime.now(UTC)

    def now(self) -> datetime:
        """The time of day, in UTC. At another speed than 1 it runs ahead from the moment of the clock's making."""
        if self.speed == 1.0:
            return datetime.now(UTC)
        return self._at_start + timedelta(seconds=(time.monotonic() - self._began) * self.speed)

    def monotonic(self) -> float:
        """Seconds of this clock since it was made."""
        return (time.monotonic() - self._began) * self.speed

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> bool:
        """Wait; returns at once, and true, when ``stop`` is set."""
        if stop is not None:
            return stop.wait(max(0.0, self.real(seconds)))
        time.sleep(max(0.0, self.real(seconds)))
        return False

    def real(self, seconds: float) -> float:
        """The machine's seconds for this clock's seconds."""
        return seconds / self.speed


class ManualClock:
    """A clock for tests: it stands still until `turn` is called; who sleeps on it wakes when that was far enough."""

    def __init__(self, start: datetime = datetime(2030, 1, 1, tzinfo=UTC)) -> None:
        self._start, self._passed = start, 0.0
        self._turned = threading.Condition()

    def now(self) -> datetime:
        """The start, and what was turned since."""
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Seconds turned so far."""
        return self._passed

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        with self._turned:
            self._passed += seconds
            self._turned.notify_all()

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> bool:
        """Wait until the clock was turned that far, or ``stop`` was set."""
        until = self._passed + seconds
        with self._turned:
            while self._passed < until and not (stop and stop.is_set()):
                self._turned.wait(0.05)
        return bool(stop and stop.is_set())

    def real(self, seconds: float) -> float:
        """A hand-turned clock needs none of the machine's time: who hosts timers on it steps them himself."""
        return 0.0 if seconds <= 0 else 0.001
