"""When an application is compared with Git again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.gitops.api.names import REFRESH
from labkit.gitops.status import moment
from labkit.versions import is_range, newest

if TYPE_CHECKING:
    from datetime import datetime

    from labkit.gitops.api.application import Application


WORDS = {
    "requested": "a push, or somebody, asked for a look",
    "hard": "somebody asked for a hard refresh",
    "never compared": "it was never compared before",
    "spec changed": "the application's spec changed",
    "expired": "it was time to ask Git again",
    "": "the controller has just begun",
}
"""What `needed` says, for people."""


@dataclass(frozen=True)
class Polling:
    """How often a repository is asked if nothing else says that it changed; in seconds."""

    every: float = 120.0
    jitter: float = 60.0

    def next(self) -> float:
        """Seconds until the next time: spread, so that a hundred applications do not ask at once."""
        return self.every + random.uniform(0, self.jitter)  # noqa: S311  # spreads load, hides nothing


def needed(app: Application, now: datetime, due: float) -> str:
    """Why Git must be asked again, in a word: requested, hard, spec changed, never compared, expired; or nothing."""
    asked = app.annotations.get(REFRESH)
    if asked is not None:
        return "hard" if asked == "hard" else "requested"
    sync: dict[str, Any] = app.status.get("sync") or {}
    if not sync.get("comparedTo") or not app.status.get("reconciledAt"):
        return "never compared"
    if sync["comparedTo"] != app.compared_to:
        return "spec changed"
    if (now - moment(app.status["reconciledAt"])).total_seconds() >= due:
        return "expired"
    return ""


def concerned(app: Application, payload: dict[str, Any], same_url: Any) -> bool:
    """Whether a push is about a branch or tag that the application follows.

    The payload is GitHub's: ``ref`` and ``repository`` with its URLs.
    """
    repository = payload.get("repository") or {}
    urls = [str(repository[n]) for n in ("clone_url", "html_url", "ssh_url", "url") if repository.get(n)]
    ref = str(payload.get("ref") or "")
    name = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    for source in app.sources:
        if not any(same_url(url, source.repo_url) for url in urls):
            continue
        wanted = source.target_revision
        if ref.startswith("refs/tags/") and _in_range(name, wanted):
            return True
        if wanted in {ref, name, ""} or (wanted == "HEAD" and name == repository.get("default_branch", name)):
            return True
    return False


def _in_range(tag: str, wanted: str) -> bool:
    """Whether a tag is a version in the range that an application follows."""
    return is_range(wanted) and newest([tag], wanted) is not None
