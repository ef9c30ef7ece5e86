"""Times and memory, measured so that a noisy machine shows as noise."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Times:
    """Seconds of several tries."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def best(self) -> float:
        return min(self.seconds)

    def __str__(self) -> str:
        return f"{show(self.median)} (best {show(self.best)})"


@dataclass(frozen=True)
class Row:
    """A line of the table: what, how much, beside what, and the target, if there is one."""

    what: str
    value: str
    beside: str
    ratio: float | None
    target: str = ""

    def cells(self) -> tuple[str, ...]:
        return (
            self.what,
            self.value,
            self.beside,
            "" if self.ratio is None else f"{self.ratio:.2f}",
            self.target,
        )


def timed(action: Callable[[], object], tries: int) -> Times:
    """How long an action takes, several times."""
    found = []
    for _ in range(tries):
        began = time.perf_counter()
        action()
        found.append(time.perf_counter() - began)
    return Times(tuple(found))


def python_start(tries: int) -> Times:
    """The unit of all starts: an interpreter that does nothing."""
    return timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True), tries)


def memory(pid: int) -> int:
    """A process' own share of memory in bytes (PSS where Linux tells it, else what is resident)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    try:
        text = rollup.read_text()
    except OSError:
        out = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
        return int(out.stdout) * 1024
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


def show(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
