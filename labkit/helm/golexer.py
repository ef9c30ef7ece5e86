"""Reads a Go template just far enough to know which words in it are functions, and puts others in their place.

In a command such as ``.name | slugify 20`` the value that is piped in comes last. So a function is replaced by words
that stand in its place, and by what its result is piped into, at the end of its command.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple


class _Meaning(NamedTuple):
    """What stands for a function: the words in its place, and what follows its command."""

    words: str
    after: str = ""


MEANINGS = {
    "normalize": _Meaning('include "labkit.normalize"'),
    "slugify": _Meaning("list", ' | include "labkit.slugify"'),
    "fromYaml": _Meaning('include "labkit.fromYaml"', " | fromJson"),
    "fromYamlArray": _Meaning('include "labkit.fromYamlArray"', " | mustFromJson"),
    "fromJson": _Meaning("mustFromJson"),  # Helm's own reads maps only
}
HELMS_ALONE = frozenset(
    "include tpl required lookup getHostByName toToml mustToToml fromToml toYamlPretty mustToYaml fromJsonArray".split()  # noqa: SIM905
)

_TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/)
    |(?P<string>"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])*')
    |(?P<word>(?<![\w.$])[A-Za-z_]\w*)
    |(?P<end>\s-\}\}|\}\})
    |(?P<mark>[()|])
    |.""",
    re.VERBOSE | re.DOTALL,
)


class NotAFunction(Exception):
    """A function that ApplicationSets' templates do not have."""

    def __init__(self, name: str, line: int) -> None:
        super().__init__(name)
        self.name, self.line = name, line


class Call(NamedTuple):
    """A call as it was written: the function, its command, and the column where it stood."""

    name: str
    expression: str
    column: int


@dataclass
class Rewritten:
    """A template in Helm's terms, and how it was written."""

    text: str = ""
    _calls: dict[tuple[int, int], Call] = field(default_factory=dict)

    def original(self, line: int, column: int) -> Call | None:
        """The call that was replaced at a place of the new text, if one was; places as Go counts them."""
        return self._calls.get((line, column))

    def note(self, source: str, start: int, end: int, name: str, at: str) -> None:
        """A call of ``source`` from ``start`` to ``end`` was replaced; ``at`` is the new text before it."""
        place = (at.count("\n") + 1, len(at.rpartition("\n")[2].encode()))
        column = len(source[:start].rpartition("\n")[2].encode())
        self._calls[place] = Call(name, source[start:end].strip(), column)


class _Open(NamedTuple):
    """A command that is not over yet, and what is to follow it."""

    depth: int
    after: str
    name: str
    start: int
    at: str


def rewritten(text: str) -> Rewritten:
    """The template in Helm's terms; `NotAFunction` for a function that only Helm has."""
    made, position = Rewritten(), 0
    while (start := text.find("{{", position)) >= 0:
        made.text += text[position : start + 2]
        position = _action(text, start + 2, made)
    made.text += text[position:]
    return made


def _action(text: str, position: int, made: Rewritten) -> int:
    """Rewrite one action; returns where it ends."""
    depth = 0
    commands: list[_Open] = []
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            break
        kind, word = token.lastgroup, token[0]
        if kind == "end" or word in (")", "|"):
            commands = _close(commands, depth, text, position, made, everything=kind == "end")
        depth += (word == "(") - (word == ")")
        if kind == "word" and word in HELMS_ALONE:
            raise NotAFunction(word, text.count("\n", 0, position) + 1)
        if kind == "word" and word in MEANINGS:
            commands.append(_Open(depth, MEANINGS[word].after, word, position, made.text))
            word = MEANINGS[word].words
        made.text += word
        position = token.end()
        if kind == "end":
            return position
    return position


def _close(
    commands: list[_Open], depth: int, text: str, position: int, made: Rewritten, *, everything: bool
) -> list[_Open]:
    """End the commands of this depth; returns those that go on."""
    ending = [command for command in commands if everything or command.depth >= depth]
    for command in reversed(ending):
        made.text += command.after
        made.note(text, command.start, position, command.name, command.at)
    return [command for command in commands if command not in ending]
