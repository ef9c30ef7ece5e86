"""Reads ``git status --porcelain=v2 -z`` (git-status(1), "Porcelain Format Version 2")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.git.values import KINDS, Change, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def parse_status(fields: Sequence[str]) -> Status:
    """The status that the command's NUL-separated fields tell."""
    headers: dict[str, str] = {}
    changes: list[Change] = []
    rest = iter(fields)
    for line in rest:
        if line.startswith("# "):
            key, _, value = line[2:].partition(" ")
            headers[key] = value
        elif line:
            changes += _changes(line, rest)
    ahead, behind = (abs(int(n)) for n in headers.get("branch.ab", "+0 -0").split())
    branch = headers.get("branch.head", "")
    upstream = headers.get("branch.upstream", "")
    return Status("" if branch == "(detached)" else branch, upstream, ahead, behind, tuple(changes))


def _changes(line: str, rest: Iterator[str]) -> list[Change]:
    kind = line[0]
    if kind == "?":
        return [Change(line[2:], "untracked")]
    if kind == "u":
        return [Change(line.split(" ", 10)[10], "conflict")]
    if kind not in "12":
        return []
    path = line.split(" ", 8 if kind == "1" else 9)[-1]
    old = next(rest, "") if kind == "2" else ""
    staged, unstaged = line[2], line[3]
    found = []
    if staged != ".":
        found.append(Change(path, KINDS.get(staged, "modified"), staged=True, old_path=old))
    if unstaged != ".":
        found.append(Change(path, KINDS.get(unstaged, "modified"), old_path="" if staged != "." else old))
    return found
