"""From a rendered line back to the line of the template that probably made it.

Helm does not say which line of a template a line of its output came from. But most lines of a template are
literal, and the rest is literal around its ``{{ … }}``: walking both texts in step finds the line, or one near
it. A guess, good enough to point at; it never claims to be more.
"""

from __future__ import annotations

import re
from functools import lru_cache

ACTION = re.compile(r"\{\{.*?\}\}")
MOST_LINES, MOST_LOOKED_AT, LONGEST_LINE = 5_000, 400, 1_000
HEAD_LINES = 12  # of a document: enough to tell it from another of its kind


class Template:
    """A template's source, prepared for looking up the lines it made."""

    def __init__(self, source: str) -> None:
        self.lines = source.splitlines()
        self.shapes = [_shape(line) for line in self.lines[:MOST_LINES]]

    def line_of(self, rendered: list[str], index: int) -> int:
        """The source line (from 1) that made the rendered line of that index (from 0), or the nearest before."""
        at = best = 0
        for line in rendered[max(0, index - MOST_LOOKED_AT) : index + 1]:
            found = self._next(line.rstrip(), at)
            if found is not None:
                at, best = found + 1, found
        return best + 1

    def document_line(self, text: str, nth: int) -> int:
        """The source line (from 1) where the ``nth`` rendered document of its kind begins; 1 if it is not found."""
        lines = [line.rstrip() for line in text.splitlines()[:HEAD_LINES]]
        kind = next((line for line in lines if line.startswith(("kind:", '"kind":'))), "")
        made = [n for n, shape in enumerate(self.shapes) if shape and kind and _fits(shape, kind)]
        if not made:
            return 1
        likeness = {n: self._likeness(lines, n) for n in made}
        likely = [n for n in made if likeness[n] == max(likeness.values())]
        return self._top(likely[min(nth, len(likely) - 1)]) + 1

    def _likeness(self, lines: list[str], at: int) -> int:
        """How many of a document's first lines the source around a line may have made."""
        after = range(at + 1, min(at + HEAD_LINES, len(self.shapes)))
        end = next((n for n in after if self.lines[n].startswith(("---", "kind:"))), at + HEAD_LINES)
        near = [shape for shape in self.shapes[at:end] if shape]
        return sum(any(_fits(shape, line) for shape in near) for line in lines)

    def _top(self, line: int) -> int:
        """The first line of the block that a ``kind:`` line stands in, when ``apiVersion:`` comes before it."""
        near = range(line - 1, max(line - 4, -1), -1)
        return next((n for n in near if self.lines[n].startswith("apiVersion:")), line)

    def _next(self, text: str, start: int) -> int | None:
        if not text.strip():
            return None
        order = (*range(start, len(self.shapes)), *range(min(start, len(self.shapes))))
        return next((n for n in order if (shape := self.shapes[n]) and _fits(shape, text)), None)


@lru_cache(maxsize=64)
def template(source: str) -> Template:
    """The prepared form of a source, kept for the next look-up."""
    return Template(source)


def _shape(line: str) -> tuple[str, ...]:
    """A source line's own text, around its actions; empty where it has too little to be recognised by."""
    parts = ACTION.split(line.rstrip()[:LONGEST_LINE])
    plain = any(part.strip() for part in parts) and not line.startswith("---")
    return tuple(parts) if plain else ()


def _fits(shape: tuple[str, ...], text: str) -> bool:
    """Whether a rendered line may have been made by a line of that shape, with anything in the gaps.

    By hand and not by a regular expression: a template can be written so that one takes for ever.
    """
    if len(shape) == 1:
        return shape[0] == text
    first, *middle, last = shape
    end = len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last) or end < len(first):
        return False
    at = len(first)
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
