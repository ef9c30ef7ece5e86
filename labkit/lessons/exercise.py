"""An exercise looks at outcomes: what was rendered, pushed, deployed or answered, never at the text typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from labkit.errors import LabError, LessonError
from labkit.views.lesson import hint, say, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labkit.lessons.progress import Progress
    from labkit.views import View

Bench = TypeVar("Bench")


@dataclass(frozen=True)
class Finding:
    """What a check saw: whether it is what was asked, seen against expected, and a sentence that helps."""

    done: bool
    seen: str
    expected: str
    advice: str = ""


@dataclass(frozen=True)
class Task(Generic[Bench]):
    """An exercise as its author writes it: the check, the ladder of hints, a solution that passes it."""

    title: str
    check: Callable[[Bench], Finding]
    hints: Sequence[str]
    solve: Callable[[Bench], None]


class Exercise(Generic[Bench]):
    """One trainee's work on a `Task`."""

    def __init__(self, lesson: str, key: str, task: Task[Bench], bench: Bench, progress: Progress) -> None:
        self._lesson, self._key, self._task = lesson, key, task
        self._bench, self._progress = bench, progress

    def look(self) -> Finding:
        """What the check sees; whatever goes wrong while looking is a finding, too."""
        try:
            return self._task.check(self._bench)
        except LabError as error:
            place = f"{error.where}: " if error.where else ""
            return Finding(False, place + error.problem, say("looks"), error.fix)
        except Exception as error:  # a trainee's files can hold anything; Run All must reach the end
            return Finding(False, f"{type(error).__name__}: {error}", say("looks"))

    def check(self, *, strict: bool = False) -> View:
        """✓ or ✗ with seen against expected. It raises nothing; ``strict`` raises `LessonError` for CI."""
        found = self.look()
        self._note(found)
        if strict and not found.done:
            raise LessonError(
                f"seen: {found.seen}; expected: {found.expected}", where=self._task.title, fix=found.advice
            )
        return verdict(self._task.title, found.done, found.seen, found.expected, found.advice)

    def hint(self) -> View:
        """The next rung of the ladder: a nudge, a pointer, nearly the answer."""
        given = self._facts().get("hints", 0)
        rung = min(given, len(self._task.hints) - 1)
        self._progress.note(self._lesson, "exercise", self._key, hints=rung + 1)
        return hint(rung + 1, len(self._task.hints), self._task.hints[rung])

    def solution(self) -> None:
        """Do what the exercise asks, as its author would."""
        self._task.solve(self._bench)

    def _facts(self) -> dict[str, Any]:
        return self._progress.of(self._lesson, "exercise", self._key)

    def _note(self, found: Finding) -> None:
        facts = self._facts()
        if facts.get("done"):
            return
        minutes = self._progress.minutes(self._lesson) if found.done else None
        tries = facts.get("tries", 0) + 1
        self._progress.note(
            self._lesson, "exercise", self._key, tries=tries, done=found.done, minutes=minutes
        )
