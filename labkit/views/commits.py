"""Commits and what they stand on: Git's graph, newest first, with the branches that point into it. As SVG.

The first branch that is named keeps the left lane, so that a reader sees what left it and what came back. Its text
form is the picture's alternative text; colours come from the page, and what one says is said by a word, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.views.view import View, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROW, _LANE, _LETTER, _TOP = 28, 20, 7.3, 16


@dataclass(frozen=True)
class Dot:
    """One commit: its id, those it stands on, what it says, and a tone (good, bad, warn) that its text explains."""

    sha: str
    parents: tuple[str, ...]
    text: str
    tone: str = ""


def commits(title: str, dots: Sequence[Dot], branches: Mapping[str, str]) -> View:
    """The graph of all ``dots`` that the ``branches`` (name → id; the first keeps the left lane) lead to."""
    rows = _ordered({dot.sha: dot for dot in dots}, list(branches.values()))
    lanes = _lanes(rows, next(iter(branches.values()), ""))
    names: dict[str, list[str]] = {}
    for name, sha in branches.items():
        names.setdefault(sha, []).append(name)
    at = {dot.sha: (12 + _LANE * lanes[dot.sha], _TOP + _ROW * row) for row, dot in enumerate(rows)}
    left = 12 + _LANE * (1 + max(lanes.values(), default=0))
    labels = {dot.sha: ", ".join(names.get(dot.sha, ())) for dot in rows}
    lines = [f"[{labels[dot.sha]}] {dot.text}" if labels[dot.sha] else dot.text for dot in rows]
    text = "\n".join([title, *_drawn_as_text(rows, lanes, lines)])
    html = render(
        "commits.html",
        title=title,
        text=text,
        left=left,
        width=round(left + _LETTER * max(map(len, lines), default=0) + 12),
        height=_TOP + _ROW * max(len(rows) - 1, 0) + _TOP,
        rows=[(dot, labels[dot.sha], *at[dot.sha]) for dot in rows],
        paths=[_path(at[dot.sha], at[parent]) for dot in rows for parent in dot.parents if parent in at],
    )
    return View(text, html)


def _ordered(dots: Mapping[str, Dot], tips: Sequence[str]) -> list[Dot]:
    """Every commit before those it stands on; a branch's commits together, as ``git log --topo-order`` has them."""
    found, waiting = set(), list(tips)
    children: dict[str, int] = {}
    while waiting:
        sha = waiting.pop()
        if sha in dots and sha not in found:
            found.add(sha)
            for parent in dots[sha].parents:
                children[parent] = children.get(parent, 0) + 1
                waiting.append(parent)
    ready = [sha for sha in dict.fromkeys(tips) if sha in found and not children.get(sha)]
    rows = []
    while ready:
        dot = dots[ready.pop()]
        rows.append(dot)
        for parent in dot.parents:
            children[parent] -= 1
            if parent in found and not children[parent]:
                ready.append(parent)
    return rows


def _lanes(rows: Sequence[Dot], main: str) -> dict[str, int]:
    """Each commit's lane: a lane waits for one commit, and its first parent goes on in it."""
    expected: list[str] = [main]
    lanes: dict[str, int] = {}
    for dot in rows:
        lane = expected.index(dot.sha) if dot.sha in expected else _free(expected, dot.sha)
        lanes[dot.sha] = lane
        expected = ["" if sha == dot.sha else sha for sha in expected]
        for number, parent in enumerate(dot.parents):
            waiting = expected.index(parent) if parent in expected else len(expected)
            if number == 0 and lane < waiting:  # the further left a line is, the longer it goes on
                expected = ["" if sha == parent else sha for sha in expected]
                expected[lane] = parent
            elif parent not in expected:
                _free(expected, parent)
    return lanes


def _free(expected: list[str], sha: str) -> int:
    lane = expected.index("") if "" in expected else len(expected)
    expected[lane : lane + 1] = [sha]
    return lane


def _path(child: tuple[int, int], parent: tuple[int, int]) -> str:
    """A line from a commit down to one it stands on: it changes lanes at the end that is further right."""
    (x1, y1), (x2, y2) = child, parent
    if x1 == x2:
        return f"M{x1} {y1}V{y2}"
    if x2 > x1:
        return f"M{x1} {y1}C{x1} {y1 + _ROW / 2} {x2} {y1 + _ROW / 2} {x2} {y1 + _ROW}V{y2}"
    return f"M{x1} {y1}V{y2 - _ROW}C{x1} {y2 - _ROW / 2} {x2} {y2 - _ROW / 2} {x2} {y2}"


def _drawn_as_text(rows: Sequence[Dot], lanes: Mapping[str, int], lines: Sequence[str]) -> list[str]:
    wide = 1 + max(lanes.values(), default=0)
    drawn = []
    for dot, line in zip(rows, lines, strict=True):
        places = ["*" if lane == lanes[dot.sha] else "|" if lane == 0 else " " for lane in range(wide)]
        drawn.append(f"{' '.join(places)}  {line}")
    return drawn
