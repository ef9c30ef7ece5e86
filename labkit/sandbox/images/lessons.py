"""The lab's other images: one thing each that can go wrong, or right, for lessons.

=========================  =====================================================================================
``gitops-lab/migrate``     a migration Job: a few lines, then the end. ``FAIL=true`` makes it fail, ``SECONDS`` long
``gitops-lab/crash``       ends with exit code 1 after ``AFTER`` seconds (1): CrashLoopBackOff
``gitops-lab/slow``        hello, that takes ``START_SECONDS`` (15) until it listens
``gitops-lab/unready``     hello, whose /readyz never succeeds
``gitops-lab/load``        a load generator: ``RATE`` (50) requests a second to ``TARGET`` (``http://web:8080/``), which
                           keep those busy who answer; without a ``TARGET`` it keeps its own processor busy
=========================  =====================================================================================
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from labkit.sandbox.images.hello import Hello
from labkit.sandbox.images.http import fetch
from labkit.sandbox.images.program import Program, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from labkit.sandbox.images.program import Setting


class Migrate(Program):
    """A Job that brings a database to its version, or fails."""

    def run(self) -> Run:
        """Step by step."""
        env, version = self.setting.env, self.setting.image.tag
        pause = _number(env, "SECONDS", 2.0) / 4
        self.log(f"migrating {env.get('DATABASE', 'the database')} to {version}")
        for step in ("1/3 create table visitors", "2/3 add column colour", "3/3 fill column colour"):
            yield pause
            self.log(step)
            if step.startswith("3") and env.get("FAIL", "").lower() in ("true", "yes", "1"):
                self.log('error: column "colour" of relation "visitors" contains null values')
                return 1
        yield pause
        self.log("done")
        return 0


class Crash(Program):
    """Starts, and ends badly."""

    def run(self) -> Run:
        """Not for long."""
        self.log("starting")
        yield _number(self.setting.env, "AFTER", 1.0)
        self.log("fatal: cannot go on, on purpose")
        return int(_number(self.setting.env, "EXIT_CODE", 1))


class Slow(Hello):
    """A hello that takes its time."""

    def __init__(
        self, setting: Setting, log: Callable[[str], None], wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(setting, log, wake)
        self.setting = _with_env(setting, {"START_SECONDS": "15"})


class Unready(Hello):
    """A hello that never gets ready."""

    def __init__(
        self, setting: Setting, log: Callable[[str], None], wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(setting, log, wake)
        self.broken.add("readyz")


class Load(Program):
    """Keeps a Service busy, or itself."""

    millicores = 20
    batches = 10
    """Requests that are really made each second; each stands for an equal share of the rate."""

    def run(self) -> Run:
        """A second's requests, and a line about what came of them."""
        target = self.setting.env.get("TARGET", "")
        rate = max(0, int(_number(self.setting.env, "RATE", 50.0)))
        if not target:
            self.log("no TARGET: busy with itself")
        while True:
            if target:
                self.log(self._second(target, rate))
            else:
                self.meter.add(0.4)
            yield 1.0

    def _second(self, target: str, rate: int) -> str:
        counts: Counter[str] = Counter()
        whole, rest = divmod(rate, self.batches)
        for number in range(self.batches):
            times = whole + (number < rest)
            if times:
                counts[self._ask(target, times)] += times
        outcome = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        return f"{rate} requests to {target}: {outcome or 'none sent'}"

    def _ask(self, target: str, times: int) -> str:
        """What came of a request: its status, or why there was none."""
        try:
            return f"answered {fetch(self.setting.network, target, times=times).status}"
        except OSError as error:
            return f"failed ({error})"


def _with_env(setting: Setting, defaults: Mapping[str, str]) -> Setting:
    from dataclasses import replace

    return replace(setting, env={**defaults, **setting.env})


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    try:
        return float(env.get(name) or default)
    except ValueError:
        return default
