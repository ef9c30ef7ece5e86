"""Desired against live, as people read differences: what would change, line by line, by resource."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.views.view import View, render

if TYPE_CHECKING:
    from collections.abc import Iterable

_TONES = {"+": "add", "-": "del", "@": "at"}


@dataclass(frozen=True)
class Change:
    """One resource's two sides as YAML text; an empty side means that it is not there.

    ``notes`` are further lines for people, such as who wrote a differing field last.
    """

    title: str
    live: str
    desired: str
    notes: tuple[str, ...] = ()


def diff(
    changes: Iterable[Change],
    *,
    same: str = "Nothing differs: live is what Git says.",
    legend: str = "− live   + desired (Git)",
) -> View:
    """A unified difference per resource: ``-`` is live, ``+`` is what Git asks for; ``legend`` says so below it."""
    shown = [(change, _lines(change)) for change in changes]
    shown = [(change, lines) for change, lines in shown if lines]
    if not shown:
        return View(same, render("message.html", tone="good", text=same))
    blocks = [
        {"title": c.title, "lines": [(_TONES.get(line[:1], ""), line) for line in lines], "notes": c.notes}
        for c, lines in shown
    ]
    text = "\n\n".join("\n".join([f"=== {c.title}", *lines, *c.notes]) for c, lines in shown)
    return View(text, render("diff.html", blocks=blocks, legend=legend))


def _lines(change: Change) -> list[str]:
    live, desired = change.live.splitlines(), change.desired.splitlines()
    lines = list(difflib.unified_diff(live, desired, "live", "desired", lineterm="", n=3))
    return lines[2:]  # the two lines that name files say nothing here
