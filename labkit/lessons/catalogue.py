"""Which lessons there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import LessonError
from labkit.lessons.course import (
    anatomy,
    applications,
    copies,
    history,
    loop,
    manifests,
    releases,
    sharing,
    templates,
    tour,
    trust,
    truth,
    waves,
)
from labkit.settings.texts import texts
from labkit.views.lesson import say
from labkit.views.table import table

if TYPE_CHECKING:
    from labkit.lessons.lesson import Script
    from labkit.lessons.progress import Progress
    from labkit.views import View

_LESSONS = {
    script.number: script
    for script in (
        tour.SCRIPT,
        manifests.SCRIPT,
        copies.SCRIPT,
        templates.SCRIPT,
        anatomy.SCRIPT,
        trust.SCRIPT,
        sharing.SCRIPT,
        releases.SCRIPT,
        truth.SCRIPT,
        loop.SCRIPT,
        applications.SCRIPT,
        waves.SCRIPT,
        history.SCRIPT,
    )
}


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


def standing(progress: Progress) -> list[dict[str, object]]:
    """Every exercise of the course with how it stands: lesson, title, exercise, tries, minutes, done."""
    return [
        {
            "lesson": script.number,
            "title": script.title,
            "exercise": key,
            "tries": facts.get("tries", 0),
            "minutes": facts.get("minutes"),
            "done": bool(facts.get("done")),
        }
        for script in lessons()
        for key in script.tasks
        for facts in [progress.of(script.number, "exercise", key)]
    ]


def standing_shown(progress: Progress) -> View:
    """The same as a table."""
    headings = texts("labkit.views", "lesson")["progress"]
    rows = [
        (
            f"{row['lesson']} {row['title']}",
            row["exercise"],
            row["tries"] or "",
            row["minutes"] or "",
            f"✓ {say('done')}" if row["done"] else f"○ {say('not-yet')}",
        )
        for row in standing(progress)
    ]
    return table(headings, rows)
