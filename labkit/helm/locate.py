"""From a rendered line back to the line of the template that probably made it.

Helm does not say which line of a template a line of its output came from. But most lines of a template are
literal, and the rest is literal around its ``{{ … }}``: walking both texts in step finds the line, or one near
it. A guess, good enough to point at; it never claims to be more.
"""

from __future__ import annotations

import re
from functools import lru_cache

ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
MOST_LINES = 5_000


class Template:
    """A template's source, prepared for looking up the lines it made."""

    def __init__(self, source: str) -> None:
        self.lines = source.splitlines()
        self.patterns = [_pattern(line) for line in self.lines[:MOST_LINES]]

    def line_of(self, rendered: list[str], index: int) -> int:
        """The source line (from 1) that made the rendered line of that index (from 0), or the nearest before."""
        at = best = 0
        for line in rendered[: index + 1]:
            found = self._next(line.rstrip(), at)
            if found is not None:
                at, best = found + 1, found
        return best + 1

    def document_line(self, text: str, nth: int) -> int:
        """The source line (from 1) where the ``nth`` rendered document that looks like ``text`` begins."""
        kind = next((line for line in text.splitlines() if line.startswith(("kind:", '"kind":'))), "")
        made = [
            n
            for n, pattern in enumerate(self.patterns)
            if pattern and kind and pattern.fullmatch(kind.rstrip())
        ]
        if not made:
            return 1
        return self._top(made[min(nth, len(made) - 1)]) + 1

    def _top(self, line: int) -> int:
        """The first line of the block that a ``kind:`` line stands in, when ``apiVersion:`` comes before it."""
        above = next(
            (n for n in range(line - 1, max(line - 4, -1), -1) if self.lines[n].startswith("apiVersion:")),
            None,
        )
        return line if above is None else above

    def _next(self, text: str, start: int) -> int | None:
        if not text.strip():
            return None
        order = [*range(start, len(self.patterns)), *range(start)]
        return next((n for n in order if (p := self.patterns[n]) is not None and p.fullmatch(text)), None)


@lru_cache(maxsize=64)
def template(source: str) -> Template:
    """The prepared form of a source, kept for the next look-up."""
    return Template(source)


def _pattern(line: str) -> re.Pattern[str] | None:
    """What a source line may render to; None where it has too little text of its own to be recognised."""
    parts = ACTION.split(line)
    if not any(part.strip() for part in parts) or line.lstrip().startswith("---"):
        return None
    return re.compile(".*".join(re.escape(part) for part in parts).rstrip())
