"""Runs a program that the trainee wrote, as a terminal would: a process of its own, with limits.

Each run is a new process, so what the program kept in variables is gone: a check that runs it twice has also
restarted it once.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self

from labkit.runtime.clock import SystemClock
from labkit.settings import child_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from labkit.lessons.workbench import Workbench

SECONDS = 30.0
_PAUSE = 0.1
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')


@dataclass(frozen=True)
class Ran:
    """What one run printed, line by line, and what stopped it: ``controller.py:31: KeyError: 'kind'``, or nothing."""

    lines: list[str]
    problem: str = ""


class Program:
    """A Python file with arguments. `once` runs it to its end; as a context it runs meanwhile."""

    def __init__(self, bench: Workbench, file: Path, *arguments: str) -> None:
        self._file = file
        self._command = [sys.executable, file.name, *arguments]
        self._environment = child_environment(LABKIT_HOME=str(bench.home))
        self._said: IO[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        self._late, self._printed = False, ""

    def once(self, *arguments: str, seconds: float = SECONDS) -> Ran:
        """Run it to its end, at most so long."""
        try:
            ended = subprocess.run(
                [*self._command, *arguments], cwd=self._file.parent, env=self._environment, check=False,
                capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Ran([], f"{self._file.name}: it did not end within {seconds:g} s")
        return Ran(ended.stdout.splitlines(), self._why(ended.stderr) if ended.returncode else "")

    def until(self, reached: Callable[[], object], seconds: float = 10.0) -> bool:
        """Wait until ``reached`` says something true; whether it did, in time.

        A program that has been too late once, or has ended, is not waited for again.
        """
        clock = SystemClock()
        end = clock.monotonic() + (0 if self._late else seconds)
        while not reached():
            if clock.monotonic() > end or (self._process and self._process.poll() is not None):
                self._late = True
                return False
            clock.sleep(_PAUSE)
        return True

    @property
    def lines(self) -> list[str]:
        """What the program that runs, or ran last, has printed so far."""
        if self._said is not None:
            self._said.seek(0)
            self._printed = self._said.read()
        return self._printed.splitlines()

    def __enter__(self) -> Self:
        self._printed, self._late = "", False
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # see __exit__
        self._process = subprocess.Popen(
            self._command, cwd=self._file.parent, env=self._environment, text=True,
            stdin=subprocess.DEVNULL, stdout=self._said, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._said is not None:
            self._process.terminate()
            self._process.wait()
            self._printed = "\n".join(self.lines)
            self._said.close()
            self._process = self._said = None

    def _why(self, errors: str) -> str:
        """The last line of a traceback, with the last line of the trainee's own file that led to it."""
        lines = errors.strip().splitlines() or ["it ended with an error"]
        own = [m["line"] for m in _FRAME.finditer(errors) if m["file"].endswith(self._file.name)]
        where = f"{self._file.name}:{own[-1]}" if own else self._file.name
        return f"{where}: {next((line for line in lines if _is_error(line)), lines[-1]).strip()}"


def _is_error(line: str) -> bool:
    """The line of a traceback that names the exception: not indented, ``labkit.errors.Forbidden: …``."""
    return bool(re.match(r"[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit|[a-z]): ", line))
