"""The lab's other images: one thing each that can go wrong, or right, for lessons.

=========================  =====================================================================================
``gitops-lab/migrate``     a migration Job: a few lines, then the end. ``FAIL=true`` makes it fail, ``SECONDS`` long
``gitops-lab/crash``       ends with exit code 1 after ``AFTER`` seconds (1): CrashLoopBackOff
``gitops-lab/slow``        hello, that takes ``START_SECONDS`` (15) until it listens
``gitops-lab/unready``     hello, whose /readyz never succeeds
``gitops-lab/load``        a load generator: writes a line a second about ``TARGET``, and uses the processor
=========================  =====================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.sandbox.images.hello import Hello
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
    """Keeps a processor busy."""

    millicores = 400

    def run(self) -> Run:
        """A line a second."""
        target = self.setting.env.get("TARGET", "nobody")
        while True:
            self.log(f"(simulated) 50 requests to {target}")
            yield 1.0


def _with_env(setting: Setting, defaults: Mapping[str, str]) -> Setting:
    from dataclasses import replace

    return replace(setting, env={**defaults, **setting.env})


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    try:
        return float(env.get(name) or default)
    except ValueError:
        return default
