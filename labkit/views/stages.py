"""The loop as it happens: commit → rendered → compared → synced → healthy, lit up as far as it has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.views import words
from labkit.views.view import View, render

if TYPE_CHECKING:
    from collections.abc import Sequence


LONG = 60


@dataclass(frozen=True)
class Stage:
    """One step of the loop: its name, how it stands (a status word; empty: not yet), and what it saw."""

    name: str
    status: str = ""
    detail: str = ""

    @property
    def long(self) -> bool:
        """Whether the detail is more than a card of its width can show: a message of its own, below."""
        return len(self.detail) > LONG or "\n" in self.detail


def stages(steps: Sequence[Stage]) -> View:
    """The steps side by side, long messages below them; in text, one line each."""
    width = max((len(step.name) for step in steps), default=0)
    lines = [
        f"{words.sign(s.status) if s.status else '·'} {s.name:<{width}}  {s.detail}".rstrip() for s in steps
    ]
    return View("\n".join(lines), render("stages.html", steps=steps))
