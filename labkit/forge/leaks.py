"""Finds what looks like a secret among the lines that a change adds.

A secret that was pushed is out, also when the next commit removes it: history is what Git is for. So the time to look
is before it is merged, and the answer to a find is a new secret, not a new commit. It is a net with wide meshes, made
of the forms that slip in most often; what it says never contains the value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Leak(NamedTuple):
    """A place, and what it looks like."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)")
_FORMS = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")),
    ("an access key of a cloud", re.compile(r"\bAKIA[0-9A-Z]{16}\b")),
    ("a token of a Git host", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|glpat-[\w-]{20,})")),
    ("a signed token (JWT)", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
    ("a password in a URL", re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"']+:[^\s/@\"'{}$<]{3,}@")),
)
_NAMED = re.compile(
    r"""(?ix)^\s*(?:-\s*)?["']?[\w.-]*(?:password|passwd|secret[_-]?key|api[_-]?key|access[_-]?token|auth[_-]?token)
    ["']?\s*[:=]\s*["']?(?P<value>[^\s"'#]{4,})"""
)
_SECRET = re.compile(r"^kind:\s*[\"']?Secret[\"']?\s*$")
_HOLE = re.compile(r"\{\{|\$\{|\$\(|^<|^(?:null|true|false|changeme|\*+|~)$", re.IGNORECASE)


def leaks(diff: str) -> list[Leak]:
    """What looks like a secret in the added lines of a unified difference (``git diff``), with its place."""
    return [Leak(path, number, what) for path, number, text in _added(diff) for what in _looks_like(text)]


def _added(diff: str) -> Iterator[tuple[str, int, str]]:
    path, number = "", 0
    for line in diff.splitlines():
        if line.startswith("+++ "):
            path = line[4:].removeprefix("b/")
        elif hunk := _HUNK.match(line):
            number = int(hunk[1])
        elif line.startswith("+"):
            yield path, number, line[1:]
            number += 1
        elif not line.startswith(("-", "\\")):
            number += 1


def _looks_like(text: str) -> Iterator[str]:
    for what, form in _FORMS:
        if form.search(text):
            yield what
            return
    if _SECRET.match(text):
        yield "a Secret, in plain: base64 is an alphabet, not a lock"
    elif (named := _NAMED.match(text)) and not _HOLE.search(named["value"]):
        yield "a value that is named like a password or key"
