"""Globs as Argo CD has them: ``*`` does not cross a separator, ``**`` does; ``?``, ``[a-z]``, ``{one,two}``, ``!no``.

Source: util/glob in Argo CD, and the glob library behind it.
"""

from __future__ import annotations

import re
from functools import lru_cache


def match(pattern: str, text: str, *separators: str) -> bool:
    """Whether the whole text is as the pattern says. A pattern that makes no sense matches nothing."""
    compiled = _compiled(pattern, "".join(separators))
    return compiled is not None and compiled.fullmatch(text) is not None


def permits(pattern: str, text: str, *separators: str, negation: bool = True) -> bool:
    """The same, with ``!`` in front meaning "anything but", and a bare ``*`` meaning everything."""
    if negation and denies(pattern):
        return not match(pattern[1:], text, *separators)
    return pattern == "*" or match(pattern, text, *separators)


def denies(pattern: str) -> bool:
    """Whether the pattern says what is not allowed."""
    return pattern.startswith("!")


def in_list(patterns: list[str], text: str, mode: str = "glob") -> bool:
    """Whether one of the patterns means the text: ``exact``, ``glob``, or ``regexp`` where it stands in slashes."""
    for pattern in patterns:
        if mode == "exact":
            found = pattern == text
        elif mode == "regexp" and len(pattern) > 1 and pattern[0] == pattern[-1] == "/":
            found = _searches(pattern[1:-1], text)
        else:
            found = match(pattern, text)
        if found:
            return True
    return False


def _searches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


@lru_cache(1024)
def _compiled(pattern: str, separators: str) -> re.Pattern[str] | None:
    try:
        return re.compile(
            _translated(pattern, f"[^{re.escape(separators)}]" if separators else "."), re.DOTALL
        )
    except (re.error, IndexError):
        return None


def _translated(pattern: str, one: str) -> str:
    """The glob as a regular expression; ``one`` stands for a character that is no separator."""
    made, depth, i = "", 0, 0
    while i < len(pattern):
        char = pattern[i]
        if pattern.startswith("**", i):
            made, i = f"{made}.*", i + 1
        elif char == "*":
            made += f"{one}*"
        elif char == "?":
            made += one
        elif char == "[":
            end = pattern.index("]", i + 1) if "]" in pattern[i + 1 :] else len(pattern)
            inside = pattern[i + 1 : end]
            made += f"[{'^' if inside[:1] == '!' else ''}{inside.lstrip('!')}]"
            i = end
        elif char == "{":
            made, depth = f"{made}(?:", depth + 1
        elif char == "}" and depth:
            made, depth = f"{made})", depth - 1
        elif char == "," and depth:
            made += "|"
        elif char == "\\":
            i += 1
            made += re.escape(pattern[i])
        else:
            made += re.escape(char)
        i += 1
    return made
