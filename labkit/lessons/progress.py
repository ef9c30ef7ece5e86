"""What a trainee has done so far, in one local file. Nothing of it leaves the machine."""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from labkit.runtime.clock import Clock, SystemClock


class Progress:
    """``progress.json`` of a lab folder: predictions and exercises by lesson.

    Each write replaces the file as a whole, so that an interrupted one leaves the old. A damaged file is put
    aside, not lost, and progress starts anew: a lesson must never fail because of it.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self.path = path
        self._clock = clock or SystemClock()

    def begin(self, lesson: str) -> None:
        """A lesson starts now: minutes count from here."""
        self.note(lesson, "lesson", "began", at=self._clock.now().isoformat(timespec="seconds"))

    def minutes(self, lesson: str) -> int | None:
        """Whole minutes since the lesson began, rounded up; None if it never did."""
        began = self.of(lesson, "lesson", "began").get("at")
        try:
            seconds = (self._clock.now() - datetime.fromisoformat(str(began))).total_seconds()
        except (TypeError, ValueError):
            return None
        return max(1, math.ceil(seconds / 60))

    def of(self, lesson: str, kind: str, key: str) -> dict[str, Any]:
        """What is noted of one prediction or exercise; empty at first."""
        noted = self._read().get(lesson, {}).get(kind, {}).get(key, {})
        return dict(noted)

    def note(self, lesson: str, kind: str, key: str, **facts: Any) -> None:
        """Add facts to one prediction or exercise."""
        everything = self._read()
        everything.setdefault(lesson, {}).setdefault(kind, {}).setdefault(key, {}).update(facts)
        self._write(everything)

    def forget(self, lesson: str) -> None:
        """Start a lesson anew."""
        everything = self._read()
        if everything.pop(lesson, None) is not None:
            self._write(everything)

    def _read(self) -> dict[str, Any]:
        try:
            read = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            self.path.replace(self.path.with_suffix(".damaged.json"))
            return {}
        return read if isinstance(read, dict) else {}

    def _write(self, everything: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                json.dump(everything, file, indent=1, ensure_ascii=False)
            Path(name).replace(self.path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise
