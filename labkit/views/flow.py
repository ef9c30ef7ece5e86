"""Boxes in columns and arrows between them: what selects what, what flows into what. Drawn from data, as SVG.

The picture takes its colours from the page, so that it reads on a light and on a dark one; what a colour says is
always said by a word, too. Its text form lists the arrows, and is the picture's alternative text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from labkit.views.view import View, render

if TYPE_CHECKING:
    from collections.abc import Sequence

_LETTER, _LINE, _PAD, _GAP, _BETWEEN = 7.3, 17, 10, 14, 120


@dataclass(frozen=True)
class Box:
    """One thing: its heading, lines below it, and a tone (good, bad, warn, busy) that a line says in words."""

    key: str
    heading: str
    lines: tuple[str, ...] = ()
    tone: str = ""


@dataclass(frozen=True)
class Arrow:
    """From one box to another, with a word on it."""

    start: str
    end: str
    label: str = ""


class _Placed(NamedTuple):
    box: Box
    x: float
    y: float
    width: float
    height: float


def flow(title: str, columns: Sequence[Sequence[Box]], arrows: Sequence[Arrow]) -> View:
    """The picture: ``columns`` from left to right, ``arrows`` by the boxes' keys."""
    shown = [column for column in columns if column]
    tall = max((_tall(column) for column in shown), default=0)
    placed: dict[str, _Placed] = {}
    x = 1.0
    for column in shown:
        width = max(_wide(box) for box in column)
        y = 1 + (tall - _tall(column)) / 2
        for box in column:
            height = _high(box)
            placed[box.key] = _Placed(box, x, y, width, height)
            y += height + _GAP
        x += width + _BETWEEN
    text = _text(title, shown, arrows)
    html = render(
        "flow.html",
        title=title,
        text=text,
        width=round(x - _BETWEEN + 1),
        height=round(tall + 2),
        boxes=list(placed.values()),
        lines=[_line(placed[a.start], placed[a.end], a.label) for a in arrows],
    )
    return View(text, html)


def _wide(box: Box) -> float:
    return 2 * _PAD + _LETTER * max(len(line) for line in (box.heading, *box.lines))


def _high(box: Box) -> float:
    return _PAD + _LINE * (1 + len(box.lines)) + 4


def _tall(column: Sequence[Box]) -> float:
    return sum(_high(box) for box in column) + _GAP * (len(column) - 1)


def _line(start: _Placed, end: _Placed, label: str) -> dict[str, float | str]:
    """An arrow from one box's near side to the other's; its word stands close to its start."""
    forward = start.x < end.x
    x1, x2 = (start.x + start.width, end.x) if forward else (start.x, end.x + end.width)
    y1, y2 = start.y + start.height / 2, end.y + end.height / 2
    return {
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "x": (x1 + x2) / 2,
        "y": (y1 + y2) / 2 - 5,
        "label": label,
    }


def _text(title: str, columns: Sequence[Sequence[Box]], arrows: Sequence[Arrow]) -> str:
    lines = [title]
    for box in (box for column in columns for box in column):
        lines.append("  " + " · ".join((box.heading, *box.lines)))
        names = {b.key: b.heading for column in columns for b in column}
        lines += [f"    ─{a.label}─▶ {names[a.end]}" for a in arrows if a.start == box.key]
    return "\n".join(lines)
