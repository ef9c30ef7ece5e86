"""Which lessons there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import LessonError
from labkit.lessons import tour

if TYPE_CHECKING:
    from labkit.lessons.lesson import Script

_LESSONS = {script.number: script for script in (tour.SCRIPT,)}


def lessons() -> list[Script]:
    """Every lesson, in order."""
    return list(_LESSONS.values())


def find(number: str | int) -> Script:
    """The lesson of that number (``"00"`` or ``0``); `LessonError` where there is none."""
    wanted = f"{number:02d}" if isinstance(number, int) else number
    if wanted not in _LESSONS:
        raise LessonError(
            f"there is no lesson {wanted!r}", where="lesson", fix=f"One of: {', '.join(_LESSONS)}"
        )
    return _LESSONS[wanted]
