"""Reads what Go's template engine and Helm say when a template fails.

Four forms are met (Helm 4, ``pkg/engine``): ``parse error at (file:line): message``; ``execution error at
(file:line:column): message`` (from ``required`` and ``fail``); a block of three lines for each template on the
way (place, ``executing "name" at <expression>:``, message); and one long line that chains ``template: place:
executing "name" at <expression>: error calling include: template: …``. All become the same list of frames,
outermost first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PARSE = re.compile(r"parse error (?:at|in) \((?P<place>[^)]*)\): (?P<message>.*)", re.DOTALL)
EXECUTION = re.compile(r"execution error (?:at|in) \((?P<place>[^)]*)\): (?P<message>.*)", re.DOTALL)
BLOCK = re.compile(
    r"^(?P<place>\S[^\n]*:\d+:\d+)\n  executing \"(?P<name>[^\"]*)\" at <(?P<expression>.*?)>:\n"
    r"(?P<message>.*?)(?=^\S[^\n]*:\d+:\d+\n  executing|\Z)",
    re.MULTILINE | re.DOTALL,
)
CHAIN = re.compile(
    r"template: (?P<place>\S+?:\d+(?::\d+)?): (?:executing \"(?P<name>[^\"]*)\" at <(?P<expression>.*?)>: )?",
)


@dataclass(frozen=True)
class Frame:
    """One template on the way to the failure. ``file`` is Helm's name for it; line 0 is not known."""

    file: str
    line: int = 0
    column: int = 0
    expression: str = ""
    message: str = ""


def frames(words: str) -> list[Frame]:
    """The way to the failure, outermost first; empty if the words are of no known form."""
    words = words.strip().removeprefix("Error: ")
    for form in (PARSE, EXECUTION):
        if found := form.match(words):
            return [_frame(found["place"], "", found["message"])]
    if BLOCK.match(words):
        return [_frame(m["place"], m["expression"], m["message"]) for m in BLOCK.finditer(words)]
    return _chain(words)


def _chain(words: str) -> list[Frame]:
    links = list(CHAIN.finditer(words))
    ends = [*(link.start() for link in links[1:]), len(words)][: len(links)]
    return [
        _frame(link["place"], link["expression"] or "", words[link.end() : end])
        for link, end in zip(links, ends, strict=True)
    ]


def _frame(place: str, expression: str, message: str) -> Frame:
    parts = re.match(r"(?P<file>.*?)(?::(?P<line>\d+))?(?::(?P<column>\d+))?\Z", place, re.DOTALL)
    if parts is None:
        return Frame(place, message=message.strip())
    line, column = (int(parts[key] or 0) for key in ("line", "column"))
    return Frame(parts["file"], line, column, expression.strip(), message.strip())
