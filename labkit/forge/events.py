"""The news of a push, in GitHub's words, and the memory of what has been told already.

What was pushed is found by comparing the references with those told last, which stand in a file in the
repository. So a push is told even if the service was killed right after it, or if somebody pushed into the
folder by path; and of two pushes at once each is told once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from labkit.forge.repositories import Forge, Repo
    from labkit.git import Commit, Reader
    from labkit.git.revisions import Ref

NOTHING = "0" * 40
_TOLD = "lab-told-refs"
_MOST_COMMITS = 20
_KINDS = ("added", "removed", "modified")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PushEvent:
    """One reference that a push moved. `before` and `after` are 40 zeros where there was or is nothing.

    `commits` (oldest first, at most twenty) are GitHub's objects: id, message, timestamp, author, added,
    removed, modified.
    """

    repository: str
    url: str
    default_branch: str
    ref: str
    before: str
    after: str
    commits: tuple[dict[str, Any], ...] = ()
    pusher: str = ""
    forced: bool = False

    def payload(self) -> dict[str, Any]:
        """The body of GitHub's ``push`` webhook for this event."""
        html_url = self.url.removesuffix(".git")
        person = {"name": self.pusher, "email": f"{self.pusher}@lab.local"}
        return {
            "ref": self.ref,
            "before": self.before,
            "after": self.after,
            "created": self.before == NOTHING,
            "deleted": self.after == NOTHING,
            "forced": self.forced,
            "commits": list(self.commits),
            "head_commit": self.commits[-1] if self.commits else None,
            "repository": {
                "name": self.repository,
                "full_name": f"lab/{self.repository}",
                "html_url": html_url,
                "clone_url": self.url,
                "url": html_url,
                "default_branch": self.default_branch,
            },
            "pusher": person,
            "sender": {"login": self.pusher},
        }


class Announcer:
    """Tells `on_push` of every reference that moved since it was told last. Safe to use from threads."""

    def __init__(self, forge: Forge, on_push: Callable[[PushEvent], object]) -> None:
        self.forge = forge
        self._on_push = on_push
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def announce(self, repo: Repo, pusher: str = "") -> list[PushEvent]:
        """Tells the news of one repository, in order; what a listener raises is logged, and no more."""
        with self._guard:
            lock = self._locks.setdefault(repo.name, threading.Lock())
        with lock:
            told, now = told_refs(repo.path), _telling(repo.reader.refs())
            events = [_event(repo, ref, told, now, pusher) for ref in sorted(told.keys() | now.keys())
                      if told.get(ref) != now.get(ref)]  # fmt: skip
            for event in events:
                try:
                    self._on_push(event)
                except Exception:
                    log.exception("the listener for pushes failed on %s %s", repo.name, event.ref)
            if events:
                _write(repo.path, now)
        return events

    def announce_all(self) -> list[PushEvent]:
        """The news of all repositories: what was pushed while nobody listened."""
        events: list[PushEvent] = []
        for repo in self.forge.list():
            try:
                events += self.announce(repo)
            except (LabError, OSError):
                log.exception("the repository %s could not be read", repo.name)
        return events


def remember_refs(git_dir: Path, refs: Iterable[Ref]) -> None:
    """Notes these references as told."""
    _write(git_dir, _telling(refs))


def told_refs(git_dir: Path) -> dict[str, str]:
    """The references told last, by name."""
    with contextlib.suppress(FileNotFoundError):
        lines = (git_dir / _TOLD).read_text(encoding="utf-8").splitlines()
        return {name: sha for sha, _, name in (line.partition(" ") for line in lines) if name}
    return {}


def _telling(refs: Iterable[Ref]) -> dict[str, str]:
    return {ref.name: ref.sha for ref in refs if ref.name.startswith(("refs/heads/", "refs/tags/"))}


def _write(git_dir: Path, refs: Mapping[str, str]) -> None:
    text = "".join(f"{sha} {name}\n" for name, sha in sorted(refs.items()))
    new = git_dir / f"{_TOLD}.new"
    with new.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(git_dir / _TOLD)


def _event(repo: Repo, ref: str, told: Mapping[str, str], now: Mapping[str, str], pusher: str) -> PushEvent:
    before, after = told.get(ref, NOTHING), now.get(ref, NOTHING)
    reader = repo.reader
    forced = NOTHING not in (before, after) and not reader.contains(after, before)
    return PushEvent(
        repo.name, repo.url, repo.default_branch, ref, before, after,
        _commits(reader, before, after, told.values()), pusher, forced,
    )  # fmt: skip


def _commits(reader: Reader, before: str, after: str, told: Iterable[str]) -> tuple[dict[str, Any], ...]:
    """What the push brought: since `before`; of a new branch, what no branch had. Its head at the least."""
    if after == NOTHING or not reader.has_commit(after):
        return ()
    known = [before] if before != NOTHING else sorted(set(told))
    without = [sha for sha in known if reader.has_commit(sha)]
    commits = reader.log(after, limit=_MOST_COMMITS, without=without) or [reader.commit(after)]
    changes = reader.changes([commit.sha for commit in commits])
    return tuple(_commit(commit, changes[commit.sha]) for commit in reversed(commits))


def _commit(commit: Commit, changes: Iterable[Any]) -> dict[str, Any]:
    files: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for change in changes:
        kind = {"added": "added", "deleted": "removed"}.get(change.kind, "modified")
        files[kind].append(change.path)
    author = {"name": commit.author.name, "email": commit.author.email}
    when = commit.date.isoformat()
    return {"id": commit.sha, "message": commit.message, "timestamp": when, "author": author, **files}
