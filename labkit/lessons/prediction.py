"""Questions: a prediction before the notebook shows what happens, and the quiz at a lesson's end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labkit.views import stack
from labkit.views.lesson import answer, question, say
from labkit.widgets import choose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labkit.lessons.progress import Progress
    from labkit.views import View


@dataclass(frozen=True)
class Question:
    """What is asked, the options by letter, the letter that is right, and why."""

    text: str
    options: Mapping[str, str]
    right: str
    because: str


class Prediction:
    """One trainee's answer to a `Question`: a choice, kept in the progress file, revealed on demand."""

    def __init__(self, lesson: str, key: str, asked: Question, progress: Progress) -> None:
        self._lesson, self._key = lesson, key
        self._asked, self._progress = asked, progress

    @property
    def chosen(self) -> str | None:
        """The letter chosen so far, if any."""
        chosen = self._progress.of(self._lesson, "prediction", self._key).get("chosen")
        return chosen if chosen in self._asked.options else None

    def choose(self, letter: str) -> None:
        """Answer from code or a terminal; a letter that is no option is a `ValueError`."""
        if letter not in self._asked.options:
            raise ValueError(f"choose one of {', '.join(self._asked.options)}, not {letter!r}")
        self._progress.note(self._lesson, "prediction", self._key, chosen=letter)

    def ask(self) -> View | None:
        """The question: in a notebook with buttons below it, elsewhere as the text that is returned."""
        asked = question(self._asked.text, self._asked.options)
        return None if choose(asked, list(self._asked.options), self.chosen, self.choose) else asked

    def reveal(self) -> View:
        """What is right, why, and what was chosen."""
        return answer(self._asked.options, self._asked.right, self._asked.because, self.chosen)


class Quiz:
    """The questions at a lesson's end."""

    def __init__(self, lesson: str, questions: Sequence[Question], progress: Progress) -> None:
        self.questions = [
            Prediction(lesson, f"quiz-{number}", _numbered(asked, number, len(questions)), progress)
            for number, asked in enumerate(questions, start=1)
        ]

    def ask(self) -> View | None:
        """All questions, one below the other."""
        shown = [each.ask() for each in self.questions]
        asked = [view for view in shown if view is not None]
        return stack(asked) if asked else None

    def reveal(self) -> View:
        """All answers, explained."""
        return stack([each.reveal() for each in self.questions])


def _numbered(asked: Question, number: int, count: int) -> Question:
    return replace(asked, text=say("quiz", number=number, count=count) + asked.text)
