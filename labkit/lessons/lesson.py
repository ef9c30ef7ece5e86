"""One lesson: its starting point, its questions, its exercises."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

from labkit.errors import LessonError
from labkit.lessons.exercise import Exercise, Task
from labkit.lessons.prediction import Prediction, Question, Quiz
from labkit.views.code import code
from labkit.views.lesson import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from labkit.lessons.progress import Progress
    from labkit.lessons.workbench import Workbench
    from labkit.views import View


@dataclass(frozen=True)
class Script:
    """A lesson as its author writes it.

    ``names`` is what the lesson makes, each cleared away when it starts: one name serves as chart,
    repository, application, namespace and folder, so that the trainee has one word to remember. With
    ``repository`` the starting files are the first commit of a repository of the first name, and the lesson's
    folder is a working copy of it.
    """

    number: str
    title: str
    minutes: int
    names: tuple[str, ...]
    questions: Mapping[str, Question] = field(default_factory=dict)
    tasks: Mapping[str, Task[Any]] = field(default_factory=dict)
    quiz: Sequence[Question] = ()
    repository: bool = False
    tidy: Callable[[Workbench], None] | None = None
    """Takes away what a lesson made beside its names, such as kinds of the cluster's."""


class Lesson:
    """A `Script` in one trainee's lab."""

    def __init__(self, script: Script, bench: Workbench, progress: Progress) -> None:
        self._script, self._bench, self._progress = script, bench, progress

    def __repr__(self) -> str:
        script = self._script
        return say("starts", number=script.number, title=script.title, minutes=script.minutes)

    @property
    def folder(self) -> Path:
        """Where the trainee's files of this lesson are: ``work/<the lesson's name>``."""
        return self._bench.home / "work" / self._script.names[0]

    def start(self) -> Lesson:
        """Lay the lesson's exact starting point, whatever was done before.

        Earlier work of the trainee's is moved to the lab's archive, not deleted. Returns the lesson itself.
        """
        for name in self._script.names:
            self._bench.clear(name)
        if self._script.tidy:
            self._script.tidy(self._bench)
        if self._script.repository:
            self._publish()
        else:
            self.lay("start")
        self._progress.begin(self._script.number)
        return self

    def reset(self) -> Lesson:
        """The starting point again, with answers and tries forgotten."""
        self._progress.forget(self._script.number)
        return self.start()

    def solution(self) -> Lesson:
        """Do every exercise, as its author would."""
        for task in self._script.tasks.values():
            task.solve(self._bench)
        return self

    def lay(self, stage: str) -> None:
        """Put the files of one stage of the lesson into its folder, over those of the same name."""
        source = resources.files("labkit.lessons").joinpath("stages", self._script.number, stage)
        if not source.is_dir():
            return
        for name, text in _texts(source):
            self._put(name, text)

    def write(self, name: str, text: str) -> View:
        """Write one of the lesson's files. Any editor does the same."""
        self._put(name, text.strip("\n") + "\n")
        lines = len(self._text(name).splitlines())
        return code(say("wrote", file=f"work/{self._script.names[0]}/{name}", lines=lines))

    def read(self, name: str) -> View:
        """Show one of the lesson's files."""
        return code(self._text(name), title=f"work/{self._script.names[0]}/{name}")

    def edit(self, name: str, old: str, new: str) -> View:
        """Replace ``old`` by ``new`` everywhere in one of the lesson's files, and show the lines that changed."""
        before = self._text(name)
        if old not in before and new not in before:
            raise LessonError(f"{old!r} is not in it", where=name, fix="Look at the file: lesson.read(…)")
        after = before.replace(old, new)
        self._put(name, after)
        changed = "\n".join(_changed(before.splitlines(), after.splitlines()))
        return code(changed, title=f"work/{self._script.names[0]}/{name}")

    def predict(self, key: str) -> Prediction:
        """One of the lesson's questions: ``.ask()`` before, ``.reveal()`` after."""
        return Prediction(self._script.number, key, self._pick(self._script.questions, key), self._progress)

    def exercise(self, key: str) -> Exercise[Workbench]:
        """One of the lesson's exercises: ``.check()``, ``.hint()``, ``.solution()``."""
        task = self._pick(self._script.tasks, key)
        return Exercise(self._script.number, key, task, self._bench, self._progress)

    def quiz(self) -> Quiz:
        """The three questions at the end: ``.ask()``, then ``.reveal()``."""
        return Quiz(self._script.number, self._script.quiz, self._progress)

    def _publish(self) -> None:
        """The starting files as the first commit of the lesson's repository, and a working copy of it."""
        work = self._bench.repos.create(self._script.names[0]).clone()
        self.lay("start")
        work.add().commit("The starting point")
        work.push()

    def _pick(self, things: Mapping[str, Any], key: str) -> Any:
        if key not in things:
            raise LessonError(
                f"there is no {key!r} in it", where=repr(self), fix=f"One of: {', '.join(things)}"
            )
        return things[key]

    def _put(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")

    def _text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise LessonError(
                "there is no such file",
                where=f"work/{self._script.names[0]}/{name}",
                fix="Write it, or begin again: lesson.start()",
            ) from None


def _changed(before: list[str], after: list[str]) -> list[str]:
    """The lines that differ, the old one above the new one where lines were replaced one by one."""
    if len(before) == len(after):
        pairs = zip(before, after, strict=True)
        return [f"- {was}\n+ {now}" for was, now in pairs if was != now]
    lines = list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]
    return [f"{line[0]} {line[1:]}" for line in lines if not line.startswith("@@")]


def _texts(folder: Traversable, before: str = "") -> list[tuple[str, str]]:
    found = []
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            found += _texts(entry, f"{before}{entry.name}/")
        else:
            found.append((before + entry.name, entry.read_text(encoding="utf-8")))
    return found
