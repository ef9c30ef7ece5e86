"""Puts a lesson together: its words, which a translator may change, and its checks, which are code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.lessons.exercise import Finding, Task
from labkit.lessons.lesson import Script
from labkit.lessons.prediction import Question
from labkit.settings.texts import texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from labkit.lessons.workbench import Workbench

    Check = Callable[[Workbench, "Say"], Finding]
    Solve = Callable[[Workbench], None]


@dataclass(frozen=True)
class Say:
    """What one exercise can say: ``expected``, ``done``, and each way in which it is not done, by its key."""

    words: Mapping[str, Any]

    def yes(self, **facts: object) -> Finding:
        """It is done."""
        return Finding(True, self.words["done"].format(**facts), self.words["expected"].format(**facts))

    def no(self, key: str, **facts: object) -> Finding:
        """It is not done in the way ``key``; the facts fill in what was seen."""
        wrong = self.words["no"][key]
        expected = wrong.get("expected", self.words["expected"])
        return Finding(False, *(text.format(**facts) for text in (wrong["seen"], expected, wrong["next"])))


def written(
    number: str,
    name: str,
    tasks: Mapping[str, tuple[Check, Solve]],
    *,
    also: Sequence[str] = (),
    repository: bool = False,
    tidy: Callable[[Workbench], None] | None = None,
) -> Script:
    """The lesson of that number: words from ``text/<language>/<number>.toml``, ``tasks`` with check and solution.

    ``also`` are further names that it makes things of; for ``repository`` and ``tidy`` see `Script`.
    """
    words = texts("labkit.lessons", number)
    return Script(
        number,
        words["title"],
        words["minutes"],
        (name, *also),
        {key: Question(**asked) for key, asked in words["questions"].items()},
        {key: _task(words["tasks"][key], check, solve) for key, (check, solve) in tasks.items()},
        [Question(**asked) for asked in words["quiz"]],
        repository,
        tidy,
    )


def _task(words: Mapping[str, Any], check: Check, solve: Solve) -> Task[Workbench]:
    say = Say(words)
    return Task(words["title"], lambda bench: check(bench, say), words["hints"], solve)
