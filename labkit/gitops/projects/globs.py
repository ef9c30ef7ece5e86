"""Globs as Argo CD has them: ``*`` does not cross a separator, ``**`` does; ``?``, ``[a-z]``, ``{one,two}``, ``!no``.

Patterns are other people's input, and they decide who may do what. So a pattern is walked through with all its
possibilities at once and never tried again from an earlier place: the time is the product of the two lengths,
whatever the pattern, where a regular expression of the same meaning may take for ever.

Source: util/glob in Argo CD, and the glob library behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

LONGEST_PATTERN = 2048
DEEPEST = 20
_SPECIAL = frozenset("*?[]{}\\")

Accepts = Callable[[str], bool]


class BadGlob(ValueError):
    """A pattern that makes no sense; the text says why."""


def match(pattern: str, text: str, *separators: str) -> bool:
    """Whether the whole text is as the pattern says. A pattern that makes no sense matches nothing."""
    if _SPECIAL.isdisjoint(pattern):
        return pattern == text
    try:
        return _matches(pattern, text, "".join(separators))
    except BadGlob:
        return False


def problem(pattern: str) -> str:
    """What is wrong with a pattern; empty if nothing is."""
    try:
        _compiled(pattern, "")
    except BadGlob as error:
        return str(error)
    return ""


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
    try:  # Argo CD's engine for these knows look-ahead, so it is Python's that is like it
        return re.search(pattern, text) is not None
    except re.error:
        return False


@lru_cache(4096)
def _matches(pattern: str, text: str, separators: str) -> bool:
    return _compiled(pattern, separators).matches(text)


@lru_cache(1024)
def _compiled(pattern: str, separators: str) -> _Machine:
    if len(pattern) > LONGEST_PATTERN:
        raise BadGlob(f"it is longer than {LONGEST_PATTERN} characters")
    return _Parser(pattern, separators).machine()


@dataclass
class _State:
    """A place in the pattern: what it takes (nothing, if it only leads on), and where it leads."""

    accepts: Accepts | None
    to: list[int]


class _Machine:
    """A pattern as states; the first is the beginning, the last the end."""

    def __init__(self, states: list[_State]) -> None:
        self._states = states
        self._reached: dict[int, frozenset[int]] = {}

    def matches(self, text: str) -> bool:
        """Whether the end can be reached with the whole text."""
        places = self._from(0)
        for char in text:
            following: set[int] = set()
            for place in places:
                accepts = self._states[place].accepts
                if accepts is not None and accepts(char):
                    following |= self._from(self._states[place].to[0])
            if not following:
                return False
            places = frozenset(following)
        return len(self._states) - 1 in places

    def _from(self, start: int) -> frozenset[int]:
        """Every place that is reached from one without taking a character."""
        if start not in self._reached:
            found, left = {start}, [start]
            while left:
                state = self._states[left.pop()]
                for place in state.to if state.accepts is None else ():
                    if place not in found:
                        found.add(place)
                        left.append(place)
            self._reached[start] = frozenset(found)
        return self._reached[start]


class _Parser:
    """Reads a pattern from left to right and lays its states out."""

    def __init__(self, pattern: str, separators: str) -> None:
        self._pattern, self._separators, self._at = pattern, separators, 0
        self._states: list[_State] = []

    def machine(self) -> _Machine:
        self._sequence(0)
        self._add(None, [])
        return _Machine(self._states)

    def _add(self, accepts: Accepts | None, to: list[int] | None = None) -> int:
        self._states.append(_State(accepts, [len(self._states) + 1] if to is None else to))
        return len(self._states) - 1

    def _sequence(self, depth: int) -> None:
        """States for what stands before the next ``,`` or ``}`` of this depth, or the end."""
        while self._at < len(self._pattern):
            char = self._pattern[self._at]
            if depth and char in ",}":
                return
            self._at += 1
            if char == "*":
                self._star()
            elif char == "{":
                self._choice(depth + 1)
            else:
                self._add(self._single(char))

    def _star(self) -> None:
        both = self._pattern.startswith("*", self._at)
        while self._pattern.startswith("*", self._at):
            self._at += 1
        fork = self._add(None)
        self._add(_anything if both else self._no_separator, [fork])
        self._states[fork].to = [fork + 1, fork + 2]

    def _choice(self, depth: int) -> None:
        if depth > DEEPEST:
            raise BadGlob(f"its braces are nested deeper than {DEEPEST}")
        fork, ends = self._add(None, []), []
        while True:
            self._states[fork].to.append(len(self._states))
            self._sequence(depth)
            ends.append(self._add(None, []))
            if self._at >= len(self._pattern):
                raise BadGlob("a { is not closed")
            self._at += 1
            if self._pattern[self._at - 1] == "}":
                break
        for end in ends:
            self._states[end].to = [len(self._states)]

    def _single(self, char: str) -> Accepts:
        """What one character of the text must be."""
        if char == "?":
            return self._no_separator
        if char == "[":
            return self._set()
        if char == "\\":
            if self._at >= len(self._pattern):
                raise BadGlob("it ends with a backslash")
            char = self._pattern[self._at]
            self._at += 1
        return char.__eq__

    def _set(self) -> Accepts:
        end = self._pattern.find("]", self._at)
        inside = self._pattern[self._at : end]
        negated, chars = inside.startswith("!"), inside.removeprefix("!")
        if end < 0 or not chars:
            raise BadGlob("a [ is not closed" if end < 0 else "[] names no character")
        self._at = end + 1
        ranges = re.findall(r"(.)-(.)|(.)", chars, re.DOTALL)
        if any(first > last for first, last, _ in ranges):
            raise BadGlob(f"[{inside}] begins after its end")
        spans = [(first or one, last or one) for first, last, one in ranges]
        return lambda char: any(a <= char <= b for a, b in spans) is not negated

    def _no_separator(self, char: str) -> bool:
        return char not in self._separators


def _anything(_char: str) -> bool:
    return True
