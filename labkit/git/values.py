"""What Git says, as small values: people read their ``repr`` in a notebook, so it reads like Git."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote a commit."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True, repr=False)
class Commit:
    """One commit: who, when, what, and on top of which others. `date` is the author's, with its time zone."""

    sha: str
    author: Person
    date: datetime
    message: str
    parents: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The first seven digits of the sha, as people quote it."""
        return self.sha[:7]

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]

    def __repr__(self) -> str:
        return f"{self.short} {self.subject} ({self.author.name})"


class Log(list[Commit]):
    """Commits, newest first; printed one a line like ``git log --oneline``."""

    def __repr__(self) -> str:
        return "\n".join(repr(commit) for commit in self) or "no commits yet"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, and the commit that wrote it."""

    text: str
    commit: Commit


class Blame(list[Line]):
    """A file's lines; printed with who wrote each and in which commit, like ``git blame``."""

    def __repr__(self) -> str:
        said = [f"{line.commit.author.name}: {line.commit.subject}" for line in self]
        width = max(map(len, said), default=0)
        return "\n".join(f"{who:{width}}  | {line.text}" for who, line in zip(said, self, strict=True))


@dataclass(frozen=True, slots=True, repr=False)
class Branch:
    """A branch and the commit it points at."""

    name: str
    sha: str
    current: bool = False

    def __repr__(self) -> str:
        return f"{'* ' if self.current else '  '}{self.name} {self.sha[:7]}"


@dataclass(frozen=True, slots=True, repr=False)
class Change:
    """One file that differs. `kind`: added, modified, deleted, renamed, type changed, untracked, conflict."""

    path: str
    kind: str
    staged: bool = False
    old_path: str = ""

    def __repr__(self) -> str:
        name = f"{self.old_path} → {self.path}" if self.old_path else self.path
        return f"{self.kind}: {name}" + (" (staged)" if self.staged else "")


@dataclass(frozen=True, slots=True, repr=False)
class Status:
    """Where a working copy stands: its branch, how far from the remote's, and which files differ."""

    branch: str
    upstream: str
    ahead: int
    behind: int
    changes: tuple[Change, ...]

    @property
    def clean(self) -> bool:
        """True when there is nothing to commit."""
        return not self.changes

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Files that a merge left for a person to put right."""
        return tuple(change.path for change in self.changes if change.kind == "conflict")

    def __repr__(self) -> str:
        first = f"on {self.branch or 'no branch (detached)'}"
        counts = ((self.ahead, "ahead of"), (self.behind, "behind"))
        distance = [f"{n} commit{'s' * (n != 1)} {word} {self.upstream}" for n, word in counts if n]
        first += f", {', '.join(distance)}" if distance else ""
        return "\n".join([first, *(f"  {change!r}" for change in self.changes or ())]) + (
            "\n  nothing to commit" if self.clean else ""
        )


@dataclass(frozen=True, slots=True, repr=False)
class Diff:
    """A unified diff: `text` as ``git diff`` prints it, and the `files` it touches."""

    text: str
    files: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.files or self.text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text.rstrip("\n") or "no differences"


@dataclass(frozen=True, slots=True, repr=False)
class Push:
    """What a push changed on the remote; `before` is empty for a new branch."""

    ref: str
    before: str
    after: str

    @property
    def branch(self) -> str:
        """The branch's short name."""
        return self.ref.removeprefix("refs/heads/")

    def __repr__(self) -> str:
        if self.before == self.after:
            return f"{self.branch}: everything up to date at {self.after[:7]}"
        return f"{self.branch}: {self.before[:7] or 'new branch'} → {self.after[:7]}"


KINDS = {"A": "added", "M": "modified", "D": "deleted", "R": "renamed", "C": "added", "T": "type changed"}


def parse_name_status(tokens: Sequence[str], *, staged: bool = False) -> tuple[Change, ...]:
    """The changes in the output of ``--name-status -z``, split at its NULs."""
    changes, rest = [], iter([token for token in tokens if token])
    for letter in rest:
        path = next(rest, "")
        old, path = (path, next(rest, "")) if letter[0] in "RC" else ("", path)
        changes.append(
            Change(path, KINDS.get(letter[0], "modified"), staged, old if letter[0] == "R" else "")
        )
    return tuple(changes)
