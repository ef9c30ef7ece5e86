"""One lesson: its starting point, its questions, its exercises."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labkit.errors import LessonError
from labkit.lessons.exercise import Exercise, Task
from labkit.lessons.prediction import Prediction, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labkit.lessons.progress import Progress
    from labkit.lessons.workbench import Workbench


@dataclass(frozen=True)
class Script:
    """A lesson as its author writes it.

    ``names`` is what the lesson makes, each cleared away when it starts: one name serves as chart,
    repository, application and namespace, so that the trainee has one word to remember.
    """

    number: str
    title: str
    minutes: int
    names: tuple[str, ...]
    questions: Mapping[str, Question] = field(default_factory=dict)
    tasks: Mapping[str, Task[Any]] = field(default_factory=dict)


class Lesson:
    """A `Script` in one trainee's lab."""

    def __init__(self, script: Script, bench: Workbench, progress: Progress) -> None:
        self._script, self._bench, self._progress = script, bench, progress

    def __repr__(self) -> str:
        return f"Lesson {self._script.number}: {self._script.title} ({self._script.minutes} minutes)"

    def start(self) -> Lesson:
        """Lay the lesson's exact starting point, whatever was done before.

        Earlier work of the trainee's is moved to the lab's archive, not deleted. Returns the lesson itself.
        """
        for name in self._script.names:
            self._bench.clear(name)
        return self

    def reset(self) -> Lesson:
        """The starting point again, with answers and tries forgotten."""
        self._progress.forget(self._script.number)
        return self.start()

    def predict(self, key: str) -> Prediction:
        """One of the lesson's questions: ``.ask()`` before, ``.reveal()`` after."""
        return Prediction(self._script.number, key, self._pick(self._script.questions, key), self._progress)

    def exercise(self, key: str) -> Exercise[Workbench]:
        """One of the lesson's exercises: ``.check()``, ``.hint()``, ``.solution()``."""
        task = self._pick(self._script.tasks, key)
        return Exercise(self._script.number, key, task, self._bench, self._progress)

    def _pick(self, things: Mapping[str, Any], key: str) -> Any:
        if key not in things:
            raise LessonError(
                f"there is no {key!r} in it", where=repr(self), fix=f"One of: {', '.join(things)}"
            )
        return things[key]
